"""Providers as people see them."""

import io

from rich.console import Console, RenderableType

from broker.cli.provider_tables import instances_table, types_table
from waypost.v1 import channel_pb2, provider_pb2

ERROR = "Traceback (most recent call last):\n  File somewhere\nImportError: no module named acme\n"


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


def test_nothing_to_list_is_said() -> None:
    """An empty table would leave one wondering."""
    assert "nothing can be sent" in printed(instances_table([]))
    assert "no provider type" in printed(types_table([], verbose=False))
