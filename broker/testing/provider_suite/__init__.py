"""The conformance suite of providers: a plugin's author subclasses it, and knows that the plugin is right.

    class TestAcme(ProviderSuite):
        provider_type = ACME

        def settings(self, base_url):
            return {"url": base_url, "token": "s3cret-token", "timeout_s": 0.2}

        def upstream(self):
            return answer                      # a function of a Request to an Answer

        def provider_message_ids(self, message):
            return (f"acme-{message.recipient}",)

Each test's docstring is the claim that it proves; `Asked` tells what else an author may say. The cases
need pytest and nothing else: they bring their own event loops and a real HTTP server.
"""

from broker.testing.provider_suite.accounting import AccountingCases
from broker.testing.provider_suite.asked import Asked
from broker.testing.provider_suite.asking import AskingCases
from broker.testing.provider_suite.broadcasting import BroadcastingCases
from broker.testing.provider_suite.consenting import ConsentingCases
from broker.testing.provider_suite.declaring import DeclaringCases
from broker.testing.provider_suite.hiding import HidingCases
from broker.testing.provider_suite.judging import SENSELESS, JudgingCases
from broker.testing.provider_suite.living import LivingCases
from broker.testing.provider_suite.renting import RentingCases
from broker.testing.provider_suite.reporting import CallbackCases, PushingCases
from broker.testing.provider_suite.saying import SayingCases
from broker.testing.provider_suite.submitting import SubmittingCases

__all__ = ["SENSELESS", "Asked", "ProviderSuite"]


class ProviderSuite(
    DeclaringCases,
    AccountingCases,
    LivingCases,
    SubmittingCases,
    SayingCases,
    JudgingCases,
    AskingCases,
    CallbackCases,
    PushingCases,
    ConsentingCases,
    RentingCases,
    BroadcastingCases,
    HidingCases,
):
    """All cases. A subclass says what `Asked` asks."""
