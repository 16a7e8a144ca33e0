"""`waypost keys`: the API keys and URL tokens of an account."""

import asyncio
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from broker.cli.exit_codes import ExitCode
from broker.cli.listing import with_list
from broker.cli.options import (
    DATA_DIR_DEFAULT,
    TARGET_DEFAULT,
    DataDirOption,
    KeyOption,
    TargetOption,
    TlsCaOption,
    TlsOption,
    span_of,
    time_of,
)

if TYPE_CHECKING:
    from broker.cli.connection import Target


class KeysGroup(TyperGroup):
    """`keys` alone lists: the sub-command may be left out."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Put in the sub-command that was left out."""
        return super().parse_args(ctx, with_list(ctx, args))


class RoleName(StrEnum):
    """What keys are for, as it is written on the command line."""

    ADMIN = "admin"
    PARTNER = "partner"
    SEND = "send"
    READ = "read"
    URL_SENDING = "url_sending"


Account = Annotated[str, typer.Option(metavar="ACCOUNT_ID", help="The account; your key's own if left out.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON lines.")]


def list_keys(
    account: Account = "",
    revoked: Annotated[bool, typer.Option("--revoked", help="Those that were revoked, too.")] = False,
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """List an account's keys, oldest first. Their secrets are shown nowhere."""
    from broker.cli.account_calls import all_keys
    from broker.cli.connection import Target

    found = _ask(Target(target, key, data_dir, tls, tls_ca), all_keys, account, revoked)
    if json:
        from broker.cli.json_lines import fields_of, print_line

        for each in found:
            print_line(fields_of(each))
        return ExitCode.OK
    from broker.cli.account_tables import keys_table
    from broker.cli.tables import stdout_console

    stdout_console().print(keys_table(found))
    return ExitCode.OK


def create_key(
    role: Annotated[RoleName, typer.Argument(help="What it may do.", case_sensitive=False)],
    description: Annotated[str, typer.Option(help="For people.")] = "",
    expires: Annotated[
        str, typer.Option(metavar="TIME|SPAN", help="When it ends, as 2027-01-01T00:00Z, or 90d from now.")
    ] = "",
    rate: Annotated[int, typer.Option(metavar="CALLS", help="At most so many calls a second.")] = 0,
    account: Account = "",
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Make a key. Its secret is printed now, and never again.

    waypost keys create send --description "the web shop" --expires 365d
    """
    from broker.cli.account_calls import issue_key
    from broker.cli.connection import Target

    made = _ask(
        Target(target, key, data_dir, tls, tls_ca),
        issue_key,
        account,
        role.value,
        description,
        _end_of(expires),
        rate,
    )
    if json:
        from broker.cli.json_lines import fields_of, print_line

        print_line(fields_of(made))
    else:
        print(f"{made.api_key.key_id} is a {role.value} key\nsecret, shown only now: {made.secret}")
    return ExitCode.OK


def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="Its id, as `list` prints it.")],
    account: Account = "",
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """End a key within a second. The key of this very call cannot be ended by it."""
    from broker.cli.account_calls import end_key
    from broker.cli.connection import Target

    _ask(Target(target, key, data_dir, tls, tls_ca), end_key, account, key_id)
    print(f"{key_id} is revoked")
    return ExitCode.OK


def _end_of(written: str) -> datetime | None:
    if not written:
        return None
    if "-" in written:
        return time_of("--expires", written)
    return datetime.now(UTC) + span_of("--expires", written)


def _ask(target: "Target", call: Any, *arguments: Any) -> Any:
    from broker.cli.connection import connected

    async def asking() -> Any:
        async with connected(target) as connection:
            return await call(connection, *arguments)

    return asyncio.run(asking())
