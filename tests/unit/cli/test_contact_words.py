"""Contacts as they are written on the command line."""

import pytest

from broker.cli.contact_words import ContactWords, contact_of, ids_of
from broker.cli.failures import UsageError
from waypost.v1 import directory_pb2


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ("01KAB3XQ8G000", ("01KAB3XQ8G000", "")),
        ("01kab3xq8g000", ("01kab3xq8g000", "")),
        ("PL-1", ("", "PL-1")),
        ("external:01KAB3XQ8G000", ("", "01KAB3XQ8G000")),
        ("01KAB3XQ8G00U", ("", "01KAB3XQ8G00U")),
    ],
)
def test_a_contact_is_named_by_either_id(ref, expected) -> None:
    """What looks like the broker's id is one, unless it is said otherwise."""
    assert expected == ids_of(ref)


def test_words_become_a_contact() -> None:
    """Delegates with their relations, one of them with priority."""
    words = ContactWords(
        external_ids=["PL-1"],
        channels=["email", "in_app"],
        properties=["Form=7B", "Empty="],
        delegates=["PC-1=mother", "01KAB3XQ8G000"],
        priority="01KAB3XQ8G000",
    )
    expected = directory_pb2.Contact(
        external_ids=["PL-1"],
        channels=[3, 5],
        properties={"Form": "7B", "Empty": ""},
        delegates=[
            {"external_id": "PC-1", "relation": "mother"},
            {"contact_id": "01KAB3XQ8G000", "priority": True},
        ],
    )
    assert expected == contact_of(words)
    assert ["external_ids", "channels", "properties", "delegates"] == words.given


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (ContactWords(channels=["fax"]), "'fax' is no channel"),
        (ContactWords(properties=["Form"]), "has no value"),
        (ContactWords(delegates=["PC-1"], priority="PC-2"), "not among the delegates"),
    ],
)
def test_what_cannot_be_meant_is_refused(words, told) -> None:
    """Before anything is asked of the broker."""
    with pytest.raises(UsageError, match=told):
        contact_of(words)
