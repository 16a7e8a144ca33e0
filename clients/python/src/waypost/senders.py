"""Who an account's messages are from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from waypost.vocabulary import SenderCapability, SenderKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """A registered sender.

    value: a short code, a number in E.164, a name, a mailbox or an application id.
    country: of a number, or where a short code or a name may be used, as "US".
    providers: the instances that may use it. Empty: all.
    pool: the pool that it belongs to. Empty: none.
    is_default: messages that name no sender are from the oldest default one that may be used for them.
    """

    sender_id: str
    account_id: str
    value: str
    kind: SenderKind
    country: str
    capabilities: frozenset[SenderCapability]
    providers: tuple[str, ...]
    pool: str
    tags: tuple[str, ...]
    is_default: bool
    create_time: datetime


class SenderFields(TypedDict, total=False):
    """What a new sender may be told besides its value; what is left out follows from that."""

    kind: SenderKind | None
    country: str
    capabilities: SenderCapability | Sequence[SenderCapability]
    providers: str | Sequence[str]
    pool: str
    tags: str | Sequence[str]
    is_default: bool


class SenderFilter(TypedDict, total=False):
    """Which senders to list: each field that is given must hold what a sender has, `capabilities` all of them."""

    kinds: SenderKind | Sequence[SenderKind]
    capabilities: SenderCapability | Sequence[SenderCapability]
    countries: str | Sequence[str]
    pools: str | Sequence[str]
    tags: str | Sequence[str]
    values: str | Sequence[str]
