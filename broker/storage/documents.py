"""JSON documents of the store: what is kept whole because nothing is searched by it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import orjson

from broker.domain.directory import Card
from broker.domain.encoding import Encoding
from broker.domain.lifecycle import State
from broker.domain.links import shortened
from broker.domain.outcome import Receipt, ReceiptStatus
from broker.domain.price import Price, PricedItem
from broker.domain.prices import PriceRule, Quote
from broker.domain.records import NO_LABELS, Labels
from broker.domain.routes import Route
from broker.domain.saying import filled
from broker.domain.submission import NO_TOKENS, Campaign, Content, Result, Submission, TemplateUsed
from broker.domain.value import value
from broker.domain.vocabulary import Channel, Reason, Traffic

UNLABELLED = "{}"
_AUTOREPLY = PricedItem.AUTOREPLY  # looked up for every submission
_FLAGS = ("answers_consent", "ignore_quiet_hours", "cap_frequency")
"""What a submission says yes or no to, and its labels keep under the same names."""


def dump_labels(submission: Submission) -> str:
    """What the caller attached for its own use."""
    fields: dict[str, object] = {}
    if submission.campaign:
        fields["campaign"] = [submission.campaign.id, submission.campaign.name]
    if submission.tags:
        fields["tags"] = submission.tags
    if submission.origin:
        fields["origin"] = submission.origin
    if submission.reply_to_message_id is not None:
        fields["reply_to"] = submission.reply_to_message_id
    if submission.edition:
        used = submission.edition
        fields["template"] = [used.project, used.name, used.version, used.locale]
    if submission.redriven_from_message_id is not None:
        fields["redriven_from"] = submission.redriven_from_message_id
    if submission.broadcast_id is not None:
        fields["broadcast"] = submission.broadcast_id
    fields |= {name: True for name in _FLAGS if getattr(submission, name)}
    if submission.priced_as is _AUTOREPLY:
        fields["priced_as"] = _AUTOREPLY
    return orjson.dumps(fields).decode() if fields else UNLABELLED


def dump_reply_labels(answered: Labels, reply_to: int | None) -> str:
    """The labels of a message that came in: those of the message that it answers, and that message."""
    fields: dict[str, object] = {}
    if answered.campaign:
        fields["campaign"] = [answered.campaign.id, answered.campaign.name]
    if answered.tags:
        fields["tags"] = answered.tags
    if answered.origin:
        fields["origin"] = answered.origin
    if reply_to is not None:
        fields["reply_to"] = reply_to
    return orjson.dumps(fields).decode() if fields else UNLABELLED


@lru_cache(maxsize=4096)
def load_labels(text: str) -> Labels:
    """The labels; shared by all who carry the same."""
    if text == UNLABELLED:
        return NO_LABELS
    fields = orjson.loads(text)
    campaign, template = fields.get("campaign"), fields.get("template")
    return Labels(
        campaign=Campaign(*campaign) if campaign else None,
        tags=tuple(fields.get("tags", ())),
        origin=fields.get("origin", ""),
        reply_to_message_id=fields.get("reply_to"),
        template=TemplateUsed(*template) if template else None,
        redriven_from_message_id=fields.get("redriven_from"),
        answers_consent=fields.get("answers_consent", False),
        broadcast_id=fields.get("broadcast"),
        ignore_quiet_hours=fields.get("ignore_quiet_hours", False),
        cap_frequency=fields.get("cap_frequency", False),
        priced_as=PricedItem(fields.get("priced_as", PricedItem.MESSAGE_UNIT)),
    )


def dump_inbound_content(channel: Channel, text: str) -> str:
    """What somebody wrote to us, as the document of its channel."""
    return orjson.dumps({_KEYS[channel]: {"body" if channel is Channel.IN_APP else "text": text}}).decode()


def dump_content(content: Content, tokens: Mapping[str, str] | None = None) -> str:
    """The documents by channel number; with placeholders, also the values that all recipients share.

    Where links are shortened, also the domain of the short ones.
    """
    fields: dict[str, object] = {_KEYS[channel]: each for channel, each in content.documents.items()}
    if content.names:
        shared = tokens or NO_TOKENS
        fields[_SHARED] = {name: shared[name] for name in content.names if name in shared}
    if content.links is not None:
        fields[_LINK_DOMAIN] = content.links.domain
    return orjson.dumps(fields).decode()


_KEYS = {channel: str(int(channel)) for channel in Channel}
_SHARED = "$"
_LINK_DOMAIN = "link_domain"


@value
class StoredContent:
    """What was said to all recipients of a call, a document for each channel.

    `tokens` are the values that they share for its placeholders; None: it has none, and a "$" in it is a "$".
    `link_domain` is that of its short links; "": its links stay as they are.
    """

    documents: Mapping[Channel, dict[str, Any]]
    tokens: Mapping[str, str] | None
    link_domain: str = ""

    def said_on(
        self, channel: Channel, own: Mapping[str, str], short_urls: Mapping[str, str] = NO_TOKENS
    ) -> dict[str, Any]:
        """What somebody with these values of their own, and these short links, is told."""
        document = self.documents[channel]
        if self.tokens is not None:
            document = filled(channel, document, {**self.tokens, **own})
        return shortened(channel, document, short_urls.get) if short_urls else document


def load_content(text: str) -> StoredContent:
    """The documents by channel."""
    fields = orjson.loads(text)
    tokens, link_domain = fields.pop(_SHARED, None), fields.pop(_LINK_DOMAIN, "")
    documents = {Channel(int(number)): document for number, document in fields.items()}
    return StoredContent(documents, tokens, link_domain)


def dump_tokens(tokens: Mapping[str, str]) -> str:
    """One recipient's own values."""
    return orjson.dumps(tokens).decode()


def load_tokens(text: str) -> Mapping[str, str]:
    """The values by name."""
    tokens: dict[str, str] = orjson.loads(text)
    return tokens


def dump_answer(results: list[Result]) -> str:
    """The answer to a call, to be given again."""
    return orjson.dumps([
        [
            result.recipient_index,
            result.message_id,
            result.state,
            result.recipient,
            result.channel,
            result.transmit_at_us,
            result.client_reference,
            result.units,
            result.encoding,
            result.reason.name if result.reason else None,
            result.detail,
            result.warnings,
            result.contact_id,
            result.fallback_channels,
            result.price and [result.price.micros, result.price.currency],
            result.sender,
        ]
        for result in results
    ]).decode()


def load_answer(text: str) -> list[Result]:
    """The answer as it was first given."""
    return [
        Result(
            recipient_index=row[0],
            message_id=row[1],
            state=State(row[2]),
            recipient=row[3],
            channel=Channel(row[4]) if row[4] else None,
            transmit_at_us=row[5],
            client_reference=row[6],
            units=row[7],
            encoding=Encoding(row[8]) if row[8] else None,
            reason=Reason[row[9]] if row[9] else None,
            detail=row[10],
            warnings=tuple(row[11]),
            contact_id=row[12] if len(row) > 12 else None,  # earlier versions knew no contacts
            fallback_channels=tuple(map(Channel, row[13])) if len(row) > 13 else (),
            price=Price(*row[14]) if len(row) > 14 and row[14] else None,
            sender=row[15] if len(row) > 15 else "",
        )
        for row in orjson.loads(text)
    ]


def dump_receipt(receipt: Receipt) -> str:
    """A receipt that waits for its message."""
    return orjson.dumps([
        receipt.provider_message_id,
        receipt.status.name,
        receipt.recipient,
        receipt.part,
        receipt.code,
        receipt.text,
        receipt.time_us,
        receipt.reason and receipt.reason.name,
    ]).decode()


def load_receipt(text: str) -> Receipt:
    """The receipt as it came."""
    identity, status, recipient, part, code, said, time_us, *later = orjson.loads(text)
    reason = Reason[later[0]] if later and later[0] else None  # one that was parked before there were reasons
    return Receipt(identity, ReceiptStatus[status], recipient, part, code, said, time_us, reason)


def dump_card(card: Card) -> str:
    """What is known about a contact; what is empty is left out."""
    given = ((name, getattr(card, name)) for name in Card.__dataclass_fields__)
    return orjson.dumps({name: each for name, each in given if each}).decode()


def load_card(text: str) -> Card:
    """The card as it was written."""
    fields: dict[str, Any] = orjson.loads(text)
    for name in _CARD_LISTS & fields.keys():
        fields[name] = tuple(fields[name])
    if "channels" in fields:
        fields["channels"] = tuple(map(Channel, fields["channels"]))
    return Card(**fields)


_CARD_LISTS = frozenset({"external_ids", "phone_numbers", "emails", "device_tokens"})


def dump_routes(routes: Sequence[Route]) -> str:
    """A table of routes, fields with nothing in them left out."""
    return orjson.dumps([
        {name: given for name in Route.__match_args__ if (given := getattr(route, name))} for route in routes
    ]).decode()


def load_routes(text: str) -> tuple[Route, ...]:
    """The routes as they were stored. A field that a later version stored is an error, not another route."""
    return tuple(_route(fields) for fields in orjson.loads(text))


def _route(fields: dict[str, Any]) -> Route:
    lists = {name: tuple(given) for name, given in fields.items() if isinstance(given, list)}
    route = Route(**(fields | lists))
    return replace(
        route,
        channels=tuple(Channel(each) for each in route.channels),
        traffic=tuple(Traffic(each) for each in route.traffic),
    )


def dump_prices(rules: Sequence[PriceRule]) -> str:
    """A table of price rules, fields with nothing in them left out."""
    return orjson.dumps([
        {name: given for name in PriceRule.__match_args__ if (given := getattr(rule, name))} for rule in rules
    ]).decode()


def load_prices(text: str) -> tuple[PriceRule, ...]:
    """The price rules as they were stored."""
    rules = []
    for fields in orjson.loads(text):
        lists = {name: tuple(given) for name, given in fields.items() if isinstance(given, list)}
        rule = PriceRule(**({"amount_micros": 0} | fields | lists))
        rules.append(replace(rule, channels=tuple(map(Channel, rule.channels)), item=PricedItem(rule.item)))
    return tuple(rules)


def dump_costs(quote: Quote | None) -> str | None:
    """What a message costs through each of its candidates; None where that is the same."""
    if quote is None or quote.by_provider is None:
        return None
    fields = {
        name: cost if isinstance(cost, int) else {_KEYS[channel]: each for channel, each in cost.items()}
        for name, cost in quote.by_provider.items()
    }
    return orjson.dumps(fields).decode()


def with_cost(costs: str | None, provider: str, channel: Channel, micros: int) -> str:
    """The costs with another one: what a message costs through a provider when it goes by this channel."""
    fields = orjson.loads(costs) if costs else {}
    known = fields.get(provider, {})
    by_channel = known if isinstance(known, dict) else dict.fromkeys(_KEYS.values(), known)
    fields[provider] = {**by_channel, _KEYS[channel]: micros}
    return orjson.dumps(fields).decode()


def cost_through(costs: str, provider: str, most: int, channel: Callable[[], Channel]) -> int:
    """What a message costs through a provider; one that nobody priced costs what the dearest does.

    `channel` tells by which it goes, and is asked only where that matters.
    """
    cost = orjson.loads(costs).get(provider, most)
    return int(cost.get(_KEYS[channel()], most) if isinstance(cost, dict) else cost)
