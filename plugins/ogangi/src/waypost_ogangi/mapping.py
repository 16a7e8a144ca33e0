"""What Ogangi's document says of messages, as pure functions: files to send, answers to judge."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence

from broker import spi
from waypost_ogangi.reading import Element, read
from waypost_ogangi.settings import OgangiSettings

SEND = "tools/sendSMSByFile"

TEXT_ONLY = frozenset({"text"})
_NOT_DIGITS = re.compile(r"[^0-9]+")
_WORD = re.compile(r"[A-Z][A-Z_]{0,39}")
"""Ogangi's words for statuses; anything else in their place may quote a message, and is not told on."""

ID_CHARACTERS_MAX = 255

REFUSED: Mapping[str, spi.Reason] = {
    "rejected": spi.Reason.REFUSED_BY_PROVIDER,
    "invalid_recipient": spi.Reason.INVALID_RECIPIENT,
    "opted_out": spi.Reason.OPTED_OUT,
}
"""Why a message is refused for good, by the verdict that the settings give its status."""


def refusal(message: spi.OutboundMessage, settings: OgangiSettings) -> spi.Rejected | None:
    """Why no file can hold a message; None where one can."""
    if set(message.content) - TEXT_ONLY:
        return spi.Rejected(
            spi.Reason.CONTENT_UNSUPPORTED, "content", "Ogangi's files carry a text and no more"
        )
    sends_as = message.sender
    if sends_as and "sender" not in settings.file_columns and plain(sends_as) != plain(settings.shortcode):
        return spi.Rejected(
            spi.Reason.INVALID_SENDER, "sender", "the instance sends from its own short code alone"
        )
    try:
        message.text.encode(settings.file_encoding)
    except UnicodeEncodeError:
        return spi.Rejected(
            spi.Reason.CONTENT_UNSUPPORTED, "encoding", "file_encoding lacks a character of the text"
        )
    if not settings.file_quotes and set(message.text) & {settings.file_separator, "\r", "\n"}:
        return spi.Rejected(
            spi.Reason.CONTENT_UNSUPPORTED,
            "separator",
            "a file without quotes has no separator or line end in a text",
        )
    return None


def files_of(messages: Sequence[spi.OutboundMessage]) -> Iterator[list[int]]:
    """The places of messages, file by file: a file has a recipient once, since its answer names nothing else."""
    left = list(range(len(messages)))
    while left:
        first: dict[str, int] = {}
        for at in left:
            first.setdefault(digits(messages[at].recipient), at)
        chosen = set(first.values())
        yield sorted(chosen)
        left = [at for at in left if at not in chosen]


def file_of(messages: Sequence[spi.OutboundMessage], settings: OgangiSettings) -> bytes:
    """A file of recipients, a line each."""
    lines = io.StringIO(newline="")
    writer = csv.writer(
        lines,
        delimiter=settings.file_separator,
        quoting=csv.QUOTE_MINIMAL if settings.file_quotes else csv.QUOTE_NONE,
        quotechar='"' if settings.file_quotes else None,
        lineterminator="\r\n",
    )
    if settings.file_header:
        writer.writerow(settings.file_columns)
    for each in messages:
        cells = {
            "recipient": recipient(each.recipient, settings),
            "text": each.text,
            "sender": each.sender or settings.shortcode,
        }
        writer.writerow([cells[column] for column in settings.file_columns])
    return lines.getvalue().encode(settings.file_encoding)


def recipient(address: str, settings: OgangiSettings) -> str:
    """A number as the files have it."""
    return ("+" if settings.recipient_plus else "") + digits(address)


def digits(number: str) -> str:
    """A number's digits alone, by which an answer's numbers are known."""
    return _NOT_DIGITS.sub("", number)


def outcomes(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    sent: Sequence[spi.OutboundMessage],
    settings: OgangiSettings,
    now_us: int,
) -> list[spi.Outcome]:
    """What the answer to a file says of each of its messages."""
    refused = refused_by(status, headers, now_us)
    if refused is not None:
        return [refused] * len(sent)
    answer = read(body)
    if answer is None or not answer.said("status"):
        return [spi.Unknown("unreadable")] * len(sent)
    if answer.said("status") != "OK":
        return [failure(answer, settings)] * len(sent)
    told: dict[str, list[Element]] = {}
    for each in answer.all("result", "messages", "message"):
        told.setdefault(digits(each.said("to")), []).append(each)
    return [_outcome(told.get(digits(each.recipient), []), settings) for each in sent]


def refused_by(status: int, headers: Mapping[str, str], now_us: int) -> spi.NotAccepted | spi.Unknown | None:
    """What the status of an HTTP answer alone says; None where the body says more."""
    code = f"http_{status}"
    if status == 200:
        return None
    if status == 429:
        return spi.NotAccepted(spi.retry_after_s(headers.get("Retry-After"), now_us), code)
    if status in {401, 403}:
        return spi.NotAccepted(None, code, "Ogangi refuses the keys of this instance")
    return spi.Unknown(code)


def failure(answer: Element, settings: OgangiSettings) -> spi.Rejected | spi.NotAccepted | spi.Unknown:
    """What an answer whose status is not OK says: by its description, else by its status, else nothing."""
    for said in (answer.said("description"), answer.said("status")):
        match settings.failures.get(said):
            case "rejected":
                return spi.Rejected(code=word(said))
            case "not_accepted":
                return spi.NotAccepted(code=word(said))
            case _:
                continue
    return spi.Unknown(word(answer.said("status")))


def _outcome(told: Sequence[Element], settings: OgangiSettings) -> spi.Outcome:
    """What is told of one recipient. Several tell of the parts of one text."""
    if not told:
        return spi.Unknown("missing", "the answer does not name the recipient")
    statuses = {each.said("status") for each in told}
    verdicts = {settings.message_statuses.get(each, "unknown") for each in statuses}
    code = word(told[0].said("status"))
    if len(verdicts) > 1:
        return spi.Unknown(code, "the answer says several things of the recipient")
    (verdict,) = verdicts
    if verdict == "accepted":
        ids = tuple(each.said("id") for each in told)
        return spi.Accepted(ids) if all(map(_is_id, ids)) else spi.Unknown("unreadable")
    if verdict in REFUSED:
        return spi.Rejected(REFUSED[verdict], code)
    if verdict == "not_accepted":
        return spi.NotAccepted(code=code, about_message=True)
    return spi.Unknown(code, "message_statuses does not list the status")


def word(said: str) -> str:
    """A word of Ogangi's, where it is one."""
    return said if _WORD.fullmatch(said) else "unlisted"


def _is_id(identity: str) -> bool:
    """Ids are whole numbers below and above zero; they are kept as they are written."""
    return 0 < len(identity) <= ID_CHARACTERS_MAX and identity.isprintable()


def plain(number: str) -> str:
    """A number without its +."""
    return number.removeprefix("+")
