"""The fake's broadcasts: made, changed, started by their time, held, resumed, ended and removed."""

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from broker.testing.upstream import Answer
from waypost_ogangi.fake.answers import Operation, completed, failed
from waypost_ogangi.settings import OgangiSettings

NEW = "-1"
NUMBERS = {"SCHEDULED": 0, "RUNNING": 1, "COMPLETED": 2, "SUSPENDED": 3, "STOPPED": 4}
"""By which getBroadcast tells a state; only 2 is printed in the document."""

MOVES = {
    "suspendBroadcast": ({"SCHEDULED", "RUNNING"}, "SUSPENDED"),
    "resumeBroadcast": ({"SUSPENDED"}, "RUNNING"),
    "stopBroadcast": ({"SCHEDULED", "RUNNING", "SUSPENDED"}, "STOPPED"),
}
ILLEGAL_MOVE = "Illegal move"
UNKNOWN_BROADCAST = "Unknown broadcast"
UNKNOWN_SHORTCODE = "Unknown short code"


@dataclass(slots=True)
class Campaign:
    """A broadcast of the fake's. `starts_at` is None for one that starts at once."""

    id: str
    name: str
    shortcode: str
    starts_at: datetime | None
    recipients: list[dict[str, str]]
    made_at: datetime
    state: str = "SCHEDULED"
    sent: int = 0
    ended_at: datetime | None = None


class Campaigns:
    """All of them by id. Each time that one is asked about, it sends at most `sent_per_look` more."""

    def __init__(
        self,
        settings: OgangiSettings,
        shortcodes: Sequence[str],
        *,
        now: Callable[[], datetime],
        sent_per_look: int,
    ) -> None:
        self.by_id: dict[str, Campaign] = {}
        self.sent_per_look = sent_per_look
        self._settings = settings
        self._shortcodes = shortcodes
        self._now = now
        self._numbers = itertools.count(1)

    def operations(self) -> dict[tuple[str, str], tuple[tuple[str, ...], str, Operation]]:
        """By method and name: the parameters of the path, what is posted, and what answers."""
        creating = (
            "instanceId",
            "broadcastId",
            "shortcode",
            "userName",
            "shortcodeIgnore",
            "campaignName",
            "date",
        )
        named = ("instanceId", "broadcastId")
        moves: dict[tuple[str, str], tuple[tuple[str, ...], str, Operation]] = {
            ("GET", operation): (named, "", self._move_of(operation)) for operation in MOVES
        }
        return {
            ("POST", "createBroadcastFromJson"): (creating, "to", self._create),
            ("GET", "getBroadcast"): (named, "", self._get),
            ("DELETE", "broadcast"): (named, "", self._delete),
            **moves,
        }

    def _create(self, given: dict[str, str], posted: dict[str, bytes]) -> Answer:
        made = self._made(given, posted)
        if isinstance(made, str):
            return failed("createBroadcastFromJson", made)
        self.by_id[made.id] = made
        return completed("createBroadcastFromJson", self._told(made, by_number=False))

    def _made(self, given: dict[str, str], posted: dict[str, bytes]) -> Campaign | str:
        """The broadcast that a call asks for, or what is wrong with it."""
        known = self.by_id.get(given["broadcastId"])
        problem = self._problem(given, known)
        starts_at, recipients = self._date(given["date"]), self._recipients(posted["to"])
        if problem or isinstance(starts_at, str) or not recipients:
            return problem or (starts_at if isinstance(starts_at, str) else "Invalid JSON recipients")
        used = given["shortcodeIgnore"] == "true"
        return Campaign(
            id=known.id if known is not None else str(next(self._numbers)),
            name="" if given["campaignName"] == "null" else given["campaignName"],
            shortcode=given["shortcode"] if used else self._shortcodes[0],
            starts_at=starts_at,
            recipients=recipients,
            made_at=self._now(),
        )

    def _problem(self, given: dict[str, str], known: Campaign | None) -> str:
        """What is wrong with the parameters of a call; empty for nothing."""
        rules = (
            (given["broadcastId"] == NEW or known is not None, UNKNOWN_BROADCAST),
            (known is None or known.state == "SCHEDULED", ILLEGAL_MOVE),
            (given["userName"] == self._settings.user_name, "Unknown user"),
            (given["shortcodeIgnore"] in {"true", "false"}, "shortcodeIgnore is no Boolean"),
            (given["shortcodeIgnore"] != "true" or given["shortcode"] in self._shortcodes, UNKNOWN_SHORTCODE),
        )
        return next((problem for kept, problem in rules if not kept), "")

    def _date(self, written: str) -> datetime | str | None:
        """When it starts, None for at once, or what is wrong with the date."""
        if written == "null":
            return None
        try:
            at = datetime.strptime(written, "%d-%m-%Y %H:%M").replace(tzinfo=self._settings.zone)
        except ValueError:
            return "Invalid date"
        return at if at > self._now() else "Date in the past"

    def _recipients(self, posted: bytes) -> list[dict[str, str]]:
        """The recipients, or none where they cannot be read."""
        try:
            found = json.loads(posted)
        except ValueError:
            return []
        fields = {self._settings.broadcast_recipient_field, self._settings.broadcast_text_field}
        fits = isinstance(found, list) and all(
            isinstance(each, dict) and set(each) == fields for each in found
        )
        return found if fits else []

    def _get(self, given: dict[str, str], _posted: dict[str, bytes]) -> Answer:
        found = self.by_id.get(given["broadcastId"])
        if found is None:
            return failed("getBroadcast", UNKNOWN_BROADCAST)
        self._go_on(found)
        return completed("getBroadcast", self._told(found, by_number=True))

    def _go_on(self, found: Campaign) -> None:
        """Start it when its time has come, and send some more."""
        now = self._now()
        if found.state == "SCHEDULED" and (found.starts_at is None or found.starts_at <= now):
            found.state = "RUNNING"
        if found.state == "RUNNING":
            found.sent = min(len(found.recipients), found.sent + self.sent_per_look)
            if found.sent == len(found.recipients):
                found.state, found.ended_at = "COMPLETED", now

    def _move_of(self, operation: str) -> Operation:
        allowed, state = MOVES[operation]

        def move(given: dict[str, str], _posted: dict[str, bytes]) -> Answer:
            found = self.by_id.get(given["broadcastId"])
            if found is None:
                return failed(operation, UNKNOWN_BROADCAST)
            if found.state not in allowed:
                return failed(operation, ILLEGAL_MOVE)
            found.state = state
            return completed(operation)

        return move

    def _delete(self, given: dict[str, str], _posted: dict[str, bytes]) -> Answer:
        if self.by_id.pop(given["broadcastId"], None) is None:
            return failed("deleteBroadcast", UNKNOWN_BROADCAST)
        return completed("deleteBroadcast")

    def _told(self, found: Campaign, *, by_number: bool) -> str:
        text = found.recipients[0][self._settings.broadcast_text_field]
        ended = f"<endDate>{_written(found.ended_at)}</endDate>" if found.ended_at else ""
        sent = f"<sentMessages>{found.sent}</sentMessages>" if by_number else ""
        status = (
            f"<status>{NUMBERS[found.state]}</status>"
            if by_number
            else f"<statusDescription>{found.state}</statusDescription>"
        )
        return (
            f"<broadcast> <id>{found.id}</id> <text>{escape(text)}</text>"
            f" <startDate>{_written(found.starts_at or found.made_at)}</startDate> {ended}"
            f" <expectedMessages>{len(found.recipients)}</expectedMessages> {sent} {status}"
            f" <shortcode>{escape(found.shortcode)}</shortcode> </broadcast>"
        )


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
