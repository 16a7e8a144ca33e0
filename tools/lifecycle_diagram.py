"""Draw docs/lifecycle.md from the tables of broker/domain/lifecycle.py.

python tools/lifecycle_diagram.py          write it
python tools/lifecycle_diagram.py --check  fail when the committed one is not what the tables make
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from broker.domain.lifecycle import AFTERWARDS, BIRTHS, ENDS, MOVES, NOTES, RECEIPTS, Fact, State

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "lifecycle.md"

INTRODUCTION = """\
# The life of a message

<!-- Drawn by `make protos` from broker/domain/lifecycle.py: change that file, not this one. -->

A message is always in one state. What happens to it is a *fact*; a fact moves it, or is noted and leaves
the state as it is, or cannot happen there. Clients see the state as `MessageStatus` and the fact as
`MessageFact`. An end is reached once and never left.
"""


def names(members: Iterable[State] | Iterable[Fact]) -> str:
    """Members as code, in the order of their numbers."""
    return ", ".join(f"`{member.name}`" for member in sorted(members))


def diagram() -> Iterator[str]:
    """The lines of a Mermaid state diagram: one arrow for each pair of states, its facts on it."""
    arrows: dict[tuple[State | None, State], list[Fact]] = defaultdict(list)
    for fact, state in BIRTHS.items():
        arrows[None, state].append(fact)
    for (state, fact), following in MOVES.items():
        arrows[state, following].append(fact)
    yield "stateDiagram-v2"
    for (before, after), facts in arrows.items():
        label = ", ".join(fact.name for fact in facts)
        yield f"    {before.name if before else '[*]'} --> {after.name}: {label}"
    for state in sorted(ENDS):
        yield f"    {state.name} --> [*]"


def moves() -> Iterator[str]:
    """The rows of the table of moves."""
    yield "| State | Fact | Next state |"
    yield "|---|---|---|"
    for fact, state in BIRTHS.items():
        yield f"| *(none yet)* | `{fact.name}` | {shown(state)} |"
    for (state, fact), following in MOVES.items():
        yield f"| `{state.name}` | `{fact.name}` | {shown(following)} |"


def shown(state: State) -> str:
    """A state as code, and whether it is an end."""
    return f"`{state.name}`, an end" if state in ENDS else f"`{state.name}`"


def states() -> Iterator[str]:
    """The rows of the table of states."""
    yield "| State | Number | End | Facts that move it |"
    yield "|---|---|---|---|"
    for state in State:
        facts = names(fact for before, fact in MOVES if before is state)
        yield f"| `{state.name}` | {state.value} | {'yes' if state in ENDS else ''} | {facts} |"


def page() -> str:
    """The whole page."""
    return "\n".join([
        INTRODUCTION,
        "```mermaid",
        *diagram(),
        "```",
        "",
        "`SENT_FINAL` is shown to clients as `MESSAGE_STATUS_SENT` with `end` set: a provider took the message and",
        "never reports on it.",
        "",
        "## States",
        "",
        *states(),
        "",
        "## Moves",
        "",
        *moves(),
        "",
        "## Notes",
        "",
        f"Kept as events, and never a move: {names(NOTES)}.",
        "",
        f"After the end, each receipt ({names(RECEIPTS)}) is kept as `{Fact.LATE_RECEIPT.name}`.",
        "",
        f"Kept only after the end, and never a move: {names(AFTERWARDS)}. A deleted message is shown as DELETED.",
        "",
        "Every other pair of state and fact is refused.",
        "",
    ])


def main() -> int:
    """Run the script; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments = parser.parse_args()
    name, made = PAGE.relative_to(ROOT), page()
    if not arguments.check:
        PAGE.write_text(made)
        print(f"lifecycle: wrote {name}")
        return 0
    if not PAGE.exists() or PAGE.read_text() != made:
        print(f"lifecycle: {name} is not current; run `make protos`", file=sys.stderr)
        return 1
    print(f"lifecycle: {name} is current")
    return 0


if __name__ == "__main__":
    sys.exit(main())
