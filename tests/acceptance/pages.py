"""The pages of docs/, and what a test reads in them."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
API = (DOCS / "api.md").read_text(encoding="utf-8")
DIRECTORY = (DOCS / "directory.md").read_text(encoding="utf-8")
HISTORY = (DOCS / "history.md").read_text(encoding="utf-8")
SENDERS = (DOCS / "senders.md").read_text(encoding="utf-8")
WEBHOOKS = (DOCS / "webhooks.md").read_text(encoding="utf-8")
CONTENT = (DOCS / "content.md").read_text(encoding="utf-8")
TEMPLATES = (DOCS / "templates.md").read_text(encoding="utf-8")


def section(page: str, heading: str) -> str:
    """The text below a heading, up to the next of its level."""
    return re.split(r"^## ", page.partition(f"\n## {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of a table, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def blocks(text: str) -> list[str]:
    """The Python in a page."""
    return re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
