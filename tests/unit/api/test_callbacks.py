"""What a callback says: the event under the names of the protos, in JSON or as parameters."""

import json
from dataclasses import replace

from google.protobuf.json_format import ParseDict

from broker.api.convert.callbacks import callback_body, callback_parameters, event_type
from broker.api.convert.events import event_message
from broker.domain.callback_url import PARAMETERS
from broker.domain.lifecycle import Fact
from broker.domain.records import NO_LABELS
from broker.domain.vocabulary import EventKind
from waypost.v1 import event_pb2

NOW_US = 1_790_000_000_000_000
INBOUND = {"text", "receive_time", "provider_message_id", "kind", "assigned_by", "keyword", "joined_group_id"}
"""What only an inbound message has."""


def test_the_body_is_the_event_as_the_protos_name_it(event):
    """So a receiver can read it back into one."""
    body = json.loads(callback_body(event))
    assert ("message.deferred", body["data"]["time"]) == (body["type"], body["timestamp"])
    assert event_message(event) == ParseDict(body["data"], event_pb2.Event())


def test_a_body_is_written_for_people_as_well(event):
    """Numbers are numbers, words are words, and times are RFC 3339."""
    data = json.loads(callback_body(event))["data"]
    assert 77 == data["sequence"]
    assert data["time"].endswith("Z")
    message = data["message"]
    assert ("CHANNEL_SMS", "MESSAGE_STATUS_PROCESSING") == (message["channel"], message["status"])
    assert {"id": "spring", "name": "Spring"} == message["campaign"]
    assert (["a", "b"], ["vip"], 3, 2) == (
        message["provider_message_ids"],
        message["tags"],
        message["units"],
        message["attempt"],
    )


def test_every_field_is_there_also_an_empty_one(event):
    """A receiver never has to ask whether a key exists."""
    bare = replace(
        event,
        change=replace(event.change, fact=Fact.DELIVERED, next_attempt_at_us=None, provider_message_ids=()),
        labels=NO_LABELS,
        client_reference="",
        data="",
    )
    names = {field.name for field in event_pb2.MessageEvent.DESCRIPTOR.fields}
    for each in (event, bare):
        assert names == json.loads(callback_body(each))["data"]["message"].keys()
    message = json.loads(callback_body(bare))["data"]["message"]
    assert (None, None, [], "") == (
        message["campaign"],
        message["next_attempt_time"],
        message["tags"],
        message["data"],
    )


def test_the_parameters_of_a_get_are_all_fields_as_text(event):
    """In the documented order; lists with commas, absent ones empty."""
    given = callback_parameters(event)
    assert [*PARAMETERS] == [*given]
    body = json.loads(callback_body(event))
    nested = {"campaign": ("id", "name"), "price": ("amount_micros", "currency")}
    fields = {"type", *body["data"].keys() - {"message"}, *body["data"]["message"].keys() - nested.keys()}
    assert {*PARAMETERS} == fields | {f"{name}_{part}" for name in nested for part in nested[name]} | INBOUND
    assert ("77", "a,b", "false", "spring", "Spring", "", "2") == tuple(
        given[name]
        for name in (
            "sequence",
            "provider_message_ids",
            "end",
            "campaign_id",
            "campaign_name",
            "price_currency",
            "attempt",
        )
    )


def test_the_type_is_kind_and_fact(event):
    """For every fact."""
    types = {event_type(replace(event, change=replace(event.change, fact=fact))) for fact in Fact}
    assert {f"message.{fact.name.lower()}" for fact in Fact} == types


def test_an_event_of_another_kind_is_told_likewise(event):
    """Its type says what happened; the parameters of a GET are its own fields."""
    told = {"url": "https://example.com/a", "clicked_at_us": NOW_US}
    click = replace(event, kind=EventKind.CLICK, change=None, told=told)
    body = json.loads(callback_body(click))
    assert ("click.followed", "https://example.com/a") == (body["type"], body["data"]["click"]["url"])
    parameters = callback_parameters(click)
    assert ("click.followed", "77", "") == (
        parameters["type"],
        parameters["sequence"],
        parameters["status"],
    )
