"""What other languages get: protos/ alone is enough to make working stubs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

USE_THE_STUBS = """
import sys
from pathlib import Path

from waypost.v1 import broker_service_pb2, broker_service_pb2_grpc, content_pb2, recipient_pb2, send_pb2

request = send_pb2.SendRequest(
    recipients=[recipient_pb2.Recipient(phone_number="+447700900123", tokens={"name": "Ada"})],
    content=content_pb2.Content(sms=content_pb2.SmsContent(text="Hello")),
)
assert request == send_pb2.SendRequest.FromString(request.SerializeToString())
assert "Send" in broker_service_pb2.DESCRIPTOR.services_by_name["BrokerService"].methods_by_name
assert callable(broker_service_pb2_grpc.BrokerServiceStub)
print(Path(send_pb2.__file__).resolve())
"""


def run(command: list[str], directory: Path, **environment: str) -> str:
    """What a command prints; it must succeed, and it does not see our packages."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    finished = subprocess.run(
        command, cwd=directory, env=inherited | environment, capture_output=True, text=True, check=False
    )
    assert 0 == finished.returncode, finished.stderr
    return finished.stdout.strip()


@pytest.fixture
def generated(tmp_path: Path) -> Path:
    """Stubs made as a stranger would: from a copy of protos/, with protoc and nothing else of ours."""
    protos = shutil.copytree(ROOT / "protos", tmp_path / "protos")
    sources = sorted(path.relative_to(protos).as_posix() for path in protos.rglob("*.proto"))
    target = tmp_path / "generated"
    target.mkdir()
    outputs = [f"--python_out={target}", f"--pyi_out={target}", f"--grpc_python_out={target}"]
    run([sys.executable, "-m", "grpc_tools.protoc", "--proto_path=.", *outputs, *sources], protos)
    return target


def test_stubs_made_from_the_protos_alone_work(generated: Path, tmp_path: Path) -> None:
    """A fresh process imports them, and only them, and builds a request."""
    # -S leaves site-packages out, and with it the .pth files that lead to our own waypost package; what
    # the stubs need of it is linked by name.
    libraries = tmp_path / "libraries"
    libraries.mkdir()
    for name in ("google", "grpc", "typing_extensions.py"):
        libraries.joinpath(name).symlink_to(site_packages() / name)
    used = run(
        [sys.executable, "-S", "-c", USE_THE_STUBS],
        tmp_path,
        PYTHONPATH=os.pathsep.join([str(generated), str(libraries)]),
    )
    assert str(generated.resolve() / "waypost" / "v1" / "send_pb2.py") == used


def site_packages() -> Path:
    """Where the libraries of this environment are."""
    import grpc

    return Path(grpc.__file__).resolve().parents[1]


def test_the_protos_import_nothing_but_googles_own() -> None:
    """So that no language needs a vendored file or a second repository."""
    imports = {
        line.split('"')[1]
        for path in ROOT.glob("protos/**/*.proto")
        for line in path.read_text().splitlines()
        if line.startswith("import ")
    }
    foreign = {name for name in imports if not name.startswith(("google/protobuf/", "waypost/v1/"))}
    assert set() == foreign


def test_the_types_ship_with_the_client() -> None:
    """py.typed is beside the stubs, and every stub has its types."""
    package = ROOT / "clients" / "python" / "src" / "waypost"
    modules = {path.stem for path in package.glob("v1/*_pb2*.py")}
    assert package.joinpath("py.typed").exists()
    assert modules == {path.stem for path in package.glob("v1/*_pb2*.pyi")}
