"""SendOptions → what a submission has of them, and the rules between them and the rest of the request."""

from dataclasses import replace

from broker.api.convert.findings import Findings
from broker.api.convert.link_wishes import link_wish_of
from broker.domain.account_policy import NO_POLICY
from broker.domain.fallback import ChannelFallback
from broker.domain.submission import Submission
from broker.domain.validity import validity_us
from broker.domain.vocabulary import Traffic
from broker.domain.ways import offered_channels
from waypost.v1 import send_pb2

FALLBACK_AFTER_S_MIN = 1
FALLBACK_AFTER_S_MAX = 7 * 86_400


def with_options(submission: Submission, request: send_pb2.SendRequest, findings: Findings) -> Submission:
    """The submission with the wishes of its options."""
    options = request.options
    wish = link_wish_of("options", options, findings)
    return replace(
        submission,
        fallback=_fallback(submission, options, findings),
        ignore_quiet_hours=options.ignore_quiet_hours,
        track_links=wish.track,
        short_link_domain=wish.domain,
        cap_frequency=_capped(submission, options, findings),
    )


def _capped(submission: Submission, options: send_pb2.SendOptions, findings: Findings) -> bool:
    field = "options.cap_frequency"
    if not options.cap_frequency:
        return False
    if submission.traffic is not Traffic.PROMOTIONAL:
        findings.broke(field, "counts TRAFFIC_PROMOTIONAL alone")
    for index, recipient in enumerate(submission.recipients):
        if recipient.contact is None:
            findings.broke(field, f"counts by contact, and recipients[{index}] is none of the directory")
            break
    return True


def _fallback(
    submission: Submission, options: send_pb2.SendOptions, findings: Findings
) -> ChannelFallback | None:
    field = "options.fallback_after"
    if not options.allow_channel_fallback:
        if options.HasField("fallback_after"):
            findings.broke(field, "says when to go on by another channel: set allow_channel_fallback too")
        return None
    # What a template says is found later, and may be of one channel today and of two tomorrow.
    if submission.content.documents and len(offered_channels(submission, NO_POLICY)) < 2:
        findings.broke("options.allow_channel_fallback", "needs content for two of the channels")
    if not options.HasField("fallback_after"):
        return ChannelFallback()
    after_us = findings.span(
        field, options.fallback_after, s_min=FALLBACK_AFTER_S_MIN, s_max=FALLBACK_AFTER_S_MAX
    )
    valid_us = validity_us(submission)
    if after_us is not None and after_us >= valid_us:
        findings.broke(field, f"must be less than the validity, {valid_us // 1_000_000:,} s")
    return ChannelFallback(after_us)
