"""What Groupcall's answers say of messages. Pure; whatever no table knows is Unknown."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from broker.spi import (
    Accepted,
    NotAccepted,
    OutboundMessage,
    Outcome,
    Reason,
    Rejected,
    Unknown,
    retry_after_s,
)
from waypost_groupcall.words import Meaning

CODE_CHARACTERS_MAX = 64
REMARK_CHARACTERS_MAX = 200
REMARKS_MAX = 4
ID_CHARACTERS_MAX = 255

REFUSED_STATUSES: Mapping[int, Reason] = {
    400: Reason.REFUSED_BY_PROVIDER,
    413: Reason.CONTENT_UNSUPPORTED,
    422: Reason.REFUSED_BY_PROVIDER,
}
"""The request is refused for what it says, and would be each time."""

NOT_PROCESSED: Mapping[int, str] = {
    401: "Groupcall refuses the credentials of this instance",
    402: "Groupcall wants to be paid first",
    403: "Groupcall refuses the credentials of this instance",
    404: "there is no such address at Groupcall: see url and paths",
    405: "there is no such address at Groupcall: see url and paths",
    429: "Groupcall is busy",
}
"""Nothing was taken, and nothing is wrong with the message."""

_ADDRESSES = re.compile(r"\+?\d[\d\s().-]{4,}\d|\S+@\S+")


@dataclass(frozen=True, slots=True)
class Reading:
    """How an instance reads answers.

    `words` are what statuses and errors mean, `secrets` are never shown. `of_several`: the instance sends for several
    customers, so that what is refused to one of them says nothing of the instance.
    """

    words: Mapping[str, Meaning]
    secrets: tuple[str, ...] = ()
    of_several: bool = False


def outcomes(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    messages: Sequence[OutboundMessage],
    reading: Reading,
    now_us: int,
) -> list[Outcome]:
    """What an answer to a request for these messages says of each of them."""
    if status == 200:
        return _told(read_json(body), messages, reading)
    return [_failed(status, headers, now_us)] * len(messages)


def is_refusal(status: int) -> bool:
    """Whether a request was refused for something in it."""
    return status in REFUSED_STATUSES


def refuses_all(status: int, body: bytes, reading: Reading) -> bool:
    """Whether nothing of a request was taken for something in it: in one of several messages, for one of them."""
    if status != 200:
        return is_refusal(status)
    result = _of_all(_results(read_json(body)))
    return result is not None and isinstance(_outcome(result, None, reading), NotAccepted | Rejected)


def read_json(body: bytes) -> Any:
    """The document in a body; None where there is none that could be read."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def remark(text: object, private: Sequence[str]) -> str:
    """Words of Groupcall's that can be shown: bounded, without addresses, and none where they quote what is private."""
    if not isinstance(text, str) or any(each and each in text for each in private):
        return ""
    shown = _ADDRESSES.sub("…", text)
    return "".join(each for each in shown if each.isprintable())[:REMARK_CHARACTERS_MAX].strip()


def _failed(status: int, headers: Mapping[str, str], now_us: int) -> Outcome:
    code = f"http_{status}"
    if status in REFUSED_STATUSES:
        return Rejected(REFUSED_STATUSES[status], code, "Groupcall refuses what the request says")
    if status in NOT_PROCESSED:
        pause_s = retry_after_s(headers.get("Retry-After"), now_us) if status == 429 else None
        return NotAccepted(pause_s, code, NOT_PROCESSED[status])
    return Unknown(code)


def _results(document: Any) -> list[dict[str, Any]]:
    """The results of an answer: a list of them, or the one."""
    results = document if isinstance(document, list) else [document]
    return [each for each in results if isinstance(each, dict)]


def _of_all(results: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The result that speaks of a whole request, as that no message was sent: the only one, and of nobody's message."""
    alone = len(results) == 1 and not results[0].get("MessageId") and not results[0].get("ClientRef")
    return results[0] if alone else None


def _told(document: Any, messages: Sequence[OutboundMessage], reading: Reading) -> list[Outcome]:
    results = _results(document)
    if (result := _of_all(results)) is not None:
        return [_outcome(result, each, reading) for each in messages]
    found = _by_reference(results, messages) or (results if len(results) == len(messages) else [])
    if not found:
        return [Unknown("unreadable")] * len(messages)
    return [
        Unknown("no_result") if result is None else _outcome(result, message, reading)
        for result, message in zip(found, messages, strict=True)
    ]


def _by_reference(
    results: Sequence[Mapping[str, Any]], messages: Sequence[OutboundMessage]
) -> list[Mapping[str, Any] | None]:
    """The results in the order of the messages, where they name them; empty where none does."""
    named = {each.get("ClientRef"): each for each in results if isinstance(each.get("ClientRef"), str)}
    keys = [each.idempotency_key for each in messages]
    return [named.get(key) for key in keys] if named.keys() & set(keys) else []


def _outcome(result: Mapping[str, Any], message: OutboundMessage | None, reading: Reading) -> Outcome:
    """What a result says of its message; of none that is known, None."""
    identity = _id(result.get("MessageId"))
    status = result.get("statusMsg")
    # With an id its status counts, and warnings are warnings. Without one, whatever says why.
    said = [status] if identity else [status, result.get("errorMsg"), *_warnings(result)]
    word, meaning = _known(said, reading.words)
    if meaning is Meaning.ACCEPTED and identity:
        return _accepted(result, identity, word, message, reading)
    if meaning is Meaning.REJECTED:
        return Rejected(Reason.REFUSED_BY_PROVIDER, word)
    if meaning is Meaning.OPTED_OUT:
        return Rejected(Reason.OPTED_OUT, word)
    if meaning is Meaning.NOT_ACCEPTED:
        return NotAccepted(code=word, about_message=reading.of_several)
    return Unknown("unknown_status" if identity else "no_id")


def _accepted(
    result: Mapping[str, Any], identity: str, word: str, message: OutboundMessage | None, reading: Reading
) -> Accepted:
    """The message under all of its names, with what Groupcall warns of."""
    text = message.text if message else ""
    shown = [remark(each, (text, *reading.secrets)) for each in _warnings(result)[:REMARKS_MAX]]
    warned = "; ".join(each for each in shown if each)
    names = (_sent_id(result), message.idempotency_key if message else "")
    aliases = tuple(each for each in names if each and each != identity)
    return Accepted((identity,), aliases=aliases, code=word if warned else "", text=warned)


def _warnings(result: Mapping[str, Any]) -> list[Any]:
    warnings = result.get("WarningMessages")
    return warnings if isinstance(warnings, list) else []


def _known(said: Sequence[Any], words: Mapping[str, Meaning]) -> tuple[str, Meaning | None]:
    """The first of these words that means something, and what. A word that no table knows is not quoted."""
    for each in said:
        if isinstance(each, str) and (meaning := words.get(each.strip().lower())):
            return each.strip()[:CODE_CHARACTERS_MAX], meaning
    return "", None


def _sent_id(result: Mapping[str, Any]) -> str:
    """MessageSentId, once it is one: it may be 0 although the message is taken."""
    sent_id = result.get("MessageSentId")
    written = str(sent_id) if isinstance(sent_id, int | str) and not isinstance(sent_id, bool) else ""
    return "" if written == "0" else _id(written)


def _id(identity: object) -> str:
    """An id that can be kept; empty where it is none."""
    fits = isinstance(identity, str) and identity.isprintable() and 0 < len(identity) <= ID_CHARACTERS_MAX
    return str(identity) if fits else ""
