"""Consent: its requests, and what is in force, to protobuf and back."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from broker.api.convert.findings import Findings
from broker.api.convert.paging import page_position, page_size_of, page_token
from broker.api.convert.requests import SENDER_CHARACTERS_MAX
from broker.api.convert.times import optional_timestamp, timestamp
from broker.api.convert.words import (
    OPT_IN_SCOPES,
    OPT_IN_STATES,
    PB_OPT_IN_ACTS,
    PB_OPT_IN_SCOPES,
    PB_OPT_IN_SOURCES,
    PB_OPT_IN_STATES,
)
from broker.delivery.consents import ConsentPage, ConsentQuery, Found, Standing, UpstreamView
from broker.domain.access import Principal
from broker.domain.address import normal_mailbox, normal_number
from broker.domain.consent import (
    EVIDENCE_CHARACTERS_MAX,
    Act,
    Consent,
    ConsentChange,
    ConsentSource,
    ConsentWord,
    Scope,
    sender_key,
)
from broker.domain.consent_answers import answer_to
from broker.domain.consent_keywords import ENGLISH, KEYWORD_CHARACTERS_MAX, consent_word, language_of
from broker.domain.ids import format_id
from waypost.v1 import consent_service_pb2 as service_pb
from waypost.v1 import opt_in_pb2 as pb

ENTRIES_MAX = 1_000
NAME_CHARACTERS_MAX = 128
RECIPIENT_RULE = 'must be a phone number in E.164, as "+447700900123", or as the account\'s default_region dials it, or a mailbox'

_WORD_OF_STATE = {
    Consent.OPTED_IN: ConsentWord(Act.OPT_IN),
    Consent.OPTED_OUT: ConsentWord(Act.OPT_OUT),
    Consent.OPTED_OUT_GLOBALLY: ConsentWord(Act.OPT_OUT),
}
_SEPARATOR = "\n"


def changes_of(
    request: pb.OptInRequest, account_id: int, caller: Principal, now_us: int, region: str
) -> list[ConsentChange]:
    """What a caller puts on record; `region` is whose national numbers are taken.

    Raises BrokerError with every rule that the request breaks.
    """
    findings = Findings()
    if not request.entries:
        findings.broke("entries", "at least one is needed")
    changes: list[ConsentChange] = []
    if findings.count("entries", len(request.entries), ENTRIES_MAX):
        for index, entry in enumerate(request.entries):
            recipient = recipient_of(f"entries[{index}].recipient", entry.recipient, findings, region)
            changes.append(
                _change(f"entries[{index}]", entry, recipient, account_id, caller, now_us, findings)
            )
    findings.refuse()
    return changes


def _change(
    path: str,
    entry: pb.OptInEntry,
    recipient: str,
    account_id: int,
    caller: Principal,
    now_us: int,
    findings: Findings,
) -> ConsentChange:
    findings.line(f"{path}.sender", entry.sender, SENDER_CHARACTERS_MAX)
    findings.line(f"{path}.organisation_name", entry.organisation_name, NAME_CHARACTERS_MAX)
    findings.line(f"{path}.recipient_name", entry.recipient_name, NAME_CHARACTERS_MAX)
    findings.text(f"{path}.evidence", entry.evidence, EVIDENCE_CHARACTERS_MAX)
    word = _word(path, entry, findings)
    return ConsentChange(
        account_id=account_id,
        sender="" if word.every_sender else entry.sender.strip(),
        recipient=recipient,
        act=word.act,
        source=ConsentSource.CALL,
        at_us=now_us,
        scope=_scope(path, entry, word, findings),
        keyword=entry.keyword,
        evidence=entry.evidence,
        told_by=format_id(caller.key_id),
        organisation_name=entry.organisation_name,
        recipient_name=entry.recipient_name,
    )


def _word(path: str, entry: pb.OptInEntry, findings: Findings) -> ConsentWord:
    """What was said; HELP where the entry does not tell."""
    word: ConsentWord | None = None
    if entry.WhichOneof("change") == "keyword":
        word = consent_word(entry.keyword)
        if word is None:
            findings.broke(
                f"{path}.keyword",
                f"is no word for STOP, START or HELP alone (of at most {KEYWORD_CHARACTERS_MAX} characters)",
            )
    else:
        word = _WORD_OF_STATE.get(OPT_IN_STATES.get(entry.state, Consent.UNSET))
        if word is None:
            findings.broke(
                path, f"set keyword, or state to one of {', '.join(each.name for each in _WORD_OF_STATE)}"
            )
    return word or ConsentWord(Act.HELP)


def _scope(path: str, entry: pb.OptInEntry, word: ConsentWord, findings: Findings) -> Scope:
    scope = findings.word(f"{path}.scope", entry.scope, OPT_IN_SCOPES) or Scope.ACCOUNT
    if entry.state == pb.OPT_IN_STATE_OPTED_OUT_GLOBALLY:
        if entry.scope == pb.OPT_IN_SCOPE_ACCOUNT:
            findings.broke(f"{path}.scope", "must be GLOBAL, or left out, with OPTED_OUT_GLOBALLY")
        scope = Scope.GLOBAL
    if scope is Scope.GLOBAL and word.act is not Act.OPT_OUT:
        findings.broke(
            f"{path}.scope",
            "GLOBAL is for opt-outs: only the recipient lifts one, with HELP or START from that phone",
        )
    elif scope is Scope.GLOBAL and (word.every_sender or not entry.sender.strip()):
        findings.broke(f"{path}.sender", "must name one sender where the scope is GLOBAL")
    return scope


def recipient_of(field: str, written: str, findings: Findings, region: str) -> str:
    """The normal address of a recipient."""
    found = normal_mailbox(written) if "@" in written else normal_number(written, region)
    if found is None:
        findings.broke(field, RECIPIENT_RULE)
    return found or ""


def pair_of(request: service_pb.GetOptInRequest, region: str) -> tuple[str, str]:
    """Sender and recipient. Raises BrokerError with every rule that the request breaks."""
    findings = Findings()
    findings.line("sender", request.sender, SENDER_CHARACTERS_MAX)
    recipient = recipient_of("recipient", request.recipient, findings, region)
    findings.refuse()
    return request.sender.strip(), recipient


def consent_query_of(request: service_pb.ListOptInsRequest, account_id: int, region: str) -> ConsentQuery:
    """Which wishes to list. Raises BrokerError with every rule that the request breaks."""
    findings = Findings()
    wanted = request.filter
    findings.line("filter.sender", wanted.sender, SENDER_CHARACTERS_MAX)
    recipient = None
    if wanted.recipient:
        recipient = recipient_of("filter.recipient", wanted.recipient, findings, region)
    states: set[Consent] = set()
    for index, number in enumerate(wanted.states[: len(OPT_IN_STATES) + 1]):
        state = findings.word(f"filter.states[{index}]", number, OPT_IN_STATES)
        states |= set() if state is None else {state}
    findings.count("filter.states", len(wanted.states), len(OPT_IN_STATES))
    sender = wanted.sender if wanted.HasField("sender") else None
    position = page_position(request.page_token, _scope_of(account_id, sender, recipient, states), findings)
    page_size = page_size_of(request.page_size, findings)
    findings.refuse()
    place_recipient, _, place_sender = (position or _SEPARATOR).partition(_SEPARATOR)
    return ConsentQuery(
        account_id, (place_recipient, place_sender), page_size, sender, recipient, frozenset(states)
    )


def _scope_of(
    account_id: int, sender: str | None, recipient: str | None, states: AbstractSet[Consent]
) -> str:
    named = None if sender is None else sender_key(sender)
    return f"opt-ins {account_id} {named!r} {recipient} {sorted(states)}"


def opt_in_response(
    request: pb.OptInRequest, standings: Sequence[Standing], upstream: Sequence[UpstreamView]
) -> pb.OptInResponse:
    """The states now in force, each told in the language of its entry's keyword, and who is told of each change."""
    return pb.OptInResponse(
        states=[
            record_message(standing, upstream, language_of(entry.keyword, standing.recipient))
            for entry, standing in zip(request.entries, standings, strict=True)
        ]
    )


def found_response(found: Found) -> service_pb.GetOptInResponse:
    """What is in force, and what was said about it."""
    return service_pb.GetOptInResponse(
        record=record_message(found.standing, found.upstream),
        testimony=[_testimony_message(each) for each in found.testimony],
    )


def list_response(page: ConsentPage, query: ConsentQuery) -> service_pb.ListOptInsResponse:
    """A page of wishes."""
    token = ""
    if page.next_place is not None:
        scope = _scope_of(query.account_id, query.sender, query.recipient, query.states)
        token = page_token(_SEPARATOR.join(page.next_place), scope)
    return service_pb.ListOptInsResponse(
        records=[record_message(each) for each in page.standings], next_page_token=token
    )


def record_message(
    standing: Standing, upstream: Sequence[UpstreamView] = (), language: str = ENGLISH
) -> pb.OptInRecord:
    """What is in force, with what to tell the recipient in a language."""
    wish = standing.wish
    return pb.OptInRecord(
        sender=standing.sender,
        recipient=standing.recipient,
        state=PB_OPT_IN_STATES[wish.state],
        since=optional_timestamp(wish.since_us or None),
        message=answer_to(wish, language),
        upstream=[_upstream_message(each) for each in upstream],
    )


def _upstream_message(view: UpstreamView) -> pb.UpstreamOptIn:
    return pb.UpstreamOptIn(
        provider=view.provider,
        accepted=view.accepted,
        code=view.code,
        text=view.text,
        pending=view.pending,
        answer_time=optional_timestamp(view.answered_at_us),
        state=pb.OPT_IN_STATE_UNSPECIFIED if view.keeps is None else PB_OPT_IN_STATES[view.keeps],
    )


def _testimony_message(change: ConsentChange) -> pb.OptInTestimony:
    """Something that was said."""
    return pb.OptInTestimony(
        time=timestamp(change.at_us),
        sender=change.sender,
        act=PB_OPT_IN_ACTS[change.act],
        scope=PB_OPT_IN_SCOPES[change.scope],
        source=PB_OPT_IN_SOURCES[change.source],
        told_by=change.told_by,
        keyword=change.keyword,
        evidence=change.evidence,
        message_id=format_id(change.message_id) if change.message_id else "",
        provider_code=change.provider_code,
        organisation_name=change.organisation_name,
        recipient_name=change.recipient_name,
    )
