"""`waypost send`: whom, what and how from the command line; answers, and with --follow the whole story."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from broker.cli import send_options as option
from broker.cli.exit_codes import ExitCode
from broker.cli.failures import UsageError
from broker.cli.options import (
    DATA_DIR_DEFAULT,
    TARGET_DEFAULT,
    DataDirOption,
    KeyOption,
    TargetOption,
    TlsCaOption,
    TlsOption,
    link_actions_of,
    span_of,
    span_s_of,
    time_of,
    tokens_of,
)
from broker.cli.recipients import Recipients, Row, read_recipients, row_of_address

if TYPE_CHECKING:
    from broker.cli.connection import Target
    from broker.cli.requests import PlannedRequest
    from broker.cli.sending import Answer

_NUMBER = re.compile(r"\+[0-9 ().-]{6,}")


def send(
    words: option.Words = None,
    to: option.To = None,
    contact: option.Contacts = None,
    delegation: option.Delegation = None,
    csv: option.Csv = None,
    text: option.Text = None,
    subject: option.Subject = "",
    link_action: option.LinkActions = None,
    sender: option.Sender = "",
    sender_pool: option.SenderPool = "",
    traffic: option.Traffic = None,
    channel: option.Channels = None,
    ignore_quiet_hours: option.IgnoreQuietHours = False,
    cap_frequency: option.CapFrequency = False,
    fallback: option.Fallback = False,
    fallback_after: option.FallbackAfter = None,
    schedule: option.Schedule = None,
    validity: option.Validity = None,
    reference: option.Reference = "",
    campaign: option.Campaign = "",
    tag: option.Tags = None,
    data: option.Data = "",
    token: option.Tokens = None,
    template: option.Template = None,
    template_version: option.TemplateVersion = "",
    locale: option.Locale = "",
    request_id: option.RequestId = "",
    provider: option.Provider = "",
    track_links: option.TrackLinks = None,
    short_link_domain: option.ShortLinkDomain = "",
    validate_only: option.ValidateOnly = False,
    follow: option.Follow = False,
    timeout: option.Timeout = None,
    json: option.Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Send a message to one recipient or to many.

    waypost send +447700900123 "Hello"

    waypost send --csv recipients.csv --text "Hello" --follow

    Exit codes:
    0 every recipient was accepted; with --follow, and every message ended
    1 a recipient or the call was refused
    2 usage
    3 no broker answers there, or it does not let the key in
    4 the time ran out
    """
    if follow and validate_only:
        raise UsageError("--validate-only sends nothing, so there is nothing to --follow")
    if timeout is not None and not follow:
        raise UsageError("--timeout goes with --follow")
    rows = [Row(contact=each) for each in contact or ()]
    recipients, said = whom_and_what(words or [], to or [], csv, text, rows)
    if delegation is not None and not any(row.contact for row in recipients.rows):
        raise UsageError("--delegation is for those of the directory: name them by --contact")
    if template is None and (template_version or locale):
        raise UsageError("--template-version and --locale go with --template")
    timeout_s = None if timeout is None else span_s_of("--timeout", timeout)

    from broker.cli.connection import Target
    from broker.cli.policy_wishes import options_of
    from broker.cli.requests import TemplateWish, Wishes, plan_requests, unused_columns

    wishes = Wishes(
        text=said,
        subject=subject,
        link_actions=link_actions_of(link_action or ()),
        sender=sender,
        sender_pool=sender_pool,
        traffic=traffic or "",
        channels=channel or (),
        options=options_of(
            fallback=fallback,
            fallback_after=fallback_after,
            ignore_quiet_hours=ignore_quiet_hours,
            cap_frequency=cap_frequency,
            track_links=track_links,
            short_link_domain=short_link_domain,
        ),
        schedule_time=None if schedule is None else time_of("--schedule", schedule),
        validity=None if validity is None else span_of("--validity", validity),
        client_reference=reference,
        campaign=campaign,
        tags=tag or (),
        data=data,
        request_id=request_id,
        provider=provider,
        validate_only=validate_only,
        delegation=delegation or "",
        tokens=tokens_of("--token", token or ()),
        template=None if template is None else TemplateWish(template, template_version, locale),
    )
    plans = plan_requests(recipients.rows, wishes)
    if unused := unused_columns(recipients, wishes):
        print(f"waypost: columns not used: {', '.join(unused)}", file=sys.stderr)
    where = Target(target, key, data_dir, tls, tls_ca)
    return asyncio.run(_send(where, recipients.rows, plans, follow=follow, timeout_s=timeout_s, json=json))


def whom_and_what(
    words: Sequence[str],
    to: Sequence[str],
    csv: Path | None,
    text: str | None,
    contacts: Sequence[Row] = (),
) -> tuple[Recipients, str]:
    """The recipients, and the text for all of them, "" where there is none.

    The last word is the text, unless --text is given or it is all that says whom to send to.
    """
    left = list(words)
    if text is None and (len(left) > 1 or to or contacts or csv is not None):
        text = _text_of(left.pop()) if left else None
    if len(left) > 1:
        raise UsageError(f"{left[1]!r} is one word too many: quote the text, name more recipients by --to")
    addresses = [*left, *to]
    if csv is not None and (addresses or contacts):
        raise UsageError("recipients come by --csv or by name, not both")
    if csv is not None:
        return read_recipients(csv), text or ""
    if not (addresses or contacts):
        raise UsageError("whom to? Give a recipient and a text, or --to, --contact or --csv")
    return Recipients([*map(row_of_address, addresses), *contacts]), text or ""


def _text_of(word: str) -> str:
    """A word that is meant as the text; a number there is more likely a recipient too many."""
    if _NUMBER.fullmatch(word):
        raise UsageError(
            f"{word} is where the text should be: name more recipients by --to, the text by --text"
        )
    return word


async def _send(
    target: "Target",
    rows: Sequence[Row],
    plans: "Sequence[PlannedRequest]",
    *,
    follow: bool,
    timeout_s: float | None,
    json: bool,
) -> int:
    from broker.cli.connection import connected
    from broker.cli.following import send_and_follow
    from broker.cli.sending import send_all

    async with connected(target) as connection:
        if follow:
            answers, in_time = await send_and_follow(connection, rows, plans, timeout_s=timeout_s, json=json)
        else:
            answers, in_time = await _print_answers(send_all(connection, plans), rows, json=json), True
    if not in_time:
        print("waypost: time ran out; the broker goes on with the rest", file=sys.stderr)
        return ExitCode.TIMEOUT
    return ExitCode.REFUSED if any(answer.refused for answer in answers) else ExitCode.OK


async def _print_answers(
    coming: "AsyncIterator[Answer]", rows: Sequence[Row], *, json: bool
) -> "list[Answer]":
    """Print each answer as it comes where a program reads along, and a table of all for people."""
    answers: list[Answer] = []
    if json:
        from broker.cli.json_lines import answer_line, print_line

        async for answer in coming:
            answers.append(answer)
            print_line(answer_line(answer))
        return answers
    from broker.cli.tables import answers_table, stdout_console

    try:
        async for answer in coming:
            answers.append(answer)  # noqa: PERF401 - a comprehension loses them when the stream breaks
    finally:
        # Also when the stream broke: what was answered until then is stored and will be sent.
        if answers:
            stdout_console().print(answers_table(rows, answers))
    return answers
