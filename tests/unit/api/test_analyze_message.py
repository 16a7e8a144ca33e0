"""MessageService on the wire: what a text would be."""

import pytest

from waypost.v1 import message_service_pb2

ANALYZE = "MessageService/AnalyzeMessage"


async def test_a_text_is_measured_and_split(api):
    """One character flips 161 others; each is named once."""
    text = "Ж" + "a" * 70 + "Ж"
    response = await api.call(
        ANALYZE,
        message_service_pb2.AnalyzeMessageRequest(text=text),
        message_service_pb2.AnalyzeMessageResponse,
    )
    assert (2, 2, 72, True, 0) == (
        response.units,
        response.encoding,
        response.length,
        response.within_maximum,
        response.credit_cost,
    )
    assert ([67, 5], text) == (
        [part.length for part in response.parts],
        "".join(part.text for part in response.parts),
    )
    assert [("Ж", 0)] == [(each.character, each.index) for each in response.forcing_characters]


async def test_a_text_is_measured_as_its_account_sends_it(api):
    """With short links, where the account's policy makes them."""
    response = await api.call(
        ANALYZE,
        message_service_pb2.AnalyzeMessageRequest(text="x" * 100 + " https://example.com/" + "a" * 100),
        message_service_pb2.AnalyzeMessageResponse,
    )
    short = "https://go.example.org/" + "0" * 11
    assert (1, 101 + len(short), "x" * 100 + f" {short}") == (
        response.units,
        response.length,
        response.parts[0].text,
    )


async def test_an_analysis_answers_every_question_at_once(api):
    """Length, parts, the maximum, and what makes it dearer; no cost without price rules."""
    text = "\u201cHi\u201d " + "x" * 96 + "✓\u201c"
    response = await api.call(
        ANALYZE,
        message_service_pb2.AnalyzeMessageRequest(text=text),
        message_service_pb2.AnalyzeMessageResponse,
    )
    assert (103, 103, 10, 2, False) == (
        response.characters,
        response.length,
        response.units_max,
        response.units,
        response.HasField("replaced_text"),
    )
    assert not response.credit_cost
    assert [
        ("\u201c", [0, 102], 2, '"', 0),
        ("\u201d", [3], 1, '"', 0),
        ("✓", [101], 1, None, 0),
    ] == [
        (
            each.character,
            list(each.indexes),
            each.count,
            each.replacement if each.HasField("replacement") else None,
            each.units_saved,
        )
        for each in response.forcing_characters
    ]


async def test_an_analysis_tells_what_a_text_would_be_without_its_typography(api):
    """And what that saves."""
    response = await api.call(
        ANALYZE,
        message_service_pb2.AnalyzeMessageRequest(text="x" * 159 + "\u2019"),
        message_service_pb2.AnalyzeMessageResponse,
    )
    assert (3, "x" * 159 + "'", 1, 1) == (
        response.units,
        response.replaced_text,
        response.replaced_units,
        response.replaced_encoding,
    )
    assert 2 == response.forcing_characters[0].units_saved


async def test_an_analysis_fills_in_values_and_names_the_missing(api):
    """Measured as it would be sent, as far as that is known."""
    response = await api.call(
        ANALYZE,
        message_service_pb2.AnalyzeMessageRequest(
            text="$$5 for $name$ of $shop$ and $area$", tokens={"name": "Ж" * 70}
        ),
        message_service_pb2.AnalyzeMessageResponse,
    )
    assert ["area", "shop"] == response.missing_tokens
    assert "$5 for " + "Ж" * 70 + " of $shop$ and $area$" == "".join(part.text for part in response.parts)


@pytest.mark.parametrize(("characters", "within"), [(1_530, True), (1_531, False)])
async def test_a_text_of_more_than_10_units_is_over_the_maximum(api, characters, within):
    """Ten parts of 153 septets."""
    response = await api.call(
        ANALYZE,
        message_service_pb2.AnalyzeMessageRequest(text="a" * characters),
        message_service_pb2.AnalyzeMessageResponse,
    )
    assert within == response.within_maximum


@pytest.mark.parametrize(
    ("fields", "broken"),
    [
        ({"text": "a" * 10_000}, None),
        ({"text": "a" * 10_001}, "text"),
        ({"text": "a", "subject": "s" * 13}, None),
        ({"text": "a", "subject": "s" * 14}, "subject"),
        ({"text": "a", "recipient": "x" * 1_025}, "recipient"),
        ({"text": "a", "tokens": {"a b": ""}}, "tokens"),
        ({"text": "$a$" * 5, "tokens": {"a": "x" * 2_000}}, None),
        ({"text": "$a$" * 5 + "x", "tokens": {"a": "x" * 2_000}}, "text"),
    ],
)
async def test_an_analysis_has_the_limits_of_a_message(api, fields, broken):
    """Text and subject from both sides."""
    answer = await api.call(ANALYZE, message_service_pb2.AnalyzeMessageRequest(**fields), key="read-key")
    assert ({broken} if broken else set()) == (
        set() if isinstance(answer, bytes) else answer.violations.keys()
    )
