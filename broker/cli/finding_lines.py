"""The doctor's findings for people: a line each, and below what needs doing how to do it."""

from collections import Counter
from collections.abc import Sequence

from rich.text import Text

from broker.cli.doctor.findings import Finding, State
from broker.cli.grid import shown_on_one_line

_STYLES = {State.OK: "green", State.WARN: "yellow", State.FAIL: "bold red"}
_STATE_WIDTH = 5
_CHECK_WIDTH = 18


def finding_line(finding: Finding) -> Text:
    """State, check, what was seen, and on a line of its own the advice."""
    line = Text(f"{finding.state:<{_STATE_WIDTH}}", style=_STYLES[finding.state])
    line = Text.assemble(line, f" {shown_on_one_line(finding.check):<{_CHECK_WIDTH}} ")
    line.append(shown_on_one_line(finding.detail))
    if finding.advice:
        line.append(f"\n{'':<{_STATE_WIDTH + _CHECK_WIDTH + 2}}→ {shown_on_one_line(finding.advice)}")
    return line


def summary(findings: Sequence[Finding]) -> Text:
    """How many of each kind."""
    count = Counter(each.state for each in findings)
    return Text(f"{count[State.OK]} ok, {count[State.WARN]} to look at, {count[State.FAIL]} failed")
