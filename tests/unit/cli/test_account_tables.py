"""Accounts and keys as people read them."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console, RenderableType

from broker.cli.account_tables import accounts_table, keys_table
from waypost.v1 import account_pb2, api_key_pb2

SOME_TIME = Timestamp(seconds=1_790_000_000)
KEYS = [
    api_key_pb2.ApiKey(
        key_id=f"6GZV1ZTT8000{number}",
        role=api_key_pb2.ROLE_URL_SENDING,
        create_time=SOME_TIME,
        expire_time=SOME_TIME,
        revoke_time=SOME_TIME,
        calls_per_second=10_000,
        description="of the web shop in the old town, next to the church",
    )
    for number in range(2)
]
ACCOUNTS = [
    account_pb2.Account(
        account_id="6GZV1ZTT80000",
        parent_account_id="6GZV1ZTT80001",
        name="Analytical Engines of Great Britain and Ireland",
        email="ada.lovelace@analytical.engines.example",
        sandbox_only=True,
    )
]


def shown(table: RenderableType, columns: int) -> str:
    """What a terminal of so many columns shows."""
    console = Console(width=columns, no_color=True)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


@pytest.mark.parametrize(
    ("table", "ids"),
    [
        (keys_table(KEYS), ["6GZV1ZTT80000", "6GZV1ZTT80001", "url_sending"]),
        (accounts_table(ACCOUNTS), ["6GZV1ZTT80000", "6GZV1ZTT80001"]),
    ],
    ids=["keys", "accounts"],
)
def test_ids_stay_whole_at_80_columns(table: RenderableType, ids: list[str]) -> None:
    """They are there to be copied; what is for people folds."""
    text = shown(table, 80)
    assert [] == [each for each in ids if each not in text]
    assert max(map(len, text.splitlines())) <= 80


def test_nothing_is_cut_off_on_a_narrow_terminal() -> None:
    """It folds, then, and every character is there."""
    text = "".join(shown(keys_table(KEYS[:1]), 40).split())
    assert all(character in text for character in "6GZV1ZTT80000")
