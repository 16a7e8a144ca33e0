"""Accounts do not see each other (I8), and roles do what they may: for every RPC that the protos have.

`isolation_cases` has each RPC with the least role that may call it and requests that name things of another account. A partner
key asks for those things, and for things that nobody has: nothing in the two answers may differ. As a control an
administrator asks the same within that account, and there the answers do differ. An RPC without a case, and a field
with somebody's id that no case sets, fail.

To add an RPC: give it a case, and make what it names in `things`, with a name for what is not there in `nobodys`.
"""

import json
import pkgutil
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from itertools import count
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

import waypost.v1
from tests.acceptance.isolation_cases import CASES, SMS, WHO

METHODS: dict[str, MethodDescriptor] = {
    f"{service.name}/{method.name}": method
    for module in pkgutil.iter_modules(waypost.v1.__path__)
    if module.name.endswith("_service_pb2")
    for service in import_module(f"waypost.v1.{module.name}").DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
ROLES = ("READ", "SEND", "PARTNER", "ADMIN")
CALL_S_MAX = 20
NOBODY = "0000000000000"
ID = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{13}\b")

NO_ONES_ELSE = frozenset({"request_id", "account_id"})
"""Ids that are the caller's own words, or are tried with every RPC."""

GIVEN_BY_CALLER = frozenset({
    ("DirectoryService/CreateContact", "contact.contact_id"),
    ("DirectoryService/CreateContact", "contact.external_ids"),
    ("DirectoryService/UpdateContact", "contact.external_ids"),
    ("DirectoryService/CreateGroup", "group.group_id"),
    ("SenderService/CreateSender", "sender.sender_id"),
})
"""Fields with an id that the call gives to a new thing."""


@dataclass
class Wire:
    """A connection to the broker, and what came of a call: the answer or the refusal, made comparable."""

    channel: grpc.Channel
    admin: str
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def ask(self, path: str, request: dict[str, Any], key: str) -> dict[str, Any]:
        """The answer as a dictionary; "code" is in that of a refusal."""
        method = METHODS[path]
        message = ParseDict(request, GetMessageClass(method.input_type)())
        call = self._call(path, method)
        metadata = (("authorization", f"Bearer {key}"),)
        given = iter([message]) if method.client_streaming else message
        try:
            answer = call(given, metadata=metadata, timeout=CALL_S_MAX)
            if method.server_streaming:
                first = next(answer)
                answer.cancel()
                answer = first
        except grpc.RpcError as error:
            trailers = {name: value for name, value in error.trailing_metadata() or () if "details" in name}
            details = trailers.get("grpc-status-details-bin", b"")
            return {"code": error.code(), "message": error.details(), "details": details}
        return MessageToDict(answer)

    def admins(self, path: str, **request: Any) -> dict[str, Any]:
        """What an administrator's call answers, which has to succeed."""
        answer = self.ask(path, request, self.admin)
        assert "code" not in answer, answer
        return answer

    def builds(self, path: str) -> bool:
        """Whether this version offers an RPC."""
        return (
            path in METHODS
            and self.ask(path, {}, self.admin).get("code") is not grpc.StatusCode.UNIMPLEMENTED
        )

    def _call(self, path: str, method: MethodDescriptor) -> Any:
        sides = (
            "stream" if method.client_streaming else "unary",
            "stream" if method.server_streaming else "unary",
        )
        return getattr(self.channel, "_".join(sides))(
            f"/waypost.v1.{path}", _bytes_of, GetMessageClass(method.output_type).FromString
        )


def _bytes_of(message: Message) -> bytes:
    return message.SerializeToString()


@pytest.fixture(scope="module")
def wire(module_broker: Any) -> Iterator[Wire]:
    """A connection with the admin key."""
    with grpc.insecure_channel(module_broker.address) as channel:
        yield Wire(channel, module_broker.key)


def new_account(wire: Wire) -> dict[str, Any]:
    """An account at the top of a tree, with an email of its own."""
    account = {**WHO, "email": f"{next(wire.numbers)}@example.org"}
    answer = wire.admins("AccountService/CreateAccount", account=account)
    return dict(answer["account"])


@pytest.fixture(scope="module")
def keys(wire: Wire) -> dict[str, str]:
    """A key of each role, all but the admin's of one account."""
    own = new_account(wire)["accountId"]
    made = {
        role: wire.admins("AccountService/CreateApiKey", account_id=own, role=f"ROLE_{role}")["secret"]
        for role in ROLES[:-1]
    }
    return {**made, "ADMIN": wire.admin}


@pytest.fixture
def stranger(wire: Wire) -> str:
    """A partner's key of an account that has nothing yet."""
    own = new_account(wire)["accountId"]
    secret: str = wire.admins("AccountService/CreateApiKey", account_id=own, role="ROLE_PARTNER")["secret"]
    return secret


@pytest.fixture
def nobodys(wire: Wire) -> dict[str, str]:
    """What stands for each placeholder where there is no such thing; not what a test before may have made."""
    number = next(wire.numbers)
    ids = dict.fromkeys(
        ("account", "message", "contact", "group", "webhook", "key", "broadcast"), f"{number:013}"
    )
    return {
        **ids,
        "email": f"nobody{number}@example.org",
        "external": f"NO-{number}",
        "template": f"no{number}",
    }


@pytest.fixture(scope="module")
def theirs(wire: Wire) -> dict[str, str]:
    """Another account's, which nobody can change who does not see them."""
    return things(wire)


def things(wire: Wire) -> dict[str, str]:
    """An account with one of everything, by the names of the placeholders."""
    account = new_account(wire)
    own = {"account_id": account["accountId"]}
    external = f"PL-{next(wire.numbers)}"
    contact = wire.admins(
        "DirectoryService/CreateContact",
        **own,
        contact={"external_ids": [external], "phone_numbers": ["+447700900123"]},
    )["contact"]["contactId"]
    group = wire.admins("DirectoryService/CreateGroup", **own, group={"name": "g"})["group"]["groupId"]
    wire.admins("DirectoryService/AddGroupMembers", **own, group_id=group, contact_ids=[contact])
    template = f"t{next(wire.numbers)}"
    wire.admins("TemplateService/CreateTemplate", **own, template={"name": template, "locales": {"en": SMS}})
    later = {"validity": "60s", "recipients": [{"contact_id": contact}], "content": SMS}
    sent = wire.admins("BrokerService/Send", **own, **later)
    audience = {"recipients": [{"phone_number": "+447400000001"}]}
    draft = {"name": "b", "content": SMS, "draft": True, "audience": audience}
    broadcast = NOBODY
    if wire.builds("BroadcastService/GetBroadcast"):
        broadcast = wire.admins("BrokerService/Broadcast", **own, **draft)["broadcast"]["broadcastId"]
    hook = wire.admins("AccountService/CreateWebhook", **own, url="https://shop.example/hook")
    key = wire.admins("AccountService/CreateApiKey", **own, role="ROLE_READ")
    return {
        "account": account["accountId"],
        "email": account["email"],
        "broadcast": broadcast,
        "message": sent["results"][0]["messageId"],
        "contact": contact,
        "external": external,
        "group": group,
        "template": template,
        "webhook": hook["webhook"]["webhookId"],
        "key": key["apiKey"]["keyId"],
    }


def filled(request: Any, names: Mapping[str, str]) -> dict[str, Any]:
    """A request with the placeholders filled in."""
    text = json.dumps(request)
    for name, value in names.items():
        text = text.replace(f'"{{{name}}}"', json.dumps(value))
    found: dict[str, Any] = json.loads(text)
    return found


def with_account(path: str, request: dict[str, Any], account_id: str) -> dict[str, Any] | None:
    """The same request within an account; None where the RPC has no account."""
    fields = METHODS[path].input_type.fields_by_name
    if "account_id" in fields:
        return {**request, "account_id": account_id}
    if path == "BrokerService/Explain":
        return {"request": {**request.get("request", {}), "account_id": account_id}}
    if path == "BroadcastService/UpdateBroadcast":
        return {**request, "request": {**request.get("request", {}), "account_id": account_id}}
    if path == "BrokerService/SendStream":
        return {"requests": [{**each, "account_id": account_id} for each in request.get("requests", [{}])]}
    return None


def shown(answer: Mapping[str, Any], *words: Mapping[str, str]) -> str:
    """An answer in which ids, the caller's own words, times and measured rates are all alike."""
    text = repr(sorted(answer.items(), key=lambda item: item[0]))
    for names in words:
        for word in names.values():
            text = text.replace(word, "<word>")
    text = ID.sub("<word>", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>", text)
    text = re.sub(r"\d+\.\d{3,}", "<measured>", text)
    return re.sub(r"'cursor': '[^']*'", "<cursor>", text)


def id_fields(descriptor: Descriptor, path: str = "", above: frozenset[str] = frozenset()) -> Iterator[str]:
    """The paths of fields that hold somebody's id."""
    for each in descriptor.fields:
        place, inner = path + each.name, each.message_type
        if inner is not None and inner.full_name.startswith("waypost.") and inner.full_name not in above:
            yield from id_fields(inner, f"{place}.", above | {inner.full_name})
        elif each.name.endswith(("_id", "_ids")) and each.name not in NO_ONES_ELSE:
            yield place


def set_fields(given: Any, path: str = "") -> Iterator[str]:
    """The paths of all that a request sets."""
    if isinstance(given, dict):
        for name, value in given.items():
            yield f"{path}{name}"
            yield from set_fields(value, f"{path}{name}.")
    elif isinstance(given, list):
        for value in given:
            yield from set_fields(value, path)


BUILT = sorted(CASES.keys() & METHODS.keys())


def test_every_rpc_has_a_case(wire: Wire) -> None:
    """Those that this version does not offer get theirs when it does."""
    assert set() == {path for path in METHODS.keys() - CASES.keys() if wire.builds(path)}


@pytest.mark.parametrize("path", BUILT)
def test_every_field_with_an_id_is_tried(path: str) -> None:
    """So that a new one is not forgotten."""
    tried = {each for request in CASES[path].requests for each in set_fields(request)}
    given = {name for method, name in GIVEN_BY_CALLER if method == path}
    if CASES[path].least != "ADMIN":
        assert set() == set(id_fields(METHODS[path].input_type)) - tried - given


@pytest.mark.parametrize("path", BUILT)
def test_anothers_things_cannot_be_told_from_missing_ones(
    wire: Wire, stranger: str, theirs: Mapping[str, str], nobodys: Mapping[str, str], path: str
) -> None:
    """Not by a partner of another tree, who may do all that a tenant may."""
    if not wire.builds(path):
        pytest.skip("this version does not offer it")
    case = CASES[path]
    for request in case.requests:
        answers = [wire.ask(path, filled(request, names), stranger) for names in (theirs, nobodys)]
        assert shown(answers[0], theirs) == shown(answers[1], nobodys)


@pytest.mark.parametrize("path", BUILT)
def test_another_account_cannot_be_told_from_a_missing_one(
    wire: Wire, stranger: str, theirs: Mapping[str, str], nobodys: Mapping[str, str], path: str
) -> None:
    """Whatever the request is about."""
    if not wire.builds(path):
        pytest.skip("this version does not offer it")
    for request in CASES[path].requests:
        answers = [
            wire.ask(path, within, stranger)
            for names in (theirs, nobodys)
            if (within := with_account(path, filled(request, names), names["account"])) is not None
        ]
        if answers and CASES[path].least != "ADMIN":
            assert answers[0] == answers[1]
            assert b"ACCOUNT_NOT_FOUND" in answers[0].get("details", b"") or "ACCOUNT_NOT_FOUND" in str(
                answers[0]
            )


@pytest.mark.parametrize("path", [path for path in BUILT if CASES[path].shows])
def test_whose_they_are_can_tell_them(wire: Wire, nobodys: Mapping[str, str], path: str) -> None:
    """The control: the cases ask for what is there."""
    if not wire.builds(path):
        pytest.skip("this version does not offer it")
    theirs = things(wire)
    for request in CASES[path].requests[:1]:
        answers = []
        for names in (nobodys, theirs):
            asked = filled(request, names)
            account = names["account"] if "{account}" in str(request) else theirs["account"]
            answers.append(wire.ask(path, with_account(path, asked, account) or asked, wire.admin))
        assert shown(answers[0], nobodys) != shown(answers[1], theirs)


@pytest.mark.parametrize("path", BUILT)
def test_a_role_may_do_what_it_may(
    wire: Wire, keys: Mapping[str, str], nobodys: Mapping[str, str], path: str
) -> None:
    """Each role from the least one on, and none below it."""
    if not wire.builds(path):
        pytest.skip("this version does not offer it")
    refused = {
        role
        for role in ROLES
        if b"ROLE_INSUFFICIENT"
        in wire.ask(path, _harmless(path, nobodys["account"]), keys[role]).get("details", b"")
    }
    assert set(ROLES[: ROLES.index(CASES[path].least)]) == refused


def _harmless(path: str, account_id: str) -> dict[str, Any]:
    """A request that changes nothing, whoever makes it."""
    if path == "AccountService/UpdateAccount":
        return {"account": {"account_id": account_id}}
    return with_account(path, {}, account_id) or {}
