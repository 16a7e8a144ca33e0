"""Generate the Python stubs of protos/ into clients/python.

    python tools/protos.py             write them
    python tools/protos.py --check     fail when the committed ones are not what the protos make
    python tools/protos.py --breaking  fail when protos/ would break clients of the main branch

The types come from mypy-protobuf. Unlike protoc's own they cover the gRPC stubs and servicers, know which
fields `HasField` accepts, and keep the comments of the protos.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
PACKAGE = Path("waypost", "v1")
STUBS = ROOT / "clients" / "python" / "src" / PACKAGE
BIN = Path(sys.executable).parent
# A servicer may leave calls out: the generated class answers them UNIMPLEMENTED.
OPTIONS = {"mypy": "quiet:", "mypy_grpc": "quiet,generate_concrete_servicer_stubs:"}


def run_protoc(target: Path, pattern: str, kinds: list[str]) -> None:
    """Write stubs of the given kinds, for all protos whose name fits the pattern, below `target`."""
    sources = sorted(path.relative_to(PROTOS).as_posix() for path in PROTOS.rglob(pattern))
    arguments = [f"--proto_path={PROTOS}", f"--proto_path={files('grpc_tools') / '_proto'}"]
    arguments += [
        f"--plugin=protoc-gen-{name}={BIN / f'protoc-gen-{name}'}" for name in ("mypy", "mypy_grpc")
    ]
    arguments += [f"--{kind}_out={OPTIONS.get(kind, '')}{target}" for kind in kinds]
    if protoc.main(["protoc", *arguments, *sources]):
        raise SystemExit("protoc failed")


def generate(target: Path) -> None:
    """Write all stubs below `target`; only x_service.proto holds services."""
    run_protoc(target, "*.proto", ["python", "mypy"])
    run_protoc(target, "*_service.proto", ["grpc_python", "mypy_grpc"])


def stubs_in(directory: Path) -> dict[str, bytes]:
    """Name to bytes of the generated files of a directory."""
    return {path.name: path.read_bytes() for path in directory.glob("*_pb2*.py*")}


def write(fresh: Path) -> int:
    """Replace the committed stubs by those in `fresh`; the exit code."""
    STUBS.mkdir(parents=True, exist_ok=True)
    for name in stubs_in(STUBS).keys() - stubs_in(fresh).keys():
        STUBS.joinpath(name).unlink()
    for name in stubs_in(fresh):
        shutil.copyfile(fresh / name, STUBS / name)
    print(f"protos: {len(stubs_in(fresh))} files in {STUBS.relative_to(ROOT)}")
    return 0


def check(fresh: Path) -> int:
    """Compare the committed stubs with those in `fresh`; the exit code."""
    made, committed = stubs_in(fresh), stubs_in(STUBS)
    stale = sorted(name for name in made.keys() | committed.keys() if made.get(name) != committed.get(name))
    if stale:
        print(f"protos: not current: {', '.join(stale)}; run `make protos`", file=sys.stderr)
        return 1
    print(f"protos: {len(committed)} generated files are current")
    return 0


def git(*arguments: str) -> subprocess.CompletedProcess[bytes] | None:
    """What git says about the repository; None where there is no git."""
    program = shutil.which("git")
    if program is None:
        return None
    return subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, check=False)  # noqa: S603


def main_ref() -> str | None:
    """The first of the refs that may hold the main branch and do hold protos."""
    for ref in ("refs/remotes/origin/main", "refs/heads/main"):
        found = git("ls-tree", "--name-only", f"{ref}:protos")
        if found is not None and found.returncode == 0 and found.stdout:
            return ref
    return None


def breaking() -> int:
    """Compare protos/ with the main branch; the exit code. Skips, and says so, where there is none."""
    ref = main_ref()
    archive = git("archive", "--format=tar", f"{ref}:protos") if ref else None
    if archive is None or archive.returncode:
        print("buf breaking: SKIPPED, there is no main branch with protos to compare with")
        return 0
    with tempfile.TemporaryDirectory() as directory:
        before = Path(directory, "protos.tar")
        before.write_bytes(archive.stdout)
        command = [str(BIN / "buf"), "breaking", str(PROTOS), "--against", str(before)]
        status = subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603
    if not status:
        print(f"buf breaking: nothing breaks against {ref}")
    return status


def main() -> int:
    """Run the script; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="compare instead of writing")
    mode.add_argument("--breaking", action="store_true", help="compare protos/ with the main branch")
    arguments = parser.parse_args()
    if arguments.breaking:
        return breaking()
    with tempfile.TemporaryDirectory() as directory:
        generate(Path(directory))
        fresh = Path(directory) / PACKAGE
        return check(fresh) if arguments.check else write(fresh)


if __name__ == "__main__":
    sys.exit(main())
