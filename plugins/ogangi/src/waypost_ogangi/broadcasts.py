"""What Ogangi's document says of broadcasts and of short codes, as pure functions: calls to make, answers to judge."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from broker import spi
from waypost_ogangi.mapping import TEXT_ONLY, digits, failure, plain, recipient, refused_by
from waypost_ogangi.reading import Element, read
from waypost_ogangi.settings import OgangiSettings
from waypost_ogangi.signing import Parameters

CREATE = "createBroadcastFromJson"
GET = "getBroadcast"
SHORTCODES = "getShortcodes"
CONTROLS: Mapping[str, tuple[str, str]] = {
    "suspend": ("GET", "suspendBroadcast"),
    "resume": ("GET", "resumeBroadcast"),
    "stop": ("GET", "stopBroadcast"),
    "delete": ("DELETE", "broadcast"),
}
"""The method and the name of each call."""

NEW = "-1"
DATE = "%d-%m-%Y %H:%M"
AT_ONCE = ""
"""Written as "null" into a path."""

NOT_TOLD = spi.Unknown("no_id", "Ogangi finds a broadcast by its own id alone")
COUNT_MAX = 2**53

Answer = tuple[int, Mapping[str, str], bytes]
"""Status, headers and body."""


def refusal(order: spi.BroadcastOrder, settings: OgangiSettings) -> spi.Rejected | None:
    """Why Ogangi cannot run a broadcast; None where it can."""
    if any(set(each.content) - TEXT_ONLY for each in order.recipients):
        return spi.Rejected(
            spi.Reason.CONTENT_UNSUPPORTED, "content", "Ogangi's broadcasts carry texts alone"
        )
    sender = order.sender or settings.shortcode
    if sender and digits(sender) != plain(sender):
        return spi.Rejected(
            spi.Reason.INVALID_SENDER, "sender", "Ogangi's broadcasts are from a short or long code"
        )
    return None


def created(order: spi.BroadcastOrder, settings: OgangiSettings) -> Parameters:
    """The parameters of the path. A short code that is not used is a zero, and ignored."""
    shortcode = plain(order.sender or settings.shortcode)
    return (
        ("instanceId", settings.instance_id),
        ("broadcastId", NEW),
        ("shortcode", shortcode or "0"),
        ("userName", settings.user_name),
        # As the document has it: "false" has the short code ignored.
        ("shortcodeIgnore", "true" if shortcode else "false"),
        ("campaignName", order.name),
        ("date", date_of(order.schedule_at_us, settings)),
    )


def date_of(at_us: int | None, settings: OgangiSettings) -> str:
    """When it starts, to the minute, and not before: what is left of a minute is rounded up."""
    if at_us is None:
        return AT_ONCE
    minutes = -(-at_us // 60_000_000)
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    return at.astimezone(settings.zone).strftime(DATE)


def recipients_json(order: spi.BroadcastOrder, settings: OgangiSettings) -> str:
    """What is posted as `to`."""
    return json.dumps(
        [
            {
                settings.broadcast_recipient_field: recipient(each.recipient, settings),
                settings.broadcast_text_field: each.content.get("text", ""),
            }
            for each in order.recipients
        ],
        ensure_ascii=False,
        separators=(",", ":"),
    )


def named(upstream_id: str, settings: OgangiSettings) -> Parameters:
    """The parameters of all other calls."""
    return (("instanceId", settings.instance_id), ("broadcastId", upstream_id))


def owned(settings: OgangiSettings) -> Parameters:
    """The parameters of the list of short codes."""
    return (("instanceId", settings.instance_id), ("userName", settings.user_name))


def taken(
    answer: Answer, settings: OgangiSettings, now_us: int
) -> spi.UpstreamBroadcast | spi.Rejected | spi.NotAccepted | spi.Unknown:
    """What the answer to a hand-over says."""
    found = _result(answer, settings, now_us)
    if not isinstance(found, Element):
        return found
    broadcast = told(found, settings)
    return broadcast if broadcast is not None and broadcast.upstream_id else spi.Unknown("unreadable")


def stands(answer: Answer, settings: OgangiSettings, now_us: int) -> spi.UpstreamBroadcast | spi.Unknown:
    """What the answer to a question says. One that is not OK says nothing: no word for "unknown id" is printed."""
    found = _result(answer, settings, now_us)
    if not isinstance(found, Element):
        return spi.Unknown(found.code)
    return told(found, settings) or spi.Unknown("unreadable")


def moved(
    answer: Answer, settings: OgangiSettings, now_us: int
) -> spi.BroadcastMoved | spi.Rejected | spi.NotAccepted | spi.Unknown:
    """What the answer to any other call says."""
    found = _result(answer, settings, now_us)
    return spi.BroadcastMoved() if isinstance(found, Element) else found


def told(answer: Element, settings: OgangiSettings) -> spi.UpstreamBroadcast | None:
    """The broadcast that an answer tells of; None where it tells of none."""
    found = next(iter(answer.all("result", "broadcast")), None)
    if found is None:
        return None
    said = found.said("statusDescription") or found.said("status")
    state = settings.broadcast_statuses.get(said) or settings.broadcast_statuses.get(found.said("status"))
    return spi.UpstreamBroadcast(
        upstream_id=_whole(found.said("id")),
        state=spi.BroadcastState[(state or "unknown").upper()],
        expected=_count(found.said("expectedMessages")),
        sent=_count(found.said("sentMessages")),
        started_at_us=_time_us(found.said("startDate"), settings),
        ended_at_us=_time_us(found.said("endDate"), settings),
    )


def _result(
    answer: Answer, settings: OgangiSettings, now_us: int
) -> Element | spi.Rejected | spi.NotAccepted | spi.Unknown:
    """An answer that is OK, or what one that is not says."""
    status, headers, body = answer
    refused = refused_by(status, headers, now_us)
    if refused is not None:
        return refused
    found = read(body)
    if found is None or not found.said("status"):
        return spi.Unknown("unreadable")
    return found if found.said("status") == "OK" else failure(found, settings)


def _whole(written: str) -> str:
    """An id that is a whole number, below or above zero; empty for anything else."""
    number = written.removeprefix("-")
    return written if number.isascii() and number.isdigit() and len(number) <= 20 else ""


def _count(written: str) -> int | None:
    if not (written.isascii() and written.isdigit() and len(written) <= 16):
        return None
    count = int(written)
    return count if count <= COUNT_MAX else None


def _time_us(written: str, settings: OgangiSettings) -> int | None:
    """A time of an answer; None for one that cannot be read, as the one of the sample with a digit too many."""
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=settings.zone)
    since = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return since if since >= 0 else None


def shortcodes(answer: Answer, settings: OgangiSettings, now_us: int) -> list[str] | None:
    """The short and long codes that an answer lists; None where it lists none."""
    found = _result(answer, settings, now_us)
    if not isinstance(found, Element):
        return None
    return [said for each in found.all("result", "shortcodes", "shortcode") if (said := each.said("sc"))]
