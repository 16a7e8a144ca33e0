"""The messages of ours that answers name by the provider's own ids."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from broker.domain.inbound import Written
from broker.domain.outcome import Inbound
from broker.storage.transaction import Transaction


def read_letters(
    tx: Transaction, arrivals: Sequence[tuple[str, Inbound]], written: Mapping[str, Sequence[Written]]
) -> list[Sequence[Written]]:
    """What each arrival may be an answer to, given the instances that report them.

    That is the message of ours which it names, if that was for whoever writes; else all that we have `written` to them.
    """
    named = _read_named(tx, arrivals)
    return [
        _only(named.get((provider, inbound.answers)), inbound, written[inbound.sender])
        for provider, inbound in arrivals
    ]


def _read_named(
    tx: Transaction, arrivals: Sequence[tuple[str, Inbound]]
) -> Mapping[tuple[str, str], tuple[str, Written]]:
    """Messages of ours by instance and by its own id of them, with whom each was for."""
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    for provider, inbound in arrivals:
        if inbound.answers:
            wanted[provider].add(inbound.answers)
    return {
        (provider, identity): (person, Written(*rest))
        for provider, identities in wanted.items()
        for identity, person, *rest in tx.all(
            "letters_named", provider=provider, provider_message_ids=sorted(identities)
        )
    }


def _only(
    named: tuple[str, Written] | None, inbound: Inbound, written: Sequence[Written]
) -> Sequence[Written]:
    """The named message, as one that was written from the address to which the answer came.

    Who names it knows better than an address that may be the upstream's own. The window counts from when its account
    wrote to this person last, as without a name.
    """
    if named is None or named[0] != inbound.sender:
        return written
    letter = named[1]
    times = [each.at_us for each in written if each.account_id == letter.account_id]
    address = inbound.recipient if letter.address else ""
    return [replace(letter, address=address, at_us=max(times, default=letter.at_us))]
