"""The conformance suite of the store: every engine must pass it.

An engine's test file subclasses `StoreSuite` and says how to open one:

    class TestAcmeStore(StoreSuite):
        @asynccontextmanager
        async def open_store(self, place: Path, *, queued_calls_max: int = 10_000) -> AsyncIterator[Store]:
            ...

Every test gets an empty store with a few accounts; after each, the whole store is read and checked
against what must always hold (`invariants`). To change a verb, change its cases here first.
"""

from broker.testing.store_suite.accepting import AcceptingCases
from broker.testing.store_suite.accounts import AccountCases
from broker.testing.store_suite.answering import AnsweringCases
from broker.testing.store_suite.api_keys import ApiKeyCases
from broker.testing.store_suite.asking import AskingCases
from broker.testing.store_suite.bench import ACCOUNTS, Bench
from broker.testing.store_suite.broadcasting import BroadcastingCases
from broker.testing.store_suite.callbacks import CallbackCases
from broker.testing.store_suite.capping import CappingCases
from broker.testing.store_suite.concurrency import ConcurrencyCases
from broker.testing.store_suite.consenting import ConsentCases
from broker.testing.store_suite.counting import CountingCases
from broker.testing.store_suite.crediting import CreditCases
from broker.testing.store_suite.directory import ContactCases
from broker.testing.store_suite.directory_groups import GroupCases
from broker.testing.store_suite.directory_reach import ReachCases
from broker.testing.store_suite.dispatching import DispatchingCases
from broker.testing.store_suite.erasing import ErasingCases
from broker.testing.store_suite.falling_back import FallbackCases
from broker.testing.store_suite.falling_back_senders import FallbackSenderCases
from broker.testing.store_suite.forwarding import ForwardingCases
from broker.testing.store_suite.grouping import GroupingCases
from broker.testing.store_suite.handing import HandingCases
from broker.testing.store_suite.housekeeping import HousekeepingCases
from broker.testing.store_suite.inbound import InboundCases
from broker.testing.store_suite.keepsakes import KeepsakeCases
from broker.testing.store_suite.keywords import KeywordCases
from broker.testing.store_suite.lanes import LanesCases
from broker.testing.store_suite.learning import LearningCases, PasscodeCases
from broker.testing.store_suite.ledger_machine import LedgerMachine
from broker.testing.store_suite.links import LinkCases
from broker.testing.store_suite.listing import ListingCases
from broker.testing.store_suite.lives import LivesCases
from broker.testing.store_suite.policies import PolicyCases
from broker.testing.store_suite.pricing import PriceCases
from broker.testing.store_suite.racing import RacingCases
from broker.testing.store_suite.reading import ReadingCases
from broker.testing.store_suite.receipts import ReceiptCases
from broker.testing.store_suite.retiring import RetiringCases
from broker.testing.store_suite.retiring_broadcasts import RetiringBroadcastCases
from broker.testing.store_suite.routing import RoutingCases
from broker.testing.store_suite.saying import SayingCases
from broker.testing.store_suite.senders import SenderCases
from broker.testing.store_suite.spellings import AllSpellingCases
from broker.testing.store_suite.telling import TellingCases
from broker.testing.store_suite.templating import TemplateCases
from broker.testing.store_suite.uploading import UploadingCases

__all__ = ["ACCOUNTS", "Bench", "StoreSuite"]


class StoreSuite(
    AcceptingCases,
    AccountCases,
    ApiKeyCases,
    DispatchingCases,
    LanesCases,
    AskingCases,
    FallbackCases,
    FallbackSenderCases,
    ReceiptCases,
    SayingCases,
    TemplateCases,
    SenderCases,
    AllSpellingCases,
    ReadingCases,
    TellingCases,
    InboundCases,
    AnsweringCases,
    KeywordCases,
    LinkCases,
    CallbackCases,
    ConsentCases,
    PasscodeCases,
    LearningCases,
    RacingCases,
    ForwardingCases,
    RoutingCases,
    ListingCases,
    ErasingCases,
    RetiringCases,
    RetiringBroadcastCases,
    CountingCases,
    CreditCases,
    LedgerMachine,
    PriceCases,
    HousekeepingCases,
    KeepsakeCases,
    PolicyCases,
    CappingCases,
    ContactCases,
    GroupCases,
    ReachCases,
    BroadcastingCases,
    UploadingCases,
    HandingCases,
    GroupingCases,
    ConcurrencyCases,
    LivesCases,
):
    """All cases. A subclass opens its engine's store in `open_store`."""
