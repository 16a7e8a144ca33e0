"""Write requirements/constraints.txt: one exact version for each package that the workspace installs.

    python tools/pins.py            add what is new, keep every version that is already pinned
    python tools/pins.py --upgrade  take the newest versions that requirements/limits.txt allows
    python tools/pins.py --check    fail when a declared dependency has no pin

pip resolves; only names and versions are written, so nothing of this machine or of its package index
reaches the file.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "requirements" / "constraints.txt"
LIMITS = ROOT / "requirements" / "limits.txt"
HEADER = "# Exact versions of everything that `make setup` installs. Written by `make pins`.\n"


def projects() -> list[Path]:
    """The directories of the workspace's distributions; what others depend on comes first."""
    plugins = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
    return [ROOT / "clients" / "python", ROOT, *plugins]


def normal_name(requirement: str) -> str:
    """The normalised project name at the start of a requirement."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    if name is None:
        raise SystemExit(f"not a requirement: {requirement!r}")
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def declared() -> set[str]:
    """Names of all direct dependencies, without the workspace's own distributions."""
    names: set[str] = set()
    own: set[str] = set()
    for project in projects():
        document = tomllib.loads((project / "pyproject.toml").read_text())
        own.add(normal_name(document["project"]["name"]))
        groups = [document["project"].get("dependencies", []), document["build-system"]["requires"]]
        groups += document.get("dependency-groups", {}).values()
        names |= {normal_name(requirement) for group in groups for requirement in group}
    return names - own


def pinned() -> dict[str, str]:
    """Name to version, as the file has them now."""
    if not CONSTRAINTS.exists():
        return {}
    lines = CONSTRAINTS.read_text().splitlines()
    return dict(line.split("==", 1) for line in lines if "==" in line and not line.startswith("#"))


def resolve(*, upgrade: bool) -> dict[str, str]:
    """Name to version of all that pip would install into an empty environment."""
    limits = [LIMITS] if upgrade or not CONSTRAINTS.exists() else [LIMITS, CONSTRAINTS]
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory, "report.json")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
        command += ["--report", str(report), "--group", "dev"]
        for limit in limits:
            command += ["--constraint", str(limit)]
        for project in projects():
            command += ["--editable", str(project)]
        subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - our own interpreter, our own arguments
        installs: list[dict[str, Any]] = json.loads(report.read_text())["install"]
    return {
        normal_name(install["metadata"]["name"]): install["metadata"]["version"]
        for install in installs
        if not install["is_direct"]
    }


def main() -> int:
    """Run the script; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--upgrade", action="store_true", help="renew every version")
    parser.add_argument("--check", action="store_true", help="only look for dependencies without a pin")
    arguments = parser.parse_args()
    if arguments.check:
        missing = sorted(declared() - pinned().keys())
        if missing:
            print(f"no pin for {', '.join(missing)}: run `make pins`", file=sys.stderr)
        return 1 if missing else 0
    versions = resolve(upgrade=arguments.upgrade)
    lines = [f"{name}=={version}\n" for name, version in sorted(versions.items())]
    CONSTRAINTS.write_text(HEADER + "".join(lines))
    print(f"{len(lines)} versions in {CONSTRAINTS.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
