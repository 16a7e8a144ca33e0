"""The options of `send` and `explain` that say how policy is applied, and what becomes of links → SendOptions."""

from google.protobuf.duration_pb2 import Duration

from broker.cli.options import span_of
from waypost.v1 import send_pb2


def options_of(
    *,
    fallback: bool = False,
    fallback_after: str | None = None,
    ignore_quiet_hours: bool = False,
    cap_frequency: bool = False,
    track_links: bool | None = None,
    short_link_domain: str = "",
) -> send_pb2.SendOptions | None:
    """The options that were given; None: not one of them."""
    options = send_pb2.SendOptions(
        ignore_quiet_hours=ignore_quiet_hours,
        cap_frequency=cap_frequency,
        allow_channel_fallback=fallback or fallback_after is not None,
        track_links=track_links is True,
        keep_links=track_links is False,
        short_link_domain=short_link_domain,
    )
    if fallback_after is not None:
        after = Duration()
        after.FromTimedelta(span_of("--fallback-after", fallback_after))
        options.fallback_after.CopyFrom(after)
    return options if options.ListFields() else None
