"""Opt-ins that Groupcall is told and asked, against the fake."""

from dataclasses import replace

import pytest

from broker.spi import NotAccepted, OptInAnswer, OptInFound, OptInQuery, Unknown
from broker.testing.upstream import Answer, Say
from waypost_groupcall import GROUPCALL
from waypost_groupcall.fake import FakeGroupcall
from waypost_groupcall.fake.messenger import CUSTOMER_ID, PASSWORD

SHORT_CODE = "110002233213"
ADA, BOB = "+18973434298", "+18973434299"
TAKEN = [OptInAnswer(accepted=True, code="opted_out"), OptInAnswer(accepted=True, code="opted_in")]


@pytest.fixture
def fake(upstream):
    """The fake behind the kit's upstream."""
    running = FakeGroupcall()

    def answer(request):
        reply = running.handle(request.method, request.path, request.body)
        return Answer.of_json(reply.document, reply.status)

    upstream.answer = answer
    return running


@pytest.fixture
def table(upstream, customer_table):
    """Settings that lead to it."""
    return customer_table(url=upstream.url, short_code=SHORT_CODE)


@pytest.mark.covers(
    *(
        "optIn.set",
        "optIn.CustomerId",
        "optIn.Password",
        "optIn.ShortCode",
        "optIn.RecipientNumber",
        "optIn.Keyword",
    ),
    *("optIn.SchoolName", "optIn.RecipientName"),
    "optIn.answer.IsOptedIn",
)
async def test_a_wish_is_told_as_the_document_prints_it(running_provider, upstream, fake, table, wish):
    """Numbers without a plus, the customer's id as a number, and the keyword for what is wanted."""
    change = wish(recipient=ADA, organisation_name="Hill School", recipient_name="Ada", keyword="ARRET")
    async with running_provider(GROUPCALL, table) as provider:
        assert TAKEN[:1] == list(await provider.set_opt_in(change))
    assert {(SHORT_CODE, "18973434298"): False} == fake.opt_ins
    expected = {
        "CustomerId": int(CUSTOMER_ID),
        "Password": PASSWORD,
        "ShortCode": SHORT_CODE,
        "RecipientNumber": "18973434298",
        "Keyword": "STOP",
        "SchoolName": "Hill School",
        "RecipientName": "Ada",
    }
    assert [expected] == [each.json for each in upstream.requests]


@pytest.mark.covers("optIn.set", "optIn.collection")
@pytest.mark.parametrize("collect", [False, True], ids=["each", "collection"])
async def test_wishes_of_a_recipient_keep_their_order(running_provider, upstream, fake, table, wish, collect):
    """The last one counts; in a collection, those of several recipients go together."""
    changes = [wish(recipient=ADA), wish(recipient=BOB), wish(recipient=ADA, opted_in=True)]
    async with running_provider(GROUPCALL, table | {"collect_opt_ins": collect}) as provider:
        assert [TAKEN[0], TAKEN[0], TAKEN[1]] == list(await provider.set_opt_in(*changes))
    assert {(SHORT_CODE, ADA[1:]): True, (SHORT_CODE, BOB[1:]): False} == fake.opt_ins
    assert (2 if collect else 3) == len(upstream.requests)


@pytest.mark.parametrize("collect", [False, True], ids=["each", "collection"])
async def test_a_wish_does_not_overtake_one_that_failed(
    running_provider, upstream, fake, table, wish, collect
):
    """It is told again after it; other recipients' are told."""
    changes = [wish(recipient=ADA), wish(recipient=ADA, opted_in=True)]
    upstream.fail(Say(Answer(500)))
    async with running_provider(GROUPCALL, table | {"collect_opt_ins": collect}) as provider:
        found = list(await provider.set_opt_in(*changes))
    assert [Unknown("http_500"), NotAccepted(code="waits_for_an_earlier_one")] == found
    assert {} == fake.opt_ins


@pytest.mark.covers("optIn.answer.IsOptedIn", "optIn.answer.Message")
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            {"IsOptedIn": 1, "Message": "blocked by +18973434298"},
            OptInAnswer(accepted=False, code="state_differs", text="blocked by …"),
        ),
        ({"IsOptedIn": 2}, Unknown("unreadable")),
        ({"Message": "ok"}, Unknown("unreadable")),
        ([], Unknown("unreadable")),
    ],
)
async def test_only_the_state_that_was_wished_for_is_taken(
    running_provider, upstream, fake, table, wish, answer, expected
):
    """Another state is a refusal, and none is no answer."""
    upstream.fail(Say(Answer.of_json(answer)))
    async with running_provider(GROUPCALL, table) as provider:
        assert [expected] == list(await provider.set_opt_in(wish()))


async def test_wrong_credentials_are_told_again(running_provider, upstream, fake, table, wish):
    """Once they are mended, the wish is told."""
    fake.customers[CUSTOMER_ID] = "another"
    async with running_provider(GROUPCALL, table) as provider:
        (found,) = await provider.set_opt_in(wish())
    assert isinstance(found, NotAccepted)
    assert "http_401" == found.code


@pytest.mark.covers("optIn.Keyword")
async def test_a_keyword_that_groupcall_does_not_know_is_refused(running_provider, fake, table, wish):
    """For good: the setting is wrong."""
    async with running_provider(GROUPCALL, table | {"opt_out_keyword": "ARRET"}) as provider:
        (found,) = await provider.set_opt_in(wish())
    assert (False, "http_400") == (found.accepted, found.code)


@pytest.mark.covers("optIn.ShortCode")
async def test_the_incoming_number_follows_the_sender(running_provider, fake, table, wish):
    """By a table, by being one of ours, or the one for all; without any, it is refused by name."""
    settings = table | {"short_codes": {"School": "88001"}, "own_numbers": ["+18005550100"], "short_code": ""}
    changes = [wish(sender=each) for each in ("School", "+18005550100", "Waypost")]
    async with running_provider(GROUPCALL, settings) as provider:
        found = list(await provider.set_opt_in(*changes))
        kept = await provider.get_opt_in(OptInQuery("Waypost", ADA))
    assert [TAKEN[0], TAKEN[0]] == found[:2]
    assert (False, "no_short_code") == (found[2].accepted, found[2].code)
    assert {("88001", ADA[1:]), ("18005550100", ADA[1:])} == set(fake.opt_ins)
    assert (None, "no_short_code") == (kept[0].opted_in, kept[0].code)


@pytest.mark.covers("optIn.get")
async def test_what_is_kept_can_be_asked(running_provider, upstream, fake, table, wish):
    """Out, in, or nothing."""
    fake.opt_ins[SHORT_CODE, ADA[1:]] = False
    fake.opt_ins[SHORT_CODE, BOB[1:]] = True
    queries = [OptInQuery("Waypost", each) for each in (ADA, BOB, "+18973434200")]
    async with running_provider(GROUPCALL, table) as provider:
        assert [OptInFound(False), OptInFound(True), OptInFound(None)] == list(
            await provider.get_opt_in(*queries)
        )
        upstream.fail(Say(Answer.of_json({"IsOptedIn": "maybe"})))
        assert [Unknown("unreadable")] == list(await provider.get_opt_in(queries[0]))
        upstream.fail(Say(Answer(500)))
        assert [Unknown("http_500")] == list(await provider.get_opt_in(queries[0]))


@pytest.mark.covers("optIn.collection", "optIn.answer.ShortCode", "optIn.answer.RecipientNumber")
async def test_a_result_that_is_missing_is_no_answer(running_provider, upstream, fake, table, wish):
    """Results of a collection are told by number and recipient, in whatever order."""
    result = {"ShortCode": SHORT_CODE, "RecipientNumber": BOB[1:], "IsOptedIn": 0, "Message": ""}
    upstream.fail(Say(Answer.of_json([result])))
    async with running_provider(GROUPCALL, table | {"collect_opt_ins": True}) as provider:
        found = list(await provider.set_opt_in(wish(recipient=ADA), replace(wish(), recipient=BOB)))
    assert [Unknown("no_result"), TAKEN[0]] == found
