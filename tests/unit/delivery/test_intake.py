"""Intake over a real store: answers in order, and what was answered once is answered again."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from broker.delivery.identities import Identities
from broker.delivery.intake import Intake
from broker.delivery.policies import Policies
from broker.delivery.route_hook import RouteHook
from broker.delivery.routes import Routes
from broker.delivery.senders import Senders
from broker.delivery.templates import TemplateName, Templates
from broker.domain.directory import ContactRef, Named
from broker.domain.explaining import Verdict
from broker.domain.network import AddressPolicy, networks_of
from broker.domain.parameter import Parameter, ParameterType
from broker.domain.submission import Callback, Content, Recipient, Submission, TemplateRef, TemplateUsed
from broker.domain.template import Edition
from broker.domain.vocabulary import Channel, Delegation, Reason
from broker.errors import BrokerError, ErrorReason
from broker.storage.history import read_events, read_message
from broker.storage.people import Reach, read_reach
from broker.storage.store import Store
from broker.storage.transaction import Transaction
from broker.testing.builders import ManualClock, phones, sms, submission
from broker.testing.scripted_provider import ScriptedProvider, scripted_registry
from broker.testing.store_suite.directory_bench import DirectoryBench


@pytest.fixture
def templates(store: Store, clock: ManualClock) -> Templates:
    """Room for ten."""
    return Templates(store, Identities(store, clock, node=1, last=0), clock, templates_max=10)


@pytest.fixture
def senders(store: Store, clock: ManualClock) -> Senders:
    """They may be usable on the one provider or on another."""
    return Senders(store, Identities(store, clock, node=2, last=0), clock, providers={"acme", "other"})


@pytest.fixture
def build(
    store: Store, clock: ManualClock, provider: ScriptedProvider, templates: Templates, senders: Senders
) -> Any:
    """An intake with the given limits over one store, as after a restart."""
    identities = Identities(store, clock, node=0, last=0)
    routes = Routes(store, scripted_registry(acme=provider), clock, RouteHook((), clock))

    def intake(**limits: Any) -> Intake:
        given = {"units_max": 10, "request_id_memory_s": 86_400.0} | limits
        return Intake(store, identities, routes, templates, Policies(store, clock), senders, clock, **given)

    return intake


async def test_each_submission_gets_its_own_answer(build: Any) -> None:
    """One that is refused as a whole stops no other."""
    long = submission(content=sms("x" * 10_000))
    first, refused, last = await build().accept([submission(), long, submission()])
    assert isinstance(refused, BrokerError)
    assert ErrorReason.TOO_MANY_UNITS is refused.reason
    assert not isinstance(first, BrokerError)
    assert not isinstance(last, BrokerError)
    assert first[0].message_id < last[0].message_id


@pytest.mark.parametrize(
    ("tokens", "own", "reason", "violations"),
    [
        ({}, [{"a": "x"}, {}], "TOKEN_MISSING", {"recipients[1].tokens": "lacks a value for $a$"}),
        (
            {},
            [{"a": "x"}, {"a": "x" * 161}],
            "TOO_MANY_UNITS",
            {"recipients[1].tokens": "with them content.sms.text needs 2 units; at most 1 are allowed"},
        ),
        (
            {"a": "x" * 161},
            [None, None],
            "TOO_MANY_UNITS",
            {"content.sms.text": "needs 2 units; at most 1 are allowed"},
        ),
        (
            {},
            [{"a": "x"}, {"a": ""}],
            "INVALID_REQUEST",
            {"recipients[1].tokens": "with them content.sms.text must not be empty"},
        ),
        ({"a": ""}, [None, None], "INVALID_REQUEST", {"content.sms.text": "must not be empty"}),
    ],
)
async def test_values_that_do_not_do_refuse_the_whole_call(
    build: Any,
    store: Store,
    tokens: dict[str, str],
    own: list[dict[str, str] | None],
    reason: str,
    violations: dict[str, str],
) -> None:
    """Nothing of it is stored, and the recipient is named whose values it is."""
    said = Content({Channel.SMS: {"text": "$a$"}}, frozenset("a"))
    recipients = tuple(replace(each, tokens=given) for each, given in zip(phones(2), own, strict=True))
    asked = submission(content=said, tokens=tokens, recipients=recipients)
    (refused,) = await build(units_max=1).accept([asked])
    assert isinstance(refused, BrokerError)
    assert (reason, violations) == (
        refused.reason.name,
        {each.field: each.rule for each in refused.violations},
    )
    assert [] == await store.read(read_events, 1, 0, 10)


async def test_a_repeat_is_answered_though_it_would_be_refused_now(build: Any) -> None:
    """(I2): a limit that was lowered since does not undo what was accepted."""
    asked = submission(content=sms("x" * 400), request_id="r1")
    (first,) = await build().accept([asked])
    (again,) = await build(units_max=1).accept([asked])
    assert first == again


async def test_another_payload_is_refused_for_what_is_wrong_with_it(build: Any) -> None:
    """A request_id that was used makes no refused request an accepted one."""
    await build().accept([submission(request_id="r1")])
    (refused,) = await build(units_max=1).accept([submission(content=sms("x" * 400), request_id="r1")])
    assert isinstance(refused, BrokerError)
    assert ErrorReason.TOO_MANY_UNITS is refused.reason


def to(*external_ids: str, delegation: Delegation = Delegation.DIRECT, **changes: Any) -> Submission:
    """A submission to contacts."""
    recipients = tuple(
        Recipient(contact=Named(ContactRef(external_id=each), delegation)) for each in external_ids
    )
    return submission(recipients=recipients, names_contacts=True, **changes)


async def test_contacts_are_looked_up_once_for_all_that_name_any(
    build: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Among those that name none, and each answer stays with its submission."""
    people = DirectoryBench(store)
    mother = await people.add(phone_numbers=("+447700900001",))
    father = await people.add(phone_numbers=("+447700900002",))
    await people.add(mother.contact_id, father.contact_id, external_ids=("PL-1",))
    looks: list[int] = []

    def counted(tx: Transaction, submissions: Sequence[Submission]) -> list[Reach]:
        looks.append(len(submissions))
        return read_reach(tx, submissions)

    monkeypatch.setattr("broker.delivery.intake.read_reach", counted)
    both = to("PL-1", "PL-2", delegation=Delegation.ALL_CONTACTS)
    answers = await build().accept([submission(recipients=phones(2)), both, submission(), to("PL-1")])
    assert [
        [(0, None, "+447700900000"), (1, None, "+447700900001")],
        [(0, mother.contact_id, "+447700900001"), (0, father.contact_id, "+447700900002"), (1, None, "")],
        [(0, None, "+447700900000")],
    ] == [
        [(each.recipient_index, each.contact_id, each.recipient) for each in answer] for answer in answers[:3]
    ]
    assert [Reason.NO_ADDRESS] == [each.reason for each in answers[3]]
    ids = [each.message_id for answer in answers for each in answer]
    assert sorted(set(ids)) == ids
    await build().accept([submission()])
    assert [2] == looks


async def test_a_submission_to_too_many_people_is_refused_whole(
    build: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no other with it; a repeat of one that was accepted is answered as before."""
    people = DirectoryBench(store)
    guardians = [await people.add(phone_numbers=(f"+44770090000{number}",)) for number in range(3)]
    ids = [each.contact_id for each in guardians]
    await people.add(*ids, external_ids=("PL-1",))
    asked = to("PL-1", delegation=Delegation.ALL_CONTACTS, request_id="r1")
    (first,) = await build().accept([asked])
    monkeypatch.setattr("broker.storage.people.PEOPLE_OF_CALL_MAX", 2)
    again, refused, last = await build().accept([
        asked,
        to("PL-1", delegation=Delegation.ALL_CONTACTS),
        submission(),
    ])
    assert first == again
    assert isinstance(refused, BrokerError)
    assert ErrorReason.INVALID_REQUEST is refused.reason
    assert ["recipients"] == [each.field for each in refused.violations]
    assert refused.violations[0].rule.startswith("reach 3 people, and 2 are still allowed")
    assert 1 == len(last)


async def test_a_callback_leads_to_public_addresses_or_where_the_operator_allows(build: Any) -> None:
    """Refused at once with its field where the host is an address; a name is judged when it is called."""
    local = submission(callback=Callback("http://127.0.0.1:8080/cb"))
    named = submission(callback=Callback("http://intranet.example/"))
    refused, accepted = await build().accept([local, named])
    assert isinstance(refused, BrokerError)
    assert ["callback_url"] == [each.field for each in refused.violations]
    assert not isinstance(accepted, BrokerError)
    allowed = build(network=AddressPolicy(networks_of(("127.0.0.0/8",))))
    (accepted,) = await allowed.accept([local])
    assert not isinstance(accepted, BrokerError)


async def test_an_explanation_is_what_would_have_been_answered(build: Any, store: Store) -> None:
    """By the same plan: what is refused, what is warned of, the parts; and nothing is stored."""
    asked = submission(
        recipients=(*phones(1), Recipient(phone_number="12"), Recipient(email="a@b.c")),
        content=sms("é" * 80 + "✓" * 20),
        client_reference="order",
    )
    intake = build()
    explanations = await intake.explain(asked)
    (results,) = await intake.accept([replace(asked, validate_only=True)])
    assert [replace(each.result, message_id=None, transmit_at_us=0) for each in explanations] == [
        replace(each, transmit_at_us=0) for each in results
    ]
    parts = ["é" * 67, "é" * 13 + "✓" * 20]
    assert [parts, parts, []] == [[part.text for part in each.parts] for each in explanations]
    assert [[("acme", Verdict.CHOSEN)], [], []] == [
        [(one.judgement.route.provider, one.judgement.verdict) for one in each.considered]
        for each in explanations
    ]
    assert [] == await store.read(read_events, asked.account_id, 0, 10)


async def test_an_explanation_has_the_parts_that_each_recipient_gets(build: Any) -> None:
    """Also of one who gets nothing."""
    said = Content({Channel.SMS: {"text": "Hi $a$"}}, frozenset("a"))
    people = (
        Recipient("+447700900123", tokens={"a": "Ada"}),
        Recipient("12", tokens={"a": "Bob"}),
        Recipient("+447700900124", tokens={"a": "Ж" * 70}),
    )
    explained = await build().explain(submission(content=said, recipients=people))
    expected = [["Hi Ada"], ["Hi Bob"], ["Hi " + "Ж" * 64, "Ж" * 6]]
    assert expected == [[part.text for part in each.parts] for each in explained]


async def test_contacts_are_explained_as_they_would_be_reached(build: Any, store: Store) -> None:
    """Each delegate has an explanation of its own, and so has who is missing."""
    people = DirectoryBench(store)
    mother = await people.add(phone_numbers=("+447700900001",))
    father = await people.add(emails=("father@example.org",))
    await people.add(mother.contact_id, father.contact_id, external_ids=("PL-1",))
    explanations = await build().explain(to("PL-1", "PL-2", delegation=Delegation.ALL_CONTACTS))
    assert [
        (0, mother.contact_id, None, 1),
        (0, father.contact_id, Reason.NO_ADDRESS, 0),
        (1, None, Reason.CONTACT_NOT_FOUND, 0),
    ] == [
        (each.result.recipient_index, each.result.contact_id, each.result.reason, len(each.considered))
        for each in explanations
    ]


def saying(text: str) -> Edition:
    """A version with a parameter."""
    parameters = (Parameter("name", required=True), Parameter("n", ParameterType.NUMBER, default="1"))
    return Edition("", "en", {"en": {Channel.SMS: {"text": text}}}, parameters)


def named(*tokens: dict[str, str], **changes: Any) -> Submission:
    """A submission of a template to recipients with these values."""
    recipients = tuple(Recipient(f"+44770090{n:04d}", tokens=own) for n, own in enumerate(tokens))
    ref = TemplateRef("p", "hi", **changes.pop("ref", {}))
    return submission(content=Content({}), recipients=recipients, template=ref, **changes)


HI = TemplateName(1, "p", "hi")


async def test_a_template_is_filled_in_for_each_recipient(
    build: Any, templates: Templates, store: Store
) -> None:
    """The message keeps what it says and the version, whatever becomes of the template."""
    await templates.create(HI, saying("Hi $name$: $n$"))
    await templates.update(HI, saying("Hello $name$: $n$"), 1)
    given = [named({"name": "Ada"}, {"name": "Bob", "n": "2"}), named({"name": "Eve"}, ref={"version": 1})]
    answers = await build().accept(given)
    await templates.delete(HI)
    told = []
    for answer in answers:
        assert not isinstance(answer, BrokerError)
        for result in answer:
            found = await store.read(read_message, 1, result.message_id or 0)
            assert found is not None
            told.append((found[0].content, found[0].labels.template))
    assert [
        ({"text": "Hello Ada: 1"}, TemplateUsed("p", "hi", 2, "en")),
        ({"text": "Hello Bob: 2"}, TemplateUsed("p", "hi", 2, "en")),
        ({"text": "Hi Eve: 1"}, TemplateUsed("p", "hi", 1, "en")),
    ] == told


async def test_a_template_that_cannot_be_used_refuses_its_own_request_only(
    build: Any, templates: Templates
) -> None:
    """Unknown, another account's, a version that was never made, wrong values."""
    await templates.create(HI, saying("Hi $name$: $n$"))
    answers = await build().accept([
        named({"name": "Ada"}, ref={"version": 2}),
        named({"name": "Ada"}, account_id=2),
        named({"name": "Ada"}, {}),
        named({"name": "Ada"}, {"name": "Bob", "n": "two"}),
        named({"name": "Ada"}, ref={"parameters": {"n": "two"}}),
        named({"name": "x" * 2_000}),
        named({"name": "Ada"}),
    ])
    assert not isinstance(answers.pop(), BrokerError)
    found = [
        (each.reason.name, {one.field: one.rule for one in each.violations})
        for each in answers
        if isinstance(each, BrokerError)
    ]
    missing = {"template": "the account has no such template, or not this version of it"}
    number = 'must be a number, as "-12.50"'
    units = "with them template.sms.text needs 14 units; at most 10 are allowed"
    assert [
        ("TEMPLATE_NOT_FOUND", missing),
        ("TEMPLATE_NOT_FOUND", missing),
        ("TOKEN_MISSING", {"recipients[1].tokens": "lacks a value for $name$"}),
        ("INVALID_REQUEST", {"recipients[1].tokens[n]": number}),
        ("INVALID_REQUEST", {"template.parameters[n]": number}),
        ("TOO_MANY_UNITS", {"recipients[0].tokens": units}),
    ] == found


async def test_a_repeat_is_answered_whatever_became_of_its_template(build: Any, templates: Templates) -> None:
    """Also when it says something else by now, or is gone; other values are another request."""
    await templates.create(HI, saying("Hi $name$"))
    asked = named({"name": "Ada"}, request_id="r1")
    (first,) = await build().accept([asked])
    await templates.update(HI, saying("$name$ $name$"), None)
    (second,) = await build().accept([asked])
    (other,) = await build().accept([named({"name": "Bob"}, request_id="r1")])
    await templates.delete(HI)
    (third,) = await build().accept([asked])
    assert first == second == third
    assert isinstance(other, BrokerError)
    assert ErrorReason.REQUEST_ID_REUSED is other.reason


async def test_a_template_that_was_made_anew_says_what_is_new(
    build: Any, templates: Templates, store: Store
) -> None:
    """What is remembered of a version is that of the one template."""
    said = []
    for text in ("old $name$", "new $name$"):
        await templates.create(HI, saying(text))
        (answer,) = await build().accept([named({"name": "Ada"})])
        assert not isinstance(answer, BrokerError)
        found = await store.read(read_message, 1, answer[0].message_id or 0)
        assert found is not None
        said.append(found[0].content)
        await templates.delete(HI)
    assert [{"text": "old Ada"}, {"text": "new Ada"}] == said


async def test_a_version_is_read_once(
    build: Any, templates: Templates, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Since it never changes; its name is looked up every time."""
    await templates.create(HI, saying("Hi $name$"))
    read: list[str] = []
    looked = store.read

    async def noted(body: Any, /, *arguments: Any, **keywords: Any) -> Any:
        if "template" in body.__name__ or "edition" in body.__name__:
            read.append(body.__name__)
        return await looked(body, *arguments, **keywords)

    monkeypatch.setattr(store, "read", noted)
    for _ in range(3):
        await build().accept([named({"name": "Ada"}), named({"name": "Bob"}), submission()])
    assert ["read_template_versions", "read_edition", *["read_template_versions"] * 2] == read


async def test_a_template_is_explained_like_a_content(build: Any, templates: Templates) -> None:
    """And refused like one."""
    await templates.create(HI, saying("Hi $name$"))
    explained = await build().explain(named({"name": "Ada"}, {"name": "Bob"}))
    assert [["Hi Ada"], ["Hi Bob"]] == [[part.text for part in each.parts] for each in explained]
    with pytest.raises(BrokerError) as refusal:
        await build().explain(named({"name": "Ada"}, ref={"version": 9}))
    assert ErrorReason.TEMPLATE_NOT_FOUND is refusal.value.reason


async def test_what_is_refused_whole_is_not_explained(build: Any) -> None:
    """It is raised as it would be."""
    with pytest.raises(BrokerError) as refusal:
        await build(units_max=1).explain(submission(content=sms("x" * 400)))
    assert ErrorReason.TOO_MANY_UNITS is refusal.value.reason
    with pytest.raises(BrokerError) as refusal:
        await build().explain(submission(provider="nobody"))
    assert ["provider"] == [each.field for each in refusal.value.violations]
