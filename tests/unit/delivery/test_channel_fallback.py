"""Messages that go on by another channel, with the parts of delivery that run."""

from typing import Any

from broker.domain.fallback import ChannelFallback
from broker.domain.lifecycle import Fact, State
from broker.domain.submission import Recipient
from broker.domain.vocabulary import Channel, Reason
from broker.spi import Accepted, Rejected
from broker.storage.store import Store
from broker.testing.builders import SECOND_US, sms_and_email
from broker.testing.running_delivery import RunningDelivery, running_delivery
from broker.testing.scripted_provider import ScriptedProvider

WAYS = {Channel.SMS: ("texter",), Channel.EMAIL: ("mailer",)}


async def send(running: RunningDelivery, fallback: ChannelFallback) -> int:
    """A message by SMS, then by email."""
    (message_id,) = await running.send(
        recipients=(Recipient(phone_number="+447700900123", email="ada@example.com"),),
        content=sms_and_email(),
        fallback=fallback,
        candidates=WAYS,
    )
    return message_id


async def test_a_rejected_message_is_sent_by_email(store: Store, until: Any) -> None:
    """The provider of the next channel gets it at once, with that channel's content and address."""
    texter, mailer = ScriptedProvider(), ScriptedProvider(channels=frozenset({Channel.EMAIL}))
    texter.submits.append(Rejected())
    mailer.submits.append(Accepted(("e1",)))
    async with running_delivery(store, {"texter": texter, "mailer": mailer}) as running:
        message_id = await send(running, ChannelFallback())
        await until(lambda: stands(running, message_id, State.SENT))
        ((handed,),) = mailer.submitted
    assert (Channel.EMAIL, "ada@example.com", "Your parcel") == (
        handed.channel,
        handed.recipient,
        handed.content["subject"],
    )


async def test_a_silent_channel_is_left_in_time(store: Store, until: Any) -> None:
    """The poller finds that no delivery came, and the dispatcher hands the message to the next."""
    texter, mailer = ScriptedProvider(), ScriptedProvider(channels=frozenset({Channel.EMAIL}))
    texter.submits.append(Accepted(("s1",)))
    mailer.submits.append(Accepted(("e1",)))
    async with running_delivery(store, {"texter": texter, "mailer": mailer}) as running:
        message_id = await send(running, ChannelFallback(SECOND_US // 10))
        await until(lambda: on_channel(running, message_id, Channel.EMAIL, State.SENT))
        changed = [
            each.change
            for each in await running.bench.timeline(message_id)
            if each.change.fact is Fact.CHANNEL_CHANGED
        ]
    assert [Reason.NOT_DELIVERED_IN_TIME] == [each.reason for each in changed]


async def stands(running: RunningDelivery, message_id: int, state: State) -> bool:
    """Whether a message stands there."""
    return await running.bench.state(message_id) is state


async def on_channel(running: RunningDelivery, message_id: int, channel: Channel, state: State) -> bool:
    """Whether a message stands there, on a channel."""
    message = await running.bench.message(message_id)
    return (message.channel, message.state) == (channel, state)
