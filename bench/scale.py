"""How much a run measures."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Scale:
    """Counts and times of one run. `rounds` are measured after one short round that is thrown away."""

    rounds: int
    seconds: float
    callers: int
    frames_delivered: int
    calls_delivered: int
    backlog_to_one: int
    backlog_to_hundred: int
    messages_stored: int
    messages_listed: int
    frames_inserted: int
    rows_raw: int
    starts: int
    messages_failed_over: int
    recipients_uploaded: int
    recipients_expanded: int
    recipients_few: int
    recipients_many: int
    scenario_s_max: float


QUICK = Scale(
    rounds=1,
    seconds=0.7,
    callers=1,
    frames_delivered=80,
    calls_delivered=800,
    backlog_to_one=20_000,
    backlog_to_hundred=2_000,
    messages_stored=200_000,
    messages_listed=200_000,
    frames_inserted=100,
    rows_raw=8_000,
    starts=1,
    messages_failed_over=1_500,
    recipients_uploaded=40_000,
    recipients_expanded=10_000,
    recipients_few=2_000,
    recipients_many=10_000,
    scenario_s_max=240.0,
)
NORMAL = Scale(
    rounds=5,
    seconds=2.0,
    callers=1,
    frames_delivered=250,
    calls_delivered=3_000,
    backlog_to_one=100_000,
    backlog_to_hundred=10_000,
    messages_stored=4_000_000,
    messages_listed=1_000_000,
    frames_inserted=200,
    rows_raw=24_000,
    starts=5,
    messages_failed_over=10_000,
    recipients_uploaded=100_000,
    recipients_expanded=20_000,
    recipients_few=10_000,
    recipients_many=50_000,
    scenario_s_max=240.0,
)
FULL = replace(
    NORMAL,
    messages_stored=10_000_000,
    messages_listed=10_000_000,
    recipients_many=1_000_000,
    scenario_s_max=1_800.0,
)
