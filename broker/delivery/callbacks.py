"""Callbacks: what upstreams say over HTTP, from the instance's secret to the committed facts.

Each instance that declares `Capabilities.callback` has an address with a secret of its own in it, since
many upstreams sign nothing. Whoever knows the secret reaches the plugin, and nobody else does.
"""

import asyncio
import hmac
import secrets
from collections.abc import Sequence
from enum import Enum
from urllib.parse import quote

import structlog

from broker.delivery.provider_calls import in_time
from broker.delivery.registry import Instance, Registry
from broker.delivery.reports import Reporting
from broker.domain.outcome import Inbound, Receipt, ReceiptStatus
from broker.errors import BrokerError
from broker.settings import read_callback_secret
from broker.spi import CallbackAnswer, CallbackRequest, LateAnswer, Provider
from broker.storage.keepsakes import DrawnSecret, keep_callback_secrets
from broker.storage.store import Store
from broker.telemetry import places_of

log = structlog.get_logger("waypost.callbacks")

CALLBACK_S_MAX = 30.0
ANSWER_BYTES_MAX = 1_048_576
CONTENT_TYPE_CHARACTERS_MAX = 256
SECRET_BYTES = 24
PATH = "callbacks"
"""Addresses are `<base>/callbacks/<instance>/<secret>`."""


class Trouble(Enum):
    """Why a callback was not taken; its upstream should come again."""

    RAISED = "the plugin failed"
    LATE = "the plugin took too long"
    NOT_STORED = "the store could not take what it said"


class Callbacks:
    """The callback addresses of the instances, and the way from a request to its answer."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        reports: Reporting,
        *,
        timeout_s: float = CALLBACK_S_MAX,
    ) -> None:
        self._store = store
        self._registry = registry
        self._reports = reports
        self._timeout_s = timeout_s
        self._secrets: dict[str, str] = {}
        self._urls: dict[str, str] = {}
        self._nobodys = secrets.token_urlsafe(SECRET_BYTES)

    async def open(self, base_url: str) -> None:
        """Give each instance that takes callbacks its address below `base_url`; "" where no HTTP is served.

        Raises SettingsError when a secret's file cannot be used.
        """
        taking = [each for each in self._registry.all() if each.capabilities.callback]
        chosen = {each.name: read_callback_secret(each.name, each.settings) for each in taking}
        self._secrets = {name: secret for name, secret in chosen.items() if secret is not None}
        drawn = [
            DrawnSecret(name, secrets.token_urlsafe(SECRET_BYTES))
            for name, secret in chosen.items()
            if secret is None
        ]
        kept = await self._store.write(keep_callback_secrets, drawn)
        self._secrets |= {each.provider: secret for each, secret in zip(drawn, kept, strict=True)}
        if base_url:
            self._urls = {
                name: f"{base_url}/{PATH}/{quote(name)}/{secret}" for name, secret in self._secrets.items()
            }
            return
        for each in taking:
            log.warning("callbacks.not_served", instance=each.name, reason="server.http_listen is not set")

    def url_of(self, instance: str) -> str:
        """An instance's callback address, "" where it has none."""
        return self._urls.get(instance, "")

    def find(self, instance: str, secret: str) -> Instance | None:
        """The instance that this secret leads to. A wrong name takes as long as a wrong secret."""
        expected = self._secrets.get(instance, self._nobodys)
        right = hmac.compare_digest(expected.encode(), secret.encode(errors="replace"))
        return self._registry.get(instance) if right else None

    async def take(self, instance: Instance, request: CallbackRequest) -> CallbackAnswer | Trouble:
        """What a request says, committed; and the answer to give. Answers, whatever the plugin does."""
        task = asyncio.create_task(_called(instance.provider, request))
        if not await in_time(task, self._timeout_s):
            log.warning("callback.timeout", instance=instance.name, seconds=self._timeout_s)
            return Trouble.LATE
        raised = asyncio.CancelledError() if task.cancelled() else task.exception()
        if raised is not None:
            log.error("callback.raised", instance=instance.name, exception=type(raised).__qualname__)
            return Trouble.RAISED
        answer: object = task.result()
        if not isinstance(answer, CallbackAnswer) or not is_sound(answer):
            log.error("callback.wrong_answer", instance=instance.name)
            return Trouble.RAISED
        try:
            await self._reports.report(instance.name, answer.facts)
        except BrokerError as error:
            log.warning("callback.not_stored", instance=instance.name, reason=error.reason.name)
            return Trouble.NOT_STORED
        except Exception as error:  # noqa: BLE001 - a defect; the upstream keeps what it said
            log.error(
                "callback.not_stored",
                instance=instance.name,
                exception=type(error).__qualname__,
                at=places_of(error),
            )
            return Trouble.NOT_STORED
        return answer


async def _called(provider: Provider, request: CallbackRequest) -> CallbackAnswer:
    """Call it within the task: what is no coroutine function may raise, or answer, before it is awaited."""
    return await provider.callback(request)


def is_sound(answer: CallbackAnswer) -> bool:
    """Whether its fields are of their types and can be sent: to the type checker they are."""
    fields: tuple[object, ...] = (answer.facts, answer.status, answer.body, answer.content_type, answer.later)
    facts, status, body, content_type, later = fields
    return (
        isinstance(facts, Sequence)
        and all(_is_fact(each) for each in facts)
        and type(status) is int
        and 200 <= status <= 599
        and isinstance(body, bytes)
        and len(body) <= ANSWER_BYTES_MAX
        and isinstance(content_type, str)
        and len(content_type) <= CONTENT_TYPE_CHARACTERS_MAX
        and content_type.isascii()
        and content_type.isprintable()
        and (later is None or isinstance(later, LateAnswer))
    )


def _is_fact(fact: object) -> bool:
    return isinstance(fact, Inbound) or (isinstance(fact, Receipt) and isinstance(fact.status, ReceiptStatus))
