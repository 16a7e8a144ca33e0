"""Accounts and keys as they stand."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from waypost.vocabulary import Channel, QuietAction, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """When promotional messages do not go out, by the recipient's own clock.

    start_minute, end_minute: of the day, 0 to 1,440; an end that is not after the start is on the next day.
    days: on which they begin, 1 (Monday) to 7. Empty: every day.
    time_zone: the IANA zone of recipients of whom none is known.
    """

    start_minute: int
    end_minute: int
    days: tuple[int, ...] = ()
    time_zone: str = "UTC"
    action: QuietAction = QuietAction.WAIT


@dataclass(frozen=True, slots=True, kw_only=True)
class FrequencyCap:
    """A contact of the directory gets at most `count` promotional messages (1 to 100) within any `window` (1 h to 30 days)."""

    count: int
    window: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPolicy:
    """What an account has decided about its own messages. A default changes nothing.

    default_region: the country whose national numbers are taken, as "GB".
    allowed_countries: those that phone numbers may be of. Empty: all.
    channels: which come first where nobody says which to use.
    passcode_ignores_opt_out: passcodes also go to those who opted out of the account's senders.
    inbound_waits: what the callback of a message that came in answers is sent back.
    help_answer, stop_answer, start_answer: what these words are answered.
    confirm_opt_ins: STOP and START are answered in the broker's own words where they have none.
    senders_registered_only: no other senders than registered ones.
    enforce_credit: messages are paid from the account's credit. Only an admin key may end it.
    low_balance_micros: a BalanceEvent tells when there is less. 0: none does.
    link_domains, track_links, web_parameters: how links are shortened.
    """

    default_region: str = ""
    allowed_countries: tuple[str, ...] = ()
    channels: tuple[Channel, ...] = ()
    passcode_ignores_opt_out: bool = False
    inbound_waits: bool = False
    help_answer: str = ""
    stop_answer: str = ""
    start_answer: str = ""
    confirm_opt_ins: bool = False
    senders_registered_only: bool = False
    quiet_hours: QuietHours | None = None
    frequency_cap: FrequencyCap | None = None
    enforce_credit: bool = False
    low_balance_micros: int = 0
    link_domains: tuple[str, ...] = ()
    track_links: bool = False
    web_parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who sends. An empty str means that there is none.

    parent_account_id: the account right above it.
    api_access: whether its own keys may call.
    sandbox_only: whether its messages reach nobody.
    """

    account_id: str
    parent_account_id: str
    name: str
    first_name: str
    last_name: str
    email: str
    contact_number: str
    company: str
    api_access: bool
    sandbox_only: bool
    policy: AccountPolicy
    create_time: datetime
    update_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key without its secret. calls_per_second: 0: no limit of its own."""

    key_id: str
    account_id: str
    role: Role
    description: str
    calls_per_second: int
    create_time: datetime
    expire_time: datetime | None
    revoke_time: datetime | None
