"""`waypost credits`: what an account can spend, buying more, and moving it to another account."""

import asyncio
import secrets
from typing import TYPE_CHECKING, Annotated, Any

import typer

from broker.cli.amounts import amount_text, micros_of
from broker.cli.exit_codes import ExitCode
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
    from waypost.v1 import account_service_pb2 as pb

AccountOption = Annotated[str, typer.Option("--account", metavar="ACCOUNT_ID", help="Else the key's own.")]
AmountArgument = Annotated[
    str, typer.Argument(metavar="AMOUNT", help="As 5 or 0.035, in the broker's currency.")
]
RequestIdOption = Annotated[
    str | None,
    typer.Option("--request-id", help="To repeat a call safely: the same one happens once. Else a new one."),
]
OneLine = Annotated[bool, typer.Option("--json", help="As one JSON line.")]


def show_balance(
    account: AccountOption = "",
    json: OneLine = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Show what an account can spend, what is held, and what it has spent."""
    from broker.cli.connection import Target
    from waypost.v1 import account_service_pb2 as pb

    request = pb.GetBalanceRequest(account_id=account)
    response = asyncio.run(_ask(Target(target, key, data_dir, tls, tls_ca), "GetBalance", request))
    if json:
        _print_fields(response)
    else:
        _print_balance("", response.balance)
    return ExitCode.OK


def purchase_credits(
    amount: AmountArgument,
    token: Annotated[
        str,
        typer.Option(
            envvar="WAYPOST_PAYMENT_TOKEN",
            metavar="TOKEN",
            help="Stands for the means of payment; never a card number. Better given in the environment.",
        ),
    ],
    account: AccountOption = "",
    request_id: RequestIdOption = None,
    json: OneLine = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Buy credit."""
    from broker.cli.connection import Target
    from waypost.v1 import account_service_pb2 as pb

    request = pb.PurchaseCreditsRequest(
        request_id=request_id or secrets.token_hex(16),
        account_id=account,
        amount_micros=micros_of("AMOUNT", amount),
        payment_token=token,
    )
    response = asyncio.run(_ask(Target(target, key, data_dir, tls, tls_ca), "PurchaseCredits", request))
    if json:
        _print_fields(response)
    else:
        print(f"purchase {response.purchase_id} is paid {response.payment_reference}".rstrip())
        _print_balance("", response.balance)
    return ExitCode.OK


def transfer_credits(
    amount: AmountArgument,
    to: Annotated[str, typer.Option("--to", metavar="ACCOUNT_ID", help="Where it goes.")],
    source: Annotated[str, typer.Option("--from", metavar="ACCOUNT_ID", help="Else the key's own.")] = "",
    request_id: RequestIdOption = None,
    json: OneLine = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Move credit to another account of the same tree."""
    from broker.cli.connection import Target
    from waypost.v1 import account_service_pb2 as pb

    request = pb.TransferCreditsRequest(
        request_id=request_id or secrets.token_hex(16),
        from_account_id=source,
        to_account_id=to,
        amount_micros=micros_of("AMOUNT", amount),
    )
    response = asyncio.run(_ask(Target(target, key, data_dir, tls, tls_ca), "TransferCredits", request))
    if json:
        _print_fields(response)
    else:
        _print_balance("from: ", response.from_balance)
        _print_balance("to:   ", response.to_balance)
    return ExitCode.OK


async def _ask(target: "Target", method: str, request: Any) -> Any:
    import grpc.aio

    from broker.cli.connection import CALL_TIMEOUT_S, connected, fail

    async with connected(target) as connection:
        try:
            return await getattr(connection.accounts, method)(
                request, metadata=connection.metadata, timeout=CALL_TIMEOUT_S
            )
        except grpc.aio.AioRpcError as error:
            fail(error, connection.address)


def _print_fields(response: Any) -> None:
    from broker.cli.json_lines import fields_of, print_line

    print_line(fields_of(response))


def _print_balance(before: str, balance: "pb.Balance") -> None:
    amounts = (balance.amount_micros, balance.held_micros, balance.spent_micros)
    available, held, spent = map(amount_text, amounts)
    print(f"{before}{available} {balance.currency} can be spent, {held} is held, {spent} was spent")
