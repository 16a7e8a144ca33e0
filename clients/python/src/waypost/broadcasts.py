"""One content to many: broadcasts, and the files of recipients that they go to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypedDict

from waypost.content import Template
from waypost.sending import Campaign, Options, To
from waypost.vocabulary import BroadcastState, Channel, FileFormat, Guarantee, Reason, Traffic

_OVER = frozenset({
    BroadcastState.STOPPED,
    BroadcastState.COMPLETED,
    BroadcastState.DELETED,
    BroadcastState.UNKNOWN,
})


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast:
    """A broadcast and its progress.

    expected: recipients without duplicates; an estimate until the audience is gathered.
    accepted, refused: recipients whose message was accepted, or refused.
    sent: messages that a provider took. delivered: those of them that were delivered.
    failed: messages that ended otherwise.
    duplicates: recipients who were left out, because the same address is in the audience before.
    refusals: the refused by reason; empty in lists and events.
    messages_per_minute: 0: as fast as providers take them.
    detail: why it was suspended or stopped by itself. Empty: it was not.
    upstream_provider: the instance whose upstream runs it. Empty: the broker does.
    upstream_id: under which id the upstream has it; empty in lists and events.
    """

    broadcast_id: str
    account_id: str
    name: str
    state: BroadcastState
    expected: int
    accepted: int
    refused: int
    sent: int
    delivered: int
    failed: int
    duplicates: int
    messages_per_minute: int
    create_time: datetime
    schedule_time: datetime | None
    start_time: datetime | None
    end_time: datetime | None
    detail: str
    upstream_provider: str = ""
    upstream_id: str = ""
    refusals: Mapping[Reason, int] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether it goes on no more. Messages of one that was stopped may still be with providers."""
        return self.state in _OVER


class BroadcastFields(TypedDict, total=False):
    """What a broadcast may be told besides its content.

    to: recipients by name, at most 10,000. group_ids: groups of the directory. upload_id: a file. At least one.
    name: for people.
    messages_per_minute: the most of them; 0: as fast as providers take them.
    draft: keep it until `start`.
    upstream_provider: the instance whose upstream is to run it whole.

    All others are as in SendRequest; traffic is PROMOTIONAL when None.
    """

    to: To
    group_ids: str | Sequence[str]
    upload_id: str
    name: str
    messages_per_minute: int
    draft: bool
    upstream_provider: str
    template: Template | str | None
    sender: str
    sender_pool: str
    traffic: Traffic | None
    channels: Channel | Sequence[Channel]
    guarantee: Guarantee | None
    schedule_time: datetime | None
    validity: timedelta | None
    client_reference: str
    campaign: Campaign | None
    data: str
    tags: str | Sequence[str]
    callback_url: str
    provider: str
    options: Options | None
    tokens: Mapping[str, str]
    origin: str
    request_id: str
    account_id: str


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line of a file that became no recipient: its number, from 1 with the header counted, and what is wrong."""

    line: int
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What a file of recipients came to.

    usable: whether it can be sent to.
    recipients: how many; duplicates are among them.
    refused: how many lines became none, and `refused_lines` the first 100 of them.
    columns: what each has, or the placeholder that it fills.
    encoding, delimiter: "" where the format has none.
    """

    upload_id: str
    usable: bool
    recipients: int
    refused: int
    refused_lines: tuple[RefusedLine, ...]
    format: FileFormat
    encoding: str
    delimiter: str
    columns: tuple[str, ...]
