"""A school writes to its pupils' guardians: 500 pupils, two guardians each, each reached in their own way.

A real broker with the sandbox; all of it over the wire.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty

from waypost.v1 import channel_pb2, content_pb2, directory_pb2, recipient_pb2, send_pb2, subscribe_pb2
from waypost.v1.broker_service_pb2_grpc import BrokerServiceStub
from waypost.v1.directory_service_pb2 import (
    CreateContactRequest,
    ListContactsRequest,
)
from waypost.v1.directory_service_pb2_grpc import DirectoryServiceStub
from waypost.v1.message_pb2 import MessageFilter
from waypost.v1.message_service_pb2 import GetMessageRequest, ListMessagesRequest
from waypost.v1.message_service_pb2_grpc import MessageServiceStub
from waypost.v1.recipient_pb2 import Delegation
from waypost.v1.status_pb2 import MESSAGE_STATUS_ACCEPTED, MESSAGE_STATUS_DELIVERED

PUPILS = 500
CALL_S_MAX = 20
FOLLOW_S_MAX = 30
IN_FLIGHT = 100
FIRST_NUMBER = 1_000
"""The sandbox plays special outcomes for the lowest ones."""
SMS, EMAIL = channel_pb2.CHANNEL_SMS, channel_pb2.CHANNEL_EMAIL
CONTENT = content_pb2.Content(
    sms=content_pb2.SmsContent(text="School is closed today"),
    email=content_pb2.EmailContent(subject="School is closed", text="School is closed today."),
)


class Way(NamedTuple):
    """How one guardian is to be reached."""

    contact_id: str
    channel: int
    address: str


class School:
    """The broker's side of it: who is in the directory, and what it is asked to do."""

    def __init__(self, broker: Any, channel: grpc.Channel) -> None:
        self.metadata = [("authorization", f"Bearer {broker.key}")]
        self.directory = DirectoryServiceStub(channel)
        self.broker = BrokerServiceStub(channel)
        self.messages = MessageServiceStub(channel)
        self.guardians = [_guardian(number) for number in range(2 * PUPILS)]
        pupils = [_pupil(number) for number in range(PUPILS)]
        ids = [each.contact_id for each in self._add(self.guardians)]
        self.ways = [_way(*each) for each in zip(ids, self.guardians, strict=True)]
        self.pupils = self._add(pupils)

    def priority_of(self, pupil: int) -> Way:
        """The way to a pupil's priority contact: of every other pupil the second guardian."""
        return self.ways[2 * pupil + pupil % 2]

    def all_of(self, pupil: int) -> list[Way]:
        """The ways to both guardians."""
        return self.ways[2 * pupil : 2 * pupil + 2]

    def requests(self, delegation: Delegation.ValueType, reference: str) -> list[send_pb2.SendRequest]:
        """One text to the people behind all pupils, in requests of 100 recipients."""
        return [
            send_pb2.SendRequest(
                recipients=[
                    recipient_pb2.Recipient(external_id=f"PL-{number}", delegation=delegation)
                    for number in numbers
                ],
                content=CONTENT,
                client_reference=reference,
            )
            for numbers in some_of(range(PUPILS), 100)
        ]

    def send(self, requests: Iterable[send_pb2.SendRequest]) -> list[send_pb2.SendResponse]:
        """By one Send each."""
        return [self.broker.Send(each, metadata=self.metadata, timeout=CALL_S_MAX) for each in requests]

    def stream(self, requests: list[send_pb2.SendRequest]) -> list[send_pb2.SendResponse]:
        """By one frame of SendStream."""
        frames = iter([send_pb2.SendStreamRequest(requests=requests)])
        (answer,) = self.broker.SendStream(frames, metadata=self.metadata, timeout=CALL_S_MAX)
        return [each.response for each in answer.responses]

    def delivered(self, reference: str, count: int) -> list[Way]:
        """Whom the first so many deliveries under a reference went to, and how."""
        request = subscribe_pb2.SubscribeRequest(
            filter=subscribe_pb2.EventFilter(client_references=[reference]), from_beginning=Empty()
        )
        stream = self.broker.Subscribe(request, metadata=self.metadata, timeout=FOLLOW_S_MAX)
        ways = []
        for frame in stream:
            ways += [
                Way(event.message.contact_id, event.message.channel, event.message.recipient)
                for event in frame.events
                if event.message.status == MESSAGE_STATUS_DELIVERED
            ]
            if len(ways) >= count:
                stream.cancel()
                return ways
        raise AssertionError(f"only {len(ways)} deliveries")

    def _add(self, contacts: list[directory_pb2.Contact]) -> list[directory_pb2.Contact]:
        """Add contacts, many at once."""
        added = []
        for some in some_of(contacts, IN_FLIGHT):
            calls = [
                self.directory.CreateContact.future(
                    CreateContactRequest(contact=each), metadata=self.metadata, timeout=CALL_S_MAX
                )
                for each in some
            ]
            added += [call.result().contact for call in calls]
        return added


def some_of(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """The items in lists of a size."""
    listed = list(items)
    return (listed[start : start + size] for start in range(0, len(listed), size))


def _guardian(number: int) -> directory_pb2.Contact:
    """Every third prefers SMS, every third email, every third says nothing; some lack what they prefer."""
    wish = [[SMS, EMAIL], [EMAIL], []][number % 3]
    return directory_pb2.Contact(
        external_ids=[f"PC-{number}"],
        first_name=f"Guardian {number}",
        phone_numbers=[] if number % 30 == 3 else [f"+447911{FIRST_NUMBER + number:06}", "+447911999999"],
        emails=[] if number % 30 == 4 else [f"guardian.{number}@example.org", "second@example.org"],
        channels=wish,
    )


def _pupil(number: int) -> directory_pb2.Contact:
    """With two guardians, one of them the priority contact, and no address of its own."""
    return directory_pb2.Contact(
        external_ids=[f"PL-{number}"],
        first_name=f"Pupil {number}",
        delegates=[
            directory_pb2.Delegate(
                external_id=f"PC-{2 * number + each}", relation="guardian", priority=number % 2 == each
            )
            for each in (0, 1)
        ],
    )


def _way(contact_id: str, guardian: directory_pb2.Contact) -> Way:
    """The first preferred channel that there is an address for, at the primary address; SMS goes first else."""
    primary = {SMS: guardian.phone_numbers[:1], EMAIL: guardian.emails[:1]}
    channel = next(each for each in (*guardian.channels, SMS, EMAIL) if primary[each])
    return Way(contact_id, channel, primary[channel][0])


@pytest.fixture(scope="module")
def school(module_broker: Any) -> Iterator[School]:
    """The school in a directory of its own."""
    with grpc.insecure_channel(module_broker.address) as channel:
        yield School(module_broker, channel)


Sending = Callable[[School, list[send_pb2.SendRequest]], list[send_pb2.SendResponse]]


@pytest.mark.parametrize("sending", [School.send, School.stream], ids=["Send", "SendStream"])
def test_the_priority_contact_of_each_pupil_is_reached(school: School, sending: Sending) -> None:
    """Exactly 500 guardians, each in their own channel and at the right address."""
    reference = f"priority-{sending.__name__}"
    responses = sending(school, school.requests(Delegation.DELEGATION_PRIORITY_CONTACT, reference))
    results = [result for response in responses for result in response.results]
    expected = [school.priority_of(number) for number in range(PUPILS)]
    assert {MESSAGE_STATUS_ACCEPTED} == {each.status for each in results}
    assert expected == [Way(each.contact_id, each.channel, each.recipient) for each in results]
    assert [number % 100 for number in range(PUPILS)] == [each.recipient_index for each in results]
    assert sorted(expected) == sorted(school.delivered(reference, PUPILS))
    assert 500 == len(set(expected))


@pytest.mark.parametrize("sending", [School.send, School.stream], ids=["Send", "SendStream"])
def test_all_contacts_of_each_pupil_are_reached(school: School, sending: Sending) -> None:
    """Exactly 1,000 guardians, two results for each recipient, each with a message of its own."""
    reference = f"all-{sending.__name__}"
    responses = sending(school, school.requests(Delegation.DELEGATION_ALL_CONTACTS, reference))
    results = [result for response in responses for result in response.results]
    expected = [way for number in range(PUPILS) for way in school.all_of(number)]
    assert expected == [Way(each.contact_id, each.channel, each.recipient) for each in results]
    assert [number // 2 % 100 for number in range(2 * PUPILS)] == [each.recipient_index for each in results]
    assert 1_000 == len({each.message_id for each in results}) == len(set(expected))
    assert sorted(expected) == sorted(school.delivered(reference, 2 * PUPILS))
    assert {SMS, EMAIL} == {each.channel for each in results}


def test_the_history_of_a_guardian_can_be_asked_for(school: School) -> None:
    """By the contact; a single message says whom it is for."""
    (response, *_) = school.send(school.requests(Delegation.DELEGATION_ALL_CONTACTS, "history")[:1])
    result = response.results[1]
    request = ListMessagesRequest(filter=MessageFilter(contact_id=result.contact_id))
    listed = school.messages.ListMessages(request, metadata=school.metadata, timeout=CALL_S_MAX).messages
    assert result.message_id == listed[0].message_id
    assert {result.contact_id} == {each.contact_id for each in listed}
    found = school.messages.GetMessage(
        GetMessageRequest(message_id=result.message_id), metadata=school.metadata, timeout=CALL_S_MAX
    )
    assert (result.contact_id, result.recipient) == (found.message.contact_id, found.message.recipient)


def test_a_pupil_has_no_address_of_its_own(school: School) -> None:
    """Sent to directly it is refused, and the refusal is the pupil's."""
    (response, *_) = school.send(school.requests(Delegation.DELEGATION_DIRECT, "direct")[:1])
    (first, *_) = response.results
    assert (school.pupils[0].contact_id, "the recipient has no address for any channel of the content") == (
        first.contact_id,
        first.detail,
    )


def test_the_school_is_complete(school: School) -> None:
    """Everybody is in the directory once, and found by name."""
    request = ListContactsRequest(filter=directory_pb2.ContactFilter(name_prefix="pupil"), page_size=1_000)
    page = school.directory.ListContacts(request, metadata=school.metadata, timeout=CALL_S_MAX)
    assert (PUPILS, "") == (len(page.contacts), page.next_page_token)
