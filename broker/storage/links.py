"""Short links in the store: what messages have, what codes stand for, and clicks on them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from broker.domain.lifecycle import Fact
from broker.domain.linking import NewLink
from broker.domain.links import short_url
from broker.domain.records import LinkRecord
from broker.domain.value import value
from broker.domain.vocabulary import EventKind
from broker.storage.journal import Journal
from broker.storage.policies import load_policy
from broker.storage.transaction import Transaction

CLICK_EVENTS_MAX = 100
"""Clicks of one message that are events; later ones are counted and nothing else."""

NO_LINKS: Mapping[str, str] = {}


def insert_links(tx: Transaction, links: Sequence[tuple[int, NewLink]]) -> None:
    """Store links of new messages, each with its account. A code that is taken raises."""
    tx.bulk(
        "insert_message_links",
        [
            (
                link.message_id,
                link.place,
                account_id,
                link.code,
                link.domain,
                link.url,
                None if link.target == link.url else link.target,
            )
            for account_id, link in links
        ],
    )
    tx.bulk("insert_link_codes", [(link.code, link.message_id, link.place) for _, link in links])


def read_links(tx: Transaction, message_ids: Sequence[int]) -> Mapping[int, tuple[LinkRecord, ...]]:
    """The links of those messages that have some, in the order of their texts."""
    found: defaultdict[int, list[LinkRecord]] = defaultdict(list)
    rows = tx.all("links_of_messages", message_ids=list(message_ids)) if message_ids else ()
    for message_id, place, code, domain, url, target, clicks, last_click_at_us in rows:
        found[message_id].append(
            LinkRecord(place, short_url(domain, code), url, target or url, clicks, last_click_at_us)
        )
    return {message_id: tuple(links) for message_id, links in found.items()}


def read_short_urls(tx: Transaction, message_ids: Sequence[int]) -> Mapping[int, Mapping[str, str]]:
    """What stands for each link of the messages, by message and link."""
    links = read_links(tx, message_ids)
    return {message_id: {each.url: each.short_url for each in of} for message_id, of in links.items()}


@value
class CodeFound:
    """What a code stands for."""

    account_id: int
    message_id: int
    place: int
    domain: str
    target: str


def read_code(tx: Transaction, code: int) -> CodeFound | None:
    """The link of a code; None where there is none, or no more."""
    row = tx.one("link_by_code", code=code)
    return None if row is None else CodeFound(row[0], row[1], row[2], row[3], row[5] or row[4])


def read_link_domains(tx: Transaction) -> frozenset[str]:
    """The link domains of all accounts."""
    return frozenset(
        domain for row in tx.all("policies_with_links") for domain in load_policy(row[0]).link_domains
    )


@value
class Click:
    """Somebody followed a link. Times are microseconds UTC."""

    account_id: int
    message_id: int
    place: int
    clicked_at_us: int
    now_us: int


def record_clicks(tx: Transaction, items: list[Click]) -> list[bool]:
    """Count each click, and write those of the first `CLICK_EVENTS_MAX` of a message that are not there yet.

    Such a click is two events: what was followed, and after it the fact that the message was clicked, so that
    the message outlives both. False where the link is gone.
    """
    journal = Journal(tx, items[0].now_us)
    message_ids = list({item.message_id for item in items})
    journal.load(message_ids)
    links = {
        (message_id, each.place): _Counted(each, each.clicks, each.last_click_at_us)
        for message_id, of in read_links(tx, message_ids).items()
        for each in of
    }
    counts: defaultdict[int, int] = defaultdict(int)
    for (message_id, _), link in links.items():
        counts[message_id] += link.clicks
    clicked: dict[tuple[int, int], _Counted] = {}
    answers = []
    for item in items:
        key = item.message_id, item.place
        found = links.get(key)
        if found is not None:
            counts[item.message_id] += 1
            found.count(item.clicked_at_us)
            clicked[key] = found
            if counts[item.message_id] <= CLICK_EVENTS_MAX:
                _tell(journal, item, found.link)
        answers.append(found is not None)
    journal.flush()
    tx.bulk("count_clicks", [(*key, each.clicks, each.last_click_at_us) for key, each in clicked.items()])
    return answers


@dataclass(slots=True)
class _Counted:
    """A link with what is counted on it within one transaction."""

    link: LinkRecord
    clicks: int
    last_click_at_us: int | None

    def count(self, at_us: int) -> None:
        self.clicks += 1
        self.last_click_at_us = max(at_us, self.last_click_at_us or 0)


def _tell(journal: Journal, click: Click, link: LinkRecord) -> None:
    told = {"url": link.target, "short_url": link.short_url, "clicked_at_us": click.clicked_at_us}
    journal.tell(click.account_id, EventKind.CLICK, told, click.message_id)
    journal.happen(click.message_id, Fact.CLICKED)


def erase_links(tx: Transaction, message_ids: Sequence[int]) -> None:
    """Forget the links of messages: their codes lead nowhere from now on."""
    tx.all("delete_link_codes", message_ids=list(message_ids))
    tx.all("delete_message_links", message_ids=list(message_ids))


def erase_told_clicks(tx: Transaction, account_id: int, clicked: Sequence[int]) -> None:
    """Erase where the links led from the events of a message's clicks, by the sequences of its CLICKED facts.

    `record_clicks` writes what was followed right before each of them.
    """
    if clicked:
        tx.all("erase_told", account_id=account_id, sequences=[sequence - 1 for sequence in clicked])
