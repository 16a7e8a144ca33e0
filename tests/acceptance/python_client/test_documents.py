"""The programs of the Python client's guide and README run as they stand there."""

import ast
import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.acceptance.pages import ROOT

GUIDE = ROOT / "docs" / "python-client.md"
README = ROOT / "clients" / "python" / "README.md"


def blocks_of(page: Path) -> list[str]:
    """The Python in a page."""
    return re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


async def test_the_guide_runs_from_top_to_bottom(broker_factory, monkeypatch, capsys, tmp_path) -> None:
    """As typed into `python -m asyncio`, one block after the other."""
    broker = broker_factory()
    monkeypatch.setattr(os, "environ", broker.environment)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "guide"}
    blocks = blocks_of(GUIDE)
    assert len(blocks) > 8
    for block in blocks:
        code = compile(block, GUIDE.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        done = eval(code, names)
        if asyncio.iscoroutine(done):
            await done
    printed = capsys.readouterr().out
    assert [] == [said for said in re.findall(r"# prints (.+)", "".join(blocks)) if said not in printed]


def test_the_readmes_programs_run(broker, tmp_path) -> None:
    """Each is whole as it stands there; the second sees its message delivered."""
    printed = []
    for program in blocks_of(README):
        ran = subprocess.run(
            [sys.executable, "-W", "error", "-c", program],
            cwd=tmp_path,
            env=broker.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "" == ran.stderr
        printed.append(ran.stdout.split())
    (message_id,), statuses = printed
    assert 13 == len(message_id)
    assert ["ACCEPTED", "PROCESSING", "SENT", "DELIVERED"] == statuses
