"""What recipients want, for people."""

from collections.abc import Sequence

from rich.console import Group as Stack
from rich.console import RenderableType
from rich.text import Text

from broker.cli.grid import Column, card, grid
from broker.cli.wording import local_time, word_of
from waypost.v1 import consent_service_pb2, opt_in_pb2

_STYLES = {"OPTED_OUT": "red", "OPTED_OUT_GLOBALLY": "red", "OPTED_IN": "green"}
_EVERY = "every sender"
_RECORDS = (
    Column("recipient"),
    Column("sender"),
    Column("state", styles=_STYLES),
    Column("since", rare=True),
    Column("tell the recipient", rare=True),
)
_TESTIMONY = (
    Column("time"),
    Column("sender"),
    Column("said"),
    Column("known from"),
    Column("told by", rare=True),
    Column("keyword", rare=True),
    Column("code", rare=True),
    Column("message", rare=True),
    Column("evidence", rare=True),
)
_UPSTREAM = (Column("upstream"), Column("answer"), Column("keeps", rare=True), Column("says", rare=True))


def records_table(records: Sequence[opt_in_pb2.OptInRecord], *, more: bool, told: bool) -> RenderableType:
    """A row for each wish, and whether there are more; where they were just `told`, what to answer."""
    rows = [
        (
            each.recipient,
            each.sender or _EVERY,
            _state(each.state),
            local_time(each.since) if each.HasField("since") else "",
            each.message if told else "",
        )
        for each in records
    ]
    count = f"{len(rows):,} wish{'' if len(rows) == 1 else 'es'}"
    end = Text(f"{count}; there are more, --limit shows them" if more else count, style="dim")
    return Stack(grid(_RECORDS, rows), end) if rows else end


def record_card(response: consent_service_pb2.GetOptInResponse) -> RenderableType:
    """All about one sender and one recipient."""
    record = response.record
    facts = [
        ("recipient", record.recipient),
        ("sender", record.sender or _EVERY),
        ("state", _state(record.state)),
        ("since", local_time(record.since) if record.HasField("since") else ""),
        ("tell them", record.message),
    ]
    parts: list[RenderableType] = [card(facts, _STYLES)]
    if record.upstream:
        parts += [Text(), grid(_UPSTREAM, [_upstream_cells(each) for each in record.upstream])]
    if response.testimony:
        parts += [Text(), grid(_TESTIMONY, [_testimony_cells(each) for each in response.testimony])]
    return Stack(*parts)


def _upstream_cells(upstream: opt_in_pb2.UpstreamOptIn) -> Sequence[str]:
    if upstream.pending:
        answer = "not yet"
    elif upstream.HasField("answer_time"):
        answer = "taken" if upstream.accepted else "refused"
    else:
        answer = ""
    says = ": ".join(part for part in (upstream.code, upstream.text) if part)
    return upstream.provider, answer, _state(upstream.state), says


def _testimony_cells(testimony: opt_in_pb2.OptInTestimony) -> Sequence[str]:
    act = word_of(opt_in_pb2.OptInAct.DESCRIPTOR, testimony.act)
    everywhere = testimony.scope == opt_in_pb2.OPT_IN_SCOPE_GLOBAL
    return (
        local_time(testimony.time),
        testimony.sender or _EVERY,
        f"{act} globally" if everywhere else act,
        word_of(opt_in_pb2.OptInSource.DESCRIPTOR, testimony.source),
        testimony.told_by,
        testimony.keyword,
        testimony.provider_code,
        testimony.message_id,
        testimony.evidence,
    )


def _state(number: int) -> str:
    return word_of(opt_in_pb2.OptInState.DESCRIPTOR, number)
