"""Providers as people see them."""

import io
import re

from rich.console import Console, RenderableType

from broker.cli.provider_tables import instances_table, types_table, upstream_table
from waypost.v1 import channel_pb2, provider_pb2, provider_service_pb2

ERROR = "Traceback (most recent call last):\n  File somewhere\nImportError: no module named acme\n"


def words_of(shown: str) -> list[list[str]]:
    """The words of each line, without their colours."""
    return [re.sub(r"\x1b\[[0-9]*m", "", line).split() for line in shown.splitlines()]


def printed(shown: RenderableType) -> str:
    """As a console prints it."""
    file = io.StringIO()
    Console(
        file=file, width=160, force_terminal=True, color_system="standard", highlight=False, _environ={}
    ).print(shown)
    return file.getvalue()


def test_an_instance_is_a_row() -> None:
    """Name, type, state, channels, receipts, idempotency, batch, in flight."""
    able = provider_pb2.ProviderCapabilities(
        channels=[channel_pb2.CHANNEL_SMS],
        batch_max=20,
        receipts=provider_pb2.RECEIPT_MODE_PUSH,
        idempotency=provider_pb2.IDEMPOTENCY_MODE_KEY,
    )
    instance = provider_pb2.Provider(
        name="main", type="acme", state=provider_pb2.PROVIDER_STATE_DRAINED, capabilities=able, in_flight=3
    )
    row = printed(instances_table([instance])).splitlines()[-1]
    row = row.replace("\x1b[33m", "").replace("\x1b[0m", "")
    assert ["main", "acme", "drained", "sms", "push", "key", "20", "3"] == row.split()


def test_trouble_is_a_column_where_there_is_some() -> None:
    """An open circuit with its next probe, a limit, and a hold; nothing of it where all is well."""
    fine = provider_pb2.Provider(name="fine")
    fine.health.circuit = provider_pb2.CIRCUIT_STATE_CLOSED
    slow = provider_pb2.Provider(name="slow")
    slow.health.circuit = provider_pb2.CIRCUIT_STATE_HALF_OPEN
    slow.throttle.segments_per_second_max = 12.5
    held = provider_pb2.Provider(name="held")
    held.health.circuit = provider_pb2.CIRCUIT_STATE_OPEN
    held.health.next_probe_time.seconds = 60
    held.throttle.held_until_time.seconds = 30
    assert "circuit" not in printed(instances_table([fine]))
    shown = printed(instances_table([fine, slow, held]))
    for expected in ("half open", "12.5/s", "open, probed at 1970-01-01", "held until 1970-01-01"):
        assert expected in shown


def test_what_an_instance_does_besides_messages_is_a_column_where_it_does_any() -> None:
    """In words; of keywords the addresses, where they are told, and of broadcasts how many recipients."""
    plain = provider_pb2.Provider(name="plain")
    able = provider_pb2.Provider(name="able")
    for each in ("opt_in", "balance", "usage", "senders", "keywords", "broadcast"):
        setattr(able.capabilities, each, True)
    able.capabilities.broadcast_recipients_max = 10_000
    assert "also" not in printed(instances_table([plain]))
    words = "opt-ins, balance, usage, senders, keywords, broadcasts of 10,000"
    assert words in " ".join(printed(instances_table([plain, able])).split())
    able.capabilities.keyword_addresses.extend(["80888", "80899"])
    assert "keywords at 80888 80899, " in " ".join(printed(instances_table([able])).split())


def test_a_callback_address_is_a_column_where_there_is_one() -> None:
    """Most instances have none, and only admins see it."""
    url = "https://sms.example.org/callbacks/main/secret"
    taking, other = provider_pb2.Provider(name="main", callback_url=url), provider_pb2.Provider(name="o")
    assert url in printed(instances_table([taking, other]))
    assert "callback" not in printed(instances_table([other]))


def test_a_broken_type_shows_where_its_traceback_ends_in_red() -> None:
    """All of it only when that was asked for."""
    broken = provider_pb2.ProviderType(name="acme", distribution="waypost-acme", version="1", error=ERROR)
    brief, whole = printed(types_table([broken], verbose=False)), printed(types_table([broken], verbose=True))
    assert "\x1b[31mImportError: no module named acme" in brief
    assert "Traceback" not in brief
    assert "Traceback" in whole


def upstream_shown(**fields: object) -> list[list[str]]:
    """What an upstream said, as the words of each line."""
    response = provider_service_pb2.GetUpstreamUsageResponse(**fields)  # type: ignore[arg-type]
    return words_of(printed(upstream_table(response)))


def test_what_an_upstream_told_is_shown() -> None:
    """Money has its currency, credits of its own have none; a count of all days has no day."""
    counts = [{"name": "sent", "count": 12_345, "day": "2026-03-01"}, {"name": "failed", "count": 1}]
    shown = upstream_shown(
        balance={"amount_micros": 12_500_000, "currency": "EUR"},
        counts=counts,
        tells_usage=True,
        senders=["80888", "80899"],
        tells_senders=True,
    )
    assert [["balance", "12.50", "EUR"], ["senders", "80888,", "80899"]] == shown[:2]
    assert [["2026-03-01", "sent", "12,345"], ["failed", "1"]] == shown[-2:]
    assert [["balance", "-3.00", "credits"]] == upstream_shown(balance={"amount_micros": -3_000_000})


def test_what_an_upstream_has_none_of_is_said_only_where_it_tells_it() -> None:
    """Nothing counted is not the same as not telling."""
    shown = upstream_shown(tells_usage=True, tells_senders=True)
    assert [["senders", "none"], ["counts", "nothing", "was", "counted"]] == shown


def test_nothing_to_list_is_said() -> None:
    """An empty table would leave one wondering."""
    assert "nothing can be sent" in printed(instances_table([]))
    assert "no provider type" in printed(types_table([], verbose=False))
