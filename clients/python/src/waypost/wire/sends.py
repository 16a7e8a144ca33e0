"""SendRequest to protobuf, and its answers back."""

from collections.abc import Iterable

from waypost.sending import Campaign, Options, Price, Recipient, SendRequest, SendResult, Sent, To
from waypost.v1 import price_pb2, recipient_pb2, send_pb2
from waypost.vocabulary import Channel
from waypost.wire.contents import content_message, template_message
from waypost.wire.times import duration, time_of, timestamp
from waypost.wire.words import (
    CALLBACK_METHODS,
    CHANNELS,
    DELEGATIONS,
    ENCODINGS,
    GUARANTEES,
    REASONS,
    STATUSES,
    TRAFFICS,
)


def request_message(request: SendRequest) -> send_pb2.SendRequest:
    """The request as protobuf. Raises ValueError for what cannot be said in it."""
    message = send_pb2.SendRequest(
        request_id=request.request_id,
        account_id=request.account_id,
        recipients=[_recipient_message(each) for each in _recipients(request.to)],
        content=None if request.template is not None else content_message(request.content),
        template=None if request.template is None else template_message(request.template),
        sender=request.sender,
        client_reference=request.client_reference,
        data=request.data,
        tags=texts(request.tags),
        reply_to_message_id=request.reply_to_message_id,
        callback_url=request.callback_url,
        provider=request.provider,
        validate_only=request.validate_only,
        tokens=request.tokens,
        origin=request.origin,
        sender_pool=request.sender_pool,
    )
    _put_wishes(request, message)
    return message


def _put_wishes(request: SendRequest, message: send_pb2.SendRequest) -> None:
    """What most requests leave unset."""
    if request.traffic is not None:
        message.traffic = TRAFFICS.number(request.traffic)
    if request.guarantee is not None:
        message.guarantee = GUARANTEES.number(request.guarantee)
    channels = [request.channels] if isinstance(request.channels, Channel) else request.channels
    message.channels.extend(map(CHANNELS.number, channels))
    if request.schedule_time is not None:
        message.schedule_time.CopyFrom(timestamp(request.schedule_time))
    if request.validity is not None:
        message.validity.CopyFrom(duration(request.validity))
    if request.campaign is not None:
        message.campaign.CopyFrom(send_pb2.Campaign(id=request.campaign.id, name=request.campaign.name))
    if request.options is not None:
        message.options.CopyFrom(_options_message(request.options))


def _options_message(options: Options) -> send_pb2.SendOptions:
    return send_pb2.SendOptions(
        ignore_quiet_hours=options.ignore_quiet_hours,
        cap_frequency=options.cap_frequency,
        track_links=options.track_links,
        short_link_domain=options.short_link_domain,
        callback_method=CALLBACK_METHODS.number(options.callback_method),
        allow_channel_fallback=options.allow_channel_fallback,
        fallback_after=None if options.fallback_after is None else duration(options.fallback_after),
        keep_links=options.keep_links,
    )


def _recipients(to: To) -> Iterable[str | Recipient]:
    return (to,) if isinstance(to, str | Recipient) else to


def _recipient_message(recipient: str | Recipient) -> recipient_pb2.Recipient:
    if isinstance(recipient, str):
        if "@" in recipient:
            return recipient_pb2.Recipient(email=recipient)
        return recipient_pb2.Recipient(phone_number=recipient)
    return recipient_pb2.Recipient(
        contact_id=recipient.contact_id,
        external_id=recipient.external_id,
        phone_number=recipient.phone_number,
        email=recipient.email,
        device_token=recipient.device_token,
        delegation=DELEGATIONS.number(recipient.delegation),
        tokens=recipient.tokens,
        schedule_time=None if recipient.schedule_time is None else timestamp(recipient.schedule_time),
        client_reference=recipient.client_reference,
        data=recipient.data,
    )


def texts(given: str | Iterable[str]) -> Iterable[str]:
    """One text, or several."""
    return (given,) if isinstance(given, str) else given


def sent_of(request_id: str, response: send_pb2.SendResponse) -> Sent:
    """What became of a request."""
    return Sent(request_id, tuple(map(_result, response.results)))


def _result(result: send_pb2.SendResult) -> SendResult:
    return SendResult(
        recipient_index=result.recipient_index,
        message_id=result.message_id,
        status=STATUSES.word(result.status),
        reason=REASONS.optional(result.reason),
        detail=result.detail,
        recipient=result.recipient,
        contact_id=result.contact_id,
        channel=CHANNELS.optional(result.channel),
        transmit_time=time_of(result.transmit_time) if result.HasField("transmit_time") else None,
        client_reference=result.client_reference,
        units=result.units,
        encoding=ENCODINGS.optional(result.encoding),
        price=price_of(result.price) if result.HasField("price") else None,
        warnings=tuple(result.warnings),
        fallback_channels=tuple(map(CHANNELS.word, result.fallback_channels)),
        sender=result.sender,
    )


def price_of(price: price_pb2.Price) -> Price:
    """An amount of money."""
    return Price(price.amount_micros, price.currency)


def campaign_of(campaign: send_pb2.Campaign) -> Campaign:
    """A campaign."""
    return Campaign(campaign.id, campaign.name)
