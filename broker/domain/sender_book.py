"""An account's senders, and whom each message of it is from.

1. A message that names a pool is from the pool's sender for its recipient.
2. One that names a sender is from that, if it is registered or the account also sends from others.
3. One that names none is from the first of the account's default senders that may be used for the recipient;
   where there are none, from whatever the provider uses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from broker.domain.address import normal_mailbox
from broker.domain.carrying import Carried, Carriers, FindCandidates, SenderRefused
from broker.domain.sender import KINDS_ON, Sender
from broker.domain.sender_fit import free_misfit, misfit
from broker.domain.sender_pool import PoolRanks, recipient_key
from broker.domain.submission import Submission
from broker.domain.vocabulary import Channel, Reason

KeptChoices = Mapping[str, str]
"""The sender that each recipient of a pool got last, by `recipient_key`."""

NOTHING_KEPT: KeptChoices = {}


def from_free_sender(
    submission: Submission, channel: Channel, address: str, message_id: int, find: FindCandidates
) -> Carriers:
    """The rule for accounts that registered no sender: any that fits the channel."""
    if submission.sender and (problem := free_misfit(submission.sender, channel, address)):
        return problem
    return find(submission, channel, address, message_id) or Reason.NO_ROUTE


class SenderBook:
    """The senders of one account, made ready for use. Nothing in it changes."""

    def __init__(self, senders: Sequence[Sender] = ()) -> None:
        self.senders = tuple(senders)
        self._by_value: dict[str, list[Sender]] = {}
        pools: dict[str, list[Sender]] = {}
        for each in self.senders:
            self._by_value.setdefault(each.value, []).append(each)
            if each.pool:
                pools.setdefault(each.pool, []).append(each)
        self._pools = {name: PoolRanks(members) for name, members in pools.items()}
        self._defaults = {
            channel: [each for each in self.senders if each.default and each.kind in kinds]
            for channel, kinds in KINDS_ON.items()
        }

    def find(
        self,
        submission: Submission,
        channel: Channel,
        address: str,
        message_id: int,
        find: FindCandidates,
        *,
        kept: KeptChoices = NOTHING_KEPT,
        registered_only: bool = False,
    ) -> Carriers:
        """Carriers for one of the account's messages. `registered_only`: it sends from these senders alone."""
        options: Sequence[Sender] | SenderRefused
        if submission.sender_pool:
            options = self._members(submission, channel, address, kept)
        elif submission.sender:
            options = self._named(submission.sender, channel)
            if not options and registered_only:
                return SenderRefused(Reason.SENDER_NOT_REGISTERED, Reason.SENDER_NOT_REGISTERED.value)
        else:
            options = self._defaults[channel]
        if isinstance(options, SenderRefused):
            return options
        if not options:
            return from_free_sender(submission, channel, address, message_id, find)
        return _first_that_fits(options, submission, channel, address, message_id, find)

    def _named(self, written: str, channel: Channel) -> Sequence[Sender]:
        """The registered senders that a message on a channel means by a name: one for each country."""
        name = (normal_mailbox(written) or written) if channel is Channel.EMAIL else written
        return [each for each in self._by_value.get(name, ()) if each.kind in KINDS_ON[channel]]

    def _members(
        self, submission: Submission, channel: Channel, address: str, kept: KeptChoices
    ) -> Sequence[Sender] | SenderRefused:
        """The senders of the pool on a channel, in the order to try them."""
        name = submission.sender_pool
        ranks = self._pools.get(name)
        if ranks is None:
            return SenderRefused(Reason.SENDER_POOL_UNUSABLE, f"the account has no sender in the pool {name}")
        before = kept.get(recipient_key(submission.account_id, name, address)) if kept else None
        members = [each for each in ranks.order(address, before) if each.kind in KINDS_ON[channel]]
        if not members:
            problem = f"the pool {name} has no sender of {channel.name}"
            return SenderRefused(Reason.SENDER_POOL_UNUSABLE, problem)
        return members


def _first_that_fits(
    options: Sequence[Sender],
    submission: Submission,
    channel: Channel,
    address: str,
    message_id: int,
    find: FindCandidates,
) -> Carriers:
    """The first sender that may be used and that a provider carries; else why the first one is none."""
    refusal: SenderRefused | None = None
    unrouted: SenderRefused | None = None
    for sender in options:
        problem = misfit(sender, channel, address)
        if problem is None:
            candidates = find(_from(sender, submission), channel, address, message_id)
            if candidates:
                chosen = sender.value
                return candidates if chosen == submission.sender else Carried(candidates, chosen)
            unrouted = unrouted or _no_route(sender)
        else:
            refusal = refusal or problem
    if unrouted is not None:  # the sender was right, and so there is nothing to say about senders
        return unrouted
    assert refusal is not None
    if submission.sender_pool:
        detail = f"no sender of the pool {submission.sender_pool} may be used: {refusal.detail}"
        return SenderRefused(Reason.SENDER_POOL_UNUSABLE, detail)
    return refusal


def _from(sender: Sender, submission: Submission) -> Submission:
    """The submission as routes see it when it is from this sender."""
    if not sender.providers and submission.sender == sender.value:
        return submission
    return replace(submission, sender=sender.value, sender_providers=frozenset(sender.providers))


def _no_route(sender: Sender) -> SenderRefused:
    if sender.providers:
        return SenderRefused(Reason.NO_ROUTE, "no provider that the sender is usable on may carry it")
    return SenderRefused(Reason.NO_ROUTE, Reason.NO_ROUTE.value)
