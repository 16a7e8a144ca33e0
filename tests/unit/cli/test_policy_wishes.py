"""The options of commands that say how policy is applied."""

import pytest

from broker.cli.policy_wishes import options_of
from waypost.v1 import send_pb2


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"cap_frequency": True}, send_pb2.SendOptions(cap_frequency=True)),
        ({"ignore_quiet_hours": True}, send_pb2.SendOptions(ignore_quiet_hours=True)),
        ({"track_links": False}, send_pb2.SendOptions(keep_links=True)),
        ({}, None),
    ],
    ids=["cap", "quiet hours", "links", "none"],
)
def test_an_option_of_a_command_is_one_of_the_request(given, expected):
    """And where none is given there are no options at all."""
    assert expected == options_of(**given)
