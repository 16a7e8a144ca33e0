"""What the README shows has to work as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def readme() -> str:
    """Its text."""
    return (ROOT / "README.md").read_text()


def test_the_python_example_sends_and_follows(readme, broker, tmp_path) -> None:
    """The one block runs as it is, and sees its message delivered."""
    (example,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    ran = subprocess.run(
        [sys.executable, "-c", example],
        cwd=tmp_path,
        env=broker.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "" == ran.stderr
    stored, *statuses = ran.stdout.splitlines()
    assert stored.startswith("stored as ")
    steps = ["ACCEPTED", "PROCESSING", "SENT", "DELIVERED"]
    assert [f"MESSAGE_STATUS_{step}" for step in steps] == statuses


def test_the_settings_example_starts_a_broker(readme, broker_factory) -> None:
    """Its keys are known and its values allowed; only the ports are made free ones."""
    (example,) = re.findall(r"```toml\n(.*?)```", readme, re.DOTALL)
    started = broker_factory(re.sub(r'(127\.0\.0\.1):\d+"', r'\1:0"', example))
    assert started.ready["http_address"].startswith("127.0.0.1:")


def test_every_link_leads_somewhere(readme) -> None:
    """Links within the repository name files that are there."""
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", readme)
    assert targets
    assert [] == [target for target in targets if not (ROOT / target).exists()]


def test_every_command_of_make_is_a_target(readme) -> None:
    """What it tells to type exists."""
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"^make (\w+)|`make (\w+)`", readme, re.MULTILINE))
    wanted = {first or second for first, second in named}
    assert {"demo", "test", "setup"} <= wanted
    assert [] == [name for name in wanted if f"\n{name}:" not in makefile]
