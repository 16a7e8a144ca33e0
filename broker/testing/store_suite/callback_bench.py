"""The verbs of callbacks in the words of a test."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from broker.domain.callback import (
    CallbackPolicy,
    CallOutcome,
    Webhook,
    wanted_by,
)
from broker.domain.callback_url import CallbackMethod
from broker.domain.retry import RetryPolicy
from broker.domain.submission import Callback
from broker.storage.calling import (
    Call,
    CallbackClaim,
    CallSettlement,
    ClaimedCallback,
    ClaimedCallbacks,
    ReadyEndpoint,
    Settled,
    claim_callbacks,
    empty_closed_endpoints,
    read_callback_counts,
    read_calls,
    read_ready_endpoints,
    settle_calls,
)
from broker.storage.following import (
    Followed,
    NewCallback,
    Recorded,
    read_followers,
    read_log_page,
    read_origins,
    record_callbacks,
)
from broker.storage.webhooks import (
    NewWebhook,
    Rotation,
    TooManyWebhooks,
    create_webhooks,
    delete_webhooks,
    read_secrets,
    read_webhooks,
    rotate_secrets,
)
from broker.testing.builders import DAY_US, NOW_US, SECOND_US
from broker.testing.store_suite.bench import Bench

HOOK = 1_000
"""The first webhook's id."""

PLACE = 2_000
"""The first origin's id."""

URL = "https://shop.example/hook"
LEASE_US = 60 * SECOND_US
RULES = CallbackPolicy(
    retry=RetryPolicy(base_s=10.0, cap_s=600.0), hold=RetryPolicy(base_s=20.0, cap_s=300.0)
)
"""A callback is tried again after 10 s, 20 s …; a failing endpoint is held for 20 s, 40 s …"""

FULL = 1.0
"""No jitter: each wait is as long as it may be."""


@dataclass
class Caller:
    """The verbs of callbacks, one call each, at the bench's time."""

    bench: Bench

    async def hook(self, webhook_id: int = HOOK, account_id: int = 1, **changes: Any) -> Webhook:
        """Make a webhook."""
        (made,) = await self.create(webhook(webhook_id, account_id, **changes))
        assert isinstance(made, Webhook)
        return made

    async def create(self, *wanted: Webhook) -> list[Webhook | TooManyWebhooks]:
        """Make webhooks in one call."""
        items = [NewWebhook(each, f"secret of {each.webhook_id}") for each in wanted]
        return await self.bench.store.write(create_webhooks, items, {each.account_id for each in wanted})

    async def hooks(self, account_id: int = 1) -> list[Webhook]:
        """An account's webhooks."""
        return await self.bench.store.read(read_webhooks, account_id)

    async def place(self, account_id: int = 1) -> int | None:
        """Up to where the account's log was followed, None when all of it was."""
        return dict(await self.bench.store.read(read_followers)).get(account_id)

    async def page(self, account_id: int = 1, *, waiting_max: int = 1_000_000) -> Followed:
        """What the next page of the account's log comes to, as the follower works it out."""
        after = await self.place(account_id)
        assert after is not None, "the account's log has nothing new"
        page = await self.bench.store.read(read_log_page, account_id, after, 1_000)
        urls = sorted({event.url for event in page.events if event.url})
        known = await self.bench.store.read(read_origins, account_id, urls)
        origins = {url: known.get(url, PLACE + 10 * account_id + index) for index, url in enumerate(urls)}
        callbacks = [
            NewCallback(event.sequence, endpoint_id, event.message_id)
            for event in page.events
            for endpoint_id in [
                *wanted_by(page.webhooks, event),
                *([origins[event.url]] if event.url else []),
            ]
        ]
        now_us = self.bench.now_us
        return Followed(
            account_id=account_id,
            after=after,
            upto=page.events[-1].sequence,
            callbacks=tuple(callbacks),
            origins=tuple((each, url) for url, each in origins.items()),
            now_us=now_us,
            expire_at_us=now_us + DAY_US,
            waiting_max=waiting_max,
        )

    async def record(self, *pages: Followed) -> list[Recorded]:
        """Keep what pages came to, in one call."""
        return await self.bench.store.write(record_callbacks, pages, {each.account_id for each in pages})

    async def follow(self, account_id: int = 1, **limits: Any) -> Recorded:
        """Read the account's log to its end, and keep its callbacks."""
        (answer,) = await self.record(await self.page(account_id, **limits))
        return answer

    async def ready(self) -> list[ReadyEndpoint]:
        """Where there is something to do."""
        return await self.bench.store.read(read_ready_endpoints, self.bench.now_us)

    async def claim(self, endpoint_id: int = HOOK, rows_max: int = 100, fence: int = 1) -> ClaimedCallbacks:
        """Claim an endpoint's callbacks."""
        now_us = self.bench.now_us
        wish = CallbackClaim(endpoint_id, rows_max, now_us, fence, now_us + LEASE_US)
        (claimed,) = await self.bench.store.write(claim_callbacks, [wish])
        return claimed

    async def calls(self, *claimed: ClaimedCallback) -> list[Call | None]:
        """What is to be called and said."""
        return await self.bench.store.read(read_calls, claimed, self.bench.now_us)

    async def settle(self, outcome: CallOutcome, *claimed: ClaimedCallback) -> list[Settled]:
        """Settle calls that all went the same way, in one call."""
        items = [CallSettlement(each, outcome, RULES, self.bench.now_us, FULL) for each in claimed]
        return await self.bench.store.write(settle_calls, items)

    async def waiting(self) -> int:
        """How many callbacks wait."""
        return (await self.bench.store.read(read_callback_counts))[0]

    async def secrets(self, webhook_id: int = HOOK, account_id: int = 1) -> Sequence[str]:
        """What is signed with."""
        place = (account_id, webhook_id)
        return (await self.bench.store.read(read_secrets, [place], self.bench.now_us))[place]

    async def rotate(
        self, secret: str, webhook_id: int = HOOK, account_id: int = 1, *, overlap_s: float = 100
    ) -> bool:
        """A new secret."""
        until_us = self.bench.now_us + round(overlap_s * SECOND_US)
        item = Rotation(account_id, webhook_id, secret, self.bench.now_us, until_us)
        (mine,) = await self.bench.store.write(rotate_secrets, [item], [account_id])
        return mine

    async def delete(self, webhook_id: int = HOOK, account_id: int = 1) -> bool:
        """Delete a webhook."""
        (mine,) = await self.bench.store.write(delete_webhooks, [(account_id, webhook_id)], [account_id])
        return mine

    async def empty(self, rows_max: int = 100) -> int:
        """Delete a batch of what waits for closed endpoints."""
        (gone,) = await self.bench.store.write(empty_closed_endpoints, [rows_max])
        return gone


def webhook(webhook_id: int = HOOK, account_id: int = 1, **changes: Any) -> Webhook:
    """A webhook for everything, with the named fields changed."""
    fields: dict[str, Any] = {"url": URL, "description": "", "kinds": (), "facts": ()}
    return Webhook(webhook_id=webhook_id, account_id=account_id, created_at_us=NOW_US, **(fields | changes))


def to(url: str = URL, method: CallbackMethod = CallbackMethod.POST) -> Callback:
    """What a submission asks for."""
    return Callback(url, method)
