"""What becomes of keys when the secret is lost that their hashes are made with."""

import subprocess
import sys
from typing import Any

import pytest

from broker.testing.broker_process import clean_environment


def serve(broker: Any, *more: str) -> subprocess.CompletedProcess[str]:
    """A start that is expected to fail."""
    command = [sys.executable, "-m", "broker", "serve", "--json", "--listen", "127.0.0.1:0"]
    return subprocess.run(
        [*command, "--data-dir", str(broker.data_dir), *more],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("loss", ["deleted", "replaced"])
def test_a_broker_without_its_pepper_says_so_instead_of_refusing_every_key(
    broker_factory: Any, loss: str, tmp_path: Any
) -> None:
    """It does not start; told to replace it, it makes a new admin key and the old one has ended."""
    broker = broker_factory()
    old_key = broker.key
    broker.stop()
    path = broker.data_dir / "key.pepper"
    pepper = path.read_text()
    path.unlink()
    if loss == "replaced":
        path.write_text("ab" * 32 + "\n")
    refused = serve(broker)
    assert (2, "") == (refused.returncode, refused.stdout)
    assert "keys.pepper_file: the keys of this store were made with another pepper" in refused.stderr
    assert pepper.strip() not in refused.stderr
    config = tmp_path / "waypost.toml"
    config.write_text("[keys]\nreplace_pepper = true\n")
    broker._arguments = ["--config", str(config)]
    broker.start()
    assert old_key != broker.key
    assert broker.key == broker.ready["admin_key"]


def test_nodes_may_share_a_pepper(broker_factory: Any, tmp_path: Any) -> None:
    """In a file of their own; what is no pepper is refused with the setting's name."""
    path = tmp_path / "pepper"
    path.write_text("cd" * 32)
    broker = broker_factory(keys={"pepper_file": str(path)})
    assert not (broker.data_dir / "key.pepper").exists()
    broker.stop()
    path.write_text("nonsense")
    refused = serve(broker, *broker._arguments)
    assert "keys.pepper_file" in refused.stderr
    assert "64 hexadecimal digits" in refused.stderr
