"""Callbacks of upstreams: who may call, what is committed before the answer, and plugins that fail."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from broker.delivery.callbacks import Callbacks, Trouble
from broker.delivery.receipts import Receipts
from broker.delivery.registry import Instance, Registry
from broker.domain.lifecycle import Fact, State
from broker.errors import BrokerError, ErrorReason
from broker.metrics import Metrics
from broker.plugins import Plugins
from broker.settings import SettingsError
from broker.spi import CallbackAnswer, CallbackRequest, IdSpelling, Receipt, ReceiptStatus
from broker.storage.store import Store
from broker.testing.builders import ManualClock
from broker.testing.scripted_provider import ScriptedProvider, scripted_registry
from broker.testing.store_suite import Bench

REQUEST = CallbackRequest("POST", "", (), {}, b"id=x&status=ok")
DELIVERED = Receipt("x", ReceiptStatus.DELIVERED)
CHOSEN = "chosen-by-the-operator"


@pytest.fixture
def provider() -> ScriptedProvider:
    """It takes callbacks."""
    return ScriptedProvider(callback=True)


@pytest.fixture
def make(store: Store, clock: ManualClock) -> Callable[..., Callbacks]:
    """Callbacks over a real store, to these providers or of this registry."""

    def callbacks(registry: Registry | None = None, **providers: ScriptedProvider) -> Callbacks:
        receipts = Receipts(store, clock, Metrics(), spelling_of=lambda _: IdSpelling.EXACT, parked_max=1_000)
        return Callbacks(store, registry or scripted_registry(**providers), receipts, timeout_s=0.2)

    return callbacks


@pytest.fixture
async def callbacks(make: Callable[..., Callbacks], provider: ScriptedProvider) -> Callbacks:
    """Of one instance, served."""
    callbacks = make(acme=provider)
    await callbacks.open("https://sms.example.org")
    return callbacks


def acme(callbacks: Callbacks) -> Instance:
    """The one instance, found as an upstream finds it."""
    found = callbacks.find("acme", secret_of(callbacks))
    assert found is not None
    return found


def secret_of(callbacks: Callbacks, instance: str = "acme") -> str:
    """What an address ends with."""
    return callbacks.url_of(instance).rpartition("/")[2]


def with_settings(provider: ScriptedProvider, **settings: Any) -> Registry:
    """A registry whose one instance has settings of the broker's own."""
    types = scripted_registry(acme=provider)._plugins.types
    return Registry(Plugins(types, ()), {"acme": {"type": "acme", "waypost": settings}})


async def test_an_address_is_kept_over_restarts(
    make: Callable[..., Callbacks], callbacks: Callbacks, provider: ScriptedProvider
) -> None:
    """Upstreams hold it. Each instance has its own, and it is too long to guess."""
    again = make(acme=provider, other=provider)
    await again.open("https://sms.example.org")
    assert callbacks.url_of("acme") == again.url_of("acme")
    assert secret_of(again, "acme") != secret_of(again, "other")
    assert f"https://sms.example.org/callbacks/acme/{secret_of(again)}" == again.url_of("acme")
    assert len(secret_of(again)) >= 32


async def test_only_its_own_secret_leads_to_an_instance(
    make: Callable[..., Callbacks], provider: ScriptedProvider
) -> None:
    """Another's does not, nor one with anything about it, nor any for a name that there is not."""
    callbacks = make(acme=provider, other=provider, silent=ScriptedProvider())
    await callbacks.open("http://here")
    secret, others = secret_of(callbacks), secret_of(callbacks, "other")
    wrong = [
        ("acme", others),
        ("acme", secret[:-1]),
        ("acme", secret.upper()),
        ("acme", ""),
        ("acme", "é\ud800"),
    ]
    wrong += [("nobody", secret), ("silent", secret), ("silent", ""), ("", "")]
    assert [None] * len(wrong) == [callbacks.find(*each) for each in wrong]
    assert "acme" == acme(callbacks).name
    assert "" == callbacks.url_of("silent")


async def test_an_operator_may_choose_the_secret(
    make: Callable[..., Callbacks], provider: ScriptedProvider, tmp_path: Path
) -> None:
    """In the settings or in a file; the address then says it."""
    file = tmp_path / "secret"
    file.write_text(f"{CHOSEN}\n")
    for settings in ({"callback_secret": CHOSEN}, {"callback_secret_file": str(file)}):
        callbacks = make(with_settings(provider, **settings))
        await callbacks.open("http://here")
        assert f"http://here/callbacks/acme/{CHOSEN}" == callbacks.url_of("acme")


@pytest.mark.parametrize("content", [None, b"short", b"with/a/slash/within", b"\xff" * 20])
async def test_a_secret_that_cannot_be_is_refused(
    make: Callable[..., Callbacks], provider: ScriptedProvider, tmp_path: Path, content: bytes | None
) -> None:
    """With the field, and never with what the file holds."""
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    callbacks = make(with_settings(provider, callback_secret_file=str(file)))
    with pytest.raises(SettingsError, match=r"providers\.acme\.waypost\.callback_secret_file") as refusal:
        await callbacks.open("http://here")
    assert "slash" not in str(refusal.value)


async def test_without_http_there_is_no_address(
    make: Callable[..., Callbacks], provider: ScriptedProvider
) -> None:
    """A provider then knows not to register one upstream."""
    callbacks = make(acme=provider)
    await callbacks.open("")
    assert "" == callbacks.url_of("acme")


async def test_what_a_callback_says_is_stored_when_it_is_answered(
    callbacks: Callbacks, provider: ScriptedProvider, bench: Bench
) -> None:
    """(I4): the upstream may forget it then. The plugin gets the request as it came."""
    message_id = await bench.sent("x")
    answer = CallbackAnswer([DELIVERED], status=202, body=b"thanks", content_type="text/x")
    provider.callbacks.append(lambda _: answer)
    assert answer == await callbacks.take(acme(callbacks), REQUEST)
    assert [REQUEST] == provider.called_back
    assert [Fact.DELIVERED] == (await bench.facts(message_id))[-1:]


async def test_a_refused_request_says_nothing(
    callbacks: Callbacks, provider: ScriptedProvider, bench: Bench
) -> None:
    """The plugin's own refusal is the answer."""
    message_id = await bench.sent("x")
    provider.callbacks.append(lambda _: CallbackAnswer(status=403))
    assert CallbackAnswer(status=403) == await callbacks.take(acme(callbacks), REQUEST)
    assert State.SENT == await bench.state(message_id)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "ok",
        CallbackAnswer(status=100),
        CallbackAnswer(status=600),
        CallbackAnswer(status=True),
        CallbackAnswer(status="200"),  # type: ignore[arg-type]
        CallbackAnswer(body="text"),  # type: ignore[arg-type]
        CallbackAnswer(body=b"x" * 1_048_577),
        CallbackAnswer(content_type="text/plain\r\nset-cookie: a=b"),
        CallbackAnswer(content_type=None),  # type: ignore[arg-type]
        CallbackAnswer(later="soon"),  # type: ignore[arg-type]
        CallbackAnswer(facts=None),  # type: ignore[arg-type]
        CallbackAnswer(facts=["delivered"]),  # type: ignore[list-item]
        CallbackAnswer(facts=[Receipt("x", "DELIVERED")]),  # type: ignore[arg-type]
    ],
)
async def test_an_answer_that_cannot_be_given_is_a_failure(
    callbacks: Callbacks, provider: ScriptedProvider, bench: Bench, answer: Any
) -> None:
    """Nothing of it is stored, since nobody knows what else is wrong."""
    message_id = await bench.sent("x")
    provider.callbacks.append(lambda _: answer)
    assert Trouble.RAISED == await callbacks.take(acme(callbacks), REQUEST)
    assert State.SENT == await bench.state(message_id)


async def test_a_plugin_that_raises_harms_nobody(callbacks: Callbacks, provider: ScriptedProvider) -> None:
    """The next callback is answered."""

    def fail(_request: CallbackRequest) -> None:
        raise OSError

    provider.callbacks.append(fail)
    found = [await callbacks.take(acme(callbacks), REQUEST) for _ in range(2)]
    assert [Trouble.RAISED, CallbackAnswer()] == found


async def test_a_callback_that_is_no_coroutine_is_a_failure(
    callbacks: Callbacks, provider: ScriptedProvider
) -> None:
    """It may raise before anything could be awaited."""
    provider.callback = lambda _request: 1 / 0  # type: ignore[method-assign, assignment]
    assert Trouble.RAISED == await callbacks.take(acme(callbacks), REQUEST)


class NeverOpens(asyncio.Event):
    """A gate that tells whether whoever waited at it was cancelled."""

    cancelled = False

    async def wait(self) -> Literal[True]:
        """For ever."""
        try:
            return await super().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


async def test_a_plugin_that_hangs_is_left(
    callbacks: Callbacks, provider: ScriptedProvider, until: Callable[..., Any]
) -> None:
    """Its call is cancelled, so that it does not hang for ever."""
    provider.gate = gate = NeverOpens()
    assert Trouble.LATE == await callbacks.take(acme(callbacks), REQUEST)
    await until(lambda: gate.cancelled)


@pytest.mark.parametrize("error", [BrokerError(ErrorReason.STORE_UNAVAILABLE), RuntimeError("a defect")])
async def test_what_is_not_stored_is_not_acknowledged(
    callbacks: Callbacks,
    provider: ScriptedProvider,
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    """Whatever the reason, the upstream has to come again."""
    instance = acme(callbacks)

    async def failing(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr(bench.store, "write", failing)
    provider.callbacks.append(lambda _: CallbackAnswer([DELIVERED]))
    assert Trouble.NOT_STORED == await callbacks.take(instance, REQUEST)
