"""`waypost accounts`: who sends, and who may act for whom."""

import asyncio
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
)

if TYPE_CHECKING:
    from broker.cli.connection import Target


class AccountsGroup(TyperGroup):
    """`accounts` alone lists: the sub-command may be left out."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Put in the sub-command that was left out."""
        return super().parse_args(ctx, with_list(ctx, args))


Json = Annotated[bool, typer.Option("--json", help="As JSON lines.")]
Company = Annotated[str | None, typer.Option(help="The company.")]
Name = Annotated[str | None, typer.Option(help="What people call it.")]
ApiAccess = Annotated[
    bool | None, typer.Option("--api-access/--no-api-access", help="Whether its own keys may call.")
]
SandboxOnly = Annotated[
    bool | None, typer.Option("--sandbox-only/--no-sandbox-only", help="Whether its messages reach nobody.")
]
Region = Annotated[
    str | None, typer.Option(metavar="CODE", help="The country whose national numbers are taken, as GB.")
]
Countries = Annotated[
    list[str] | None, typer.Option(metavar="CODE", help="Only numbers of this country; repeatable.")
]


def list_accounts(
    below: Annotated[str, typer.Option(metavar="ACCOUNT_ID", help="Those below this one.")] = "",
    children: Annotated[bool, typer.Option("--children", help="Only those right below.")] = False,
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """List accounts, each below the one that it belongs to."""
    from broker.cli.account_calls import all_accounts
    from broker.cli.connection import Target

    found = _ask(Target(target, key, data_dir, tls, tls_ca), all_accounts, below, children)
    if json:
        return _print_lines(found)
    from broker.cli.account_tables import accounts_table
    from broker.cli.tables import stdout_console

    stdout_console().print(accounts_table(found))
    return ExitCode.OK


def show_account(
    account_id: Annotated[
        str, typer.Argument(metavar="[ACCOUNT_ID | EMAIL]", help="Your key's own if left out.")
    ] = "",
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Show one account, by its id or its email."""
    from broker.cli.account_calls import one_account
    from broker.cli.connection import Target

    return _show(_ask(Target(target, key, data_dir, tls, tls_ca), one_account, account_id), json=json)


def create_account(
    first_name: Annotated[str, typer.Option(help="Of the person who answers for it.")],
    last_name: Annotated[str, typer.Option(help="Of the same.")],
    email: Annotated[str, typer.Option(help="Its email; no other account has it, and it stays.")],
    contact_number: Annotated[str, typer.Option(help="A telephone number.")],
    company: Company = None,
    name: Name = None,
    parent: Annotated[str, typer.Option(metavar="ACCOUNT_ID", help="The account above it.")] = "",
    api_access: ApiAccess = None,
    sandbox_only: SandboxOnly = None,
    default_region: Region = None,
    allow_country: Countries = None,
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Make an account.

    waypost accounts create --first-name Ada --last-name Byron --email ada@engines.example --contact-number 0123456
    """
    from broker.cli.account_calls import create
    from broker.cli.connection import Target

    fields = {
        "first_name": first_name,
        "last_name": last_name,
        "email": email,
        "contact_number": contact_number,
        "company": company,
        "name": name,
        "parent_account_id": parent,
        "api_access": api_access,
        "sandbox_only": sandbox_only,
    }
    policy = {"default_region": default_region, "allowed_countries": allow_country}
    return _show(_ask(Target(target, key, data_dir, tls, tls_ca), create, fields, policy), json=json)


def update_account(
    account_id: Annotated[str, typer.Argument(metavar="ACCOUNT_ID", help="Which.")],
    first_name: Annotated[str | None, typer.Option(help="Of the person who answers for it.")] = None,
    last_name: Annotated[str | None, typer.Option(help="Of the same.")] = None,
    contact_number: Annotated[str | None, typer.Option(help="A telephone number.")] = None,
    company: Company = None,
    name: Name = None,
    api_access: ApiAccess = None,
    sandbox_only: SandboxOnly = None,
    default_region: Region = None,
    allow_country: Countries = None,
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Change what is given; "" empties it, and the rest stays."""
    from broker.cli.account_calls import update
    from broker.cli.connection import Target

    fields = {
        "first_name": first_name,
        "last_name": last_name,
        "contact_number": contact_number,
        "company": company,
        "name": name,
        "api_access": api_access,
        "sandbox_only": sandbox_only,
    }
    policy = {"default_region": default_region, "allowed_countries": allow_country}
    changed = _ask(Target(target, key, data_dir, tls, tls_ca), update, account_id, fields, policy)
    return _show(changed, json=json)


def _show(account: Any, *, json: bool) -> int:
    if json:
        return _print_lines([account])
    from broker.cli.account_tables import account_card
    from broker.cli.tables import stdout_console

    stdout_console().print(account_card(account))
    return ExitCode.OK


def _print_lines(found: Any) -> int:
    from broker.cli.json_lines import fields_of, print_line

    for each in found:
        print_line(fields_of(each))
    return ExitCode.OK


def _ask(target: "Target", call: Any, *arguments: Any) -> Any:
    from broker.cli.connection import connected

    async def asking() -> Any:
        async with connected(target) as connection:
            return await call(connection, *arguments)

    return asyncio.run(asking())
