# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of what providers tell of recipients' wishes, and of passcodes that may be exempt from them."""

import pytest

from broker.domain.account_policy import AccountPolicy
from broker.domain.consent import OPT_OUTS, Consent, ConsentSource, Scope
from broker.domain.lifecycle import State
from broker.domain.outcome import Rejected, Unknown
from broker.domain.vocabulary import Reason, Traffic
from broker.storage.consenting import read_testimony
from broker.storage.policies import NewPolicy, set_policies
from broker.testing.builders import PROVIDER, submission
from broker.testing.store_suite.bench import Bench, attempt_of_fence, message_ids, receipt
from broker.testing.store_suite.consenting import PHONE, record, said, wish
from broker.testing.store_suite.opening import OpenedStore


class PasscodeCases(OpenedStore):
    """Passcodes may be exempt by the account's policy."""

    @pytest.mark.parametrize(
        ("ignores", "scope", "traffic", "reason"),
        [
            (True, Scope.ACCOUNT, Traffic.PASSCODE, None),
            (False, Scope.ACCOUNT, Traffic.PASSCODE, Reason.OPTED_OUT),
            (True, Scope.ACCOUNT, Traffic.TRANSACTIONAL, Reason.OPTED_OUT),
            (True, Scope.GLOBAL, Traffic.PASSCODE, Reason.OPTED_OUT_GLOBALLY),
        ],
    )
    async def test_a_passcode_may_be_exempt(
        self, bench: Bench, ignores: bool, scope: Scope, traffic: Traffic, reason: Reason | None
    ) -> None:
        """When it is stored and when its attempt is recorded; a global opt-out is no account's to ignore."""
        policy = AccountPolicy(passcode_ignores_opt_out=ignores)
        await bench.store.write(set_policies, [NewPolicy(1, policy)], [1])
        (before,) = await bench.send(sender="Shop", traffic=traffic)
        await record(bench, said(scope=scope))
        (answer,) = await bench.accept(submission(sender="Shop", traffic=traffic))
        assert [reason] == [each.reason for each in answer.results]  # type: ignore[union-attr]
        expected = set() if reason else {before, *message_ids(answer)}
        assert expected == {each.message_id for each in (await bench.claim()).attempts}


class LearningCases(OpenedStore):
    """What providers tell of a recipient's wish is put on record, for all of them."""

    @pytest.mark.parametrize(
        ("reason", "sender", "elsewhere"),
        [
            (Reason.OPTED_OUT, "Shop", Consent.UNSET),
            (Reason.OPTED_OUT_GLOBALLY, "Shop", Consent.OPTED_OUT_GLOBALLY),
            (Reason.OPTED_OUT_GLOBALLY, "", Consent.UNSET),
        ],
    )
    async def test_a_providers_refusal_is_evidence(
        self, bench: Bench, reason: Reason, sender: str, elsewhere: Consent
    ) -> None:
        """With the message, the instance, and its own code and text."""
        attempt = await bench.open(sender=sender)
        assert await bench.settle(attempt, Rejected(reason, "21", "blocked"))
        (told,) = await bench.store.read(read_testimony, 1, PHONE, 10)
        expected = said(
            sender=sender,
            source=ConsentSource.PROVIDER_ANSWER,
            scope=Scope.GLOBAL if elsewhere is Consent.OPTED_OUT_GLOBALLY else Scope.ACCOUNT,
            told_by=PROVIDER,
            message_id=attempt.message_id,
            provider_code="21",
            evidence="blocked",
        )
        assert expected == told
        assert elsewhere is await wish(bench, account_id=2)
        (answer,) = await bench.accept(submission(sender="Shop"), candidates=("another",))
        assert {each.reason for each in answer.results} <= OPT_OUTS  # type: ignore[union-attr]

    async def test_any_other_refusal_says_nothing(self, bench: Bench) -> None:
        """Of what the recipient wants."""
        assert await bench.settle(await bench.open(), Rejected(Reason.UNDELIVERABLE, "21", "blocked"))
        assert [] == await bench.store.read(read_testimony, 1, PHONE, 10)

    async def test_a_late_refusal_says_nothing(self, bench: Bench) -> None:
        """An attempt that is no longer open changes nothing."""
        attempt = await bench.open()
        assert not await bench.settle(attempt_of_fence(attempt, 7), Rejected(Reason.OPTED_OUT))
        assert [] == await bench.store.read(read_testimony, 1, PHONE, 10)

    @pytest.mark.parametrize("early", [False, True], ids=["known", "parked"])
    async def test_an_opt_out_receipt_is_evidence(self, bench: Bench, early: bool) -> None:
        """Also one that came before its message was known; the message ends for that reason."""
        report = receipt("x", "DELIVERY_FAILED", code="21", text="blocked", reason=Reason.OPTED_OUT)
        if early:
            assert [False] == await bench.report(report)
            message_id = await bench.sent("x", sender="Shop")
        else:
            message_id = await bench.sent("x", sender="Shop")
            assert [True] == await bench.report(report)
        message = await bench.message(message_id)
        assert (State.DELIVERY_FAILED, Reason.OPTED_OUT) == (message.state, message.reason)
        (told,) = await bench.store.read(read_testimony, 1, PHONE, 10)
        assert (ConsentSource.RECEIPT, message_id, PROVIDER, "21") == (
            told.source,
            told.message_id,
            told.told_by,
            told.provider_code,
        )
        assert Consent.OPTED_OUT is await wish(bench)

    async def test_an_answer_to_a_question_is_evidence(self, bench: Bench) -> None:
        """Whether it refuses the message, or is its receipt."""
        attempt = await bench.open(sender="Shop")
        assert await bench.settle(attempt, Unknown(), questions=True)
        bench.wait(3600)
        (question,) = (await bench.overdue()).questions
        assert await bench.answer(question, Rejected(Reason.OPTED_OUT, "21"))
        assert Consent.OPTED_OUT is await wish(bench)
