"""`waypost webhooks`: the URLs that get an account's events."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from broker.cli.exit_codes import ExitCode
from broker.cli.options import (
    DATA_DIR_DEFAULT,
    TARGET_DEFAULT,
    DataDirOption,
    KeyOption,
    KindName,
    TargetOption,
    TlsCaOption,
    TlsOption,
    span_of,
)

if TYPE_CHECKING:
    from broker.cli.connection import Connection, Target

Account = Annotated[str, typer.Option(metavar="ACCOUNT_ID", help="The account; your key's own if left out.")]
Json = Annotated[bool, typer.Option("--json", help="As one JSON line.")]
WebhookId = Annotated[str, typer.Argument(metavar="WEBHOOK_ID", help="Its id, as `list` prints it.")]


def list_webhooks(
    account: Account = "",
    json: Annotated[bool, typer.Option("--json", help="Each as one JSON line.")] = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """List the webhooks of an account, oldest first."""
    from broker.cli.connection import Target
    from broker.cli.webhook_calls import all_webhooks

    found = _ask(
        Target(target, key, data_dir, tls, tls_ca), lambda connection: all_webhooks(connection, account)
    )
    if json:
        from broker.cli.json_lines import fields_of, print_line

        for each in found:
            print_line(fields_of(each))
        return ExitCode.OK
    from broker.cli.tables import stdout_console
    from broker.cli.webhook_tables import webhooks_table

    stdout_console().print(webhooks_table(found))
    return ExitCode.OK


def create_webhook(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where events go, http or https.")],
    description: Annotated[str, typer.Option(help="For people.")] = "",
    kind: Annotated[
        list[KindName] | None, typer.Option(help="Only this kind; repeatable.", case_sensitive=False)
    ] = None,
    fact: Annotated[
        list[str] | None,
        typer.Option(metavar="FACT", help="Of messages only this fact, as delivered; repeatable."),
    ] = None,
    account: Account = "",
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Make a webhook. Its secret is printed now, and never again.

    waypost webhooks create https://shop.example/waypost --fact delivered --fact undelivered
    """
    from broker.cli.connection import Target
    from broker.cli.webhook_calls import create, create_request

    request = create_request(account, url, description, kind or [], fact or [])
    made = _ask(Target(target, key, data_dir, tls, tls_ca), lambda connection: create(connection, request))
    if json:
        _print_json(made)
    else:
        print(f"{made.webhook.webhook_id} gets events from now on\nsecret, shown only now: {made.secret}")
    return ExitCode.OK


def rotate_webhook(
    webhook_id: Annotated[
        str,
        typer.Argument(metavar="[WEBHOOK_ID]", help="Left out: the secret of messages' callback_url."),
    ] = "",
    overlap: Annotated[
        str | None, typer.Option(metavar="SPAN", help="The old secret signs too for, as 1h; 24h if left out.")
    ] = None,
    account: Account = "",
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Make a new secret. It is printed now, and never again."""
    span: timedelta | None = None if overlap is None else span_of("--overlap", overlap)
    from broker.cli.connection import Target
    from broker.cli.webhook_calls import rotate

    made = _ask(
        Target(target, key, data_dir, tls, tls_ca),
        lambda connection: rotate(connection, account, webhook_id, span),
    )
    if json:
        _print_json(made)
    else:
        until = made.previous_expire_time.ToJsonString()
        print(f"secret, shown only now: {made.secret}\nthe one before it signs, too, until {until}")
    return ExitCode.OK


def delete_webhook(
    webhook_id: WebhookId,
    account: Account = "",
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Delete a webhook. What it did not take yet is dropped."""
    from broker.cli.connection import Target
    from broker.cli.webhook_calls import delete

    _ask(
        Target(target, key, data_dir, tls, tls_ca),
        lambda connection: delete(connection, account, webhook_id),
    )
    print(f"{webhook_id} is deleted")
    return ExitCode.OK


def _print_json(message: Any) -> None:
    from broker.cli.json_lines import fields_of, print_line

    print_line(fields_of(message))


def _ask(target: "Target", call: "Callable[[Connection], Awaitable[Any]]") -> Any:
    from broker.cli.connection import connected

    async def asking() -> Any:
        async with connected(target) as connection:
            return await call(connection)

    return asyncio.run(asking())
