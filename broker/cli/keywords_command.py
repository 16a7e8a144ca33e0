"""`waypost keywords`: words that people text to a sender, and what follows."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from broker.cli.amounts import amount_text
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
    from broker.cli.connection import Connection, Target

Account = Annotated[str, typer.Option(metavar="ACCOUNT_ID", help="The account; your key's own if left out.")]
Json = Annotated[bool, typer.Option("--json", help="As one JSON line.")]
Sender = Annotated[str, typer.Argument(metavar="SENDER", help="A number in E.164, or a short code.")]
Word = Annotated[str, typer.Argument(metavar="KEYWORD", help="One word of letters and digits.")]


def list_keywords(
    sender: Annotated[str, typer.Option(help="At this sender only.")] = "",
    account: Account = "",
    json: Annotated[bool, typer.Option("--json", help="Each as one JSON line.")] = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """List the keywords that an account has rented."""
    from broker.cli.connection import Target
    from broker.cli.keyword_calls import all_keywords

    where = Target(target, key, data_dir, tls, tls_ca)
    found = _ask(where, lambda connection: all_keywords(connection, account, sender))
    if json:
        for each in found:
            _print_json(each)
        return ExitCode.OK
    from broker.cli.keyword_tables import keywords_table
    from broker.cli.tables import stdout_console

    stdout_console().print(keywords_table(found))
    return ExitCode.OK


def check_keyword(
    sender: Sender,
    keyword: Word,
    account: Account = "",
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Say whether a keyword is free; the exit code does, too."""
    where = (target, key, data_dir, tls, tls_ca)
    answer = _about("CheckKeyword", where, sender=sender, keyword=keyword, account_id=account)
    price = (
        f", for {amount_text(answer.price.amount_micros)} {answer.price.currency}"
        if answer.price.currency
        else ""
    )
    print(f"{keyword} is free at {sender}{price}" if answer.available else f"{keyword} is taken at {sender}")
    return ExitCode.OK if answer.available else ExitCode.REFUSED


def rent_keyword(
    sender: Sender,
    keyword: Word,
    account: Account = "",
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Rent a keyword at a sender, which the account pays for where it pays and there is a price."""
    where = (target, key, data_dir, tls, tls_ca)
    answer = _about("RentKeyword", where, sender=sender, keyword=keyword, account_id=account)
    return _show(answer.keyword, json=json)


def configure_keyword(
    sender: Sender,
    keyword: Word,
    group: Annotated[
        str | None, typer.Option(metavar="GROUP_ID", help='Who texts it joins this group; "" for none.')
    ] = None,
    autoreply: Annotated[str | None, typer.Option(help="What they are answered.")] = None,
    forward_to: Annotated[
        str | None, typer.Option(metavar="MAILBOX", help='Where what comes is forwarded; "" for nowhere.')
    ] = None,
    callback_url: Annotated[
        str | None, typer.Option(metavar="URL", help='Called when it is texted; "" for none.')
    ] = None,
    get: Annotated[bool | None, typer.Option("--get/--post", help="How the URL is called.")] = None,
    unique: Annotated[
        bool | None, typer.Option("--unique/--not-unique", help="Call the URL alone, and no webhook.")
    ] = None,
    account: Account = "",
    json: Json = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Say what happens when a keyword is texted. What is left out stays as it is.

    waypost keywords configure 12345 JOIN --autoreply "Welcome" --forward-to desk@example.org
    """
    given = {
        "group_id": group,
        "autoreply": autoreply,
        "forward_to_email": forward_to,
        "callback_url": callback_url,
        "callback_method": None if get is None else f"CALLBACK_METHOD_{'GET' if get else 'POST'}",
        "send_unique": unique,
    }
    settings = {name: each for name, each in given.items() if each is not None}
    where = (target, key, data_dir, tls, tls_ca)
    answer = _about("ConfigureKeyword", where, sender=sender, keyword=keyword, account_id=account, **settings)
    return _show(answer.keyword, json=json)


def release_keyword(
    sender: Sender,
    keyword: Word,
    account: Account = "",
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Give a keyword back: anybody may rent it then."""
    where = (target, key, data_dir, tls, tls_ca)
    _about("ReleaseKeyword", where, sender=sender, keyword=keyword, account_id=account)
    print(f"{keyword} is free at {sender}")
    return ExitCode.OK


def _show(keyword: Any, *, json: bool) -> int:
    if json:
        _print_json(keyword)
        return ExitCode.OK
    from broker.cli.keyword_tables import keywords_table
    from broker.cli.tables import stdout_console

    stdout_console().print(keywords_table([keyword]))
    return ExitCode.OK


def _about(method: str, where: tuple[Any, ...], **fields: Any) -> Any:
    """A call about one keyword."""
    from broker.cli.connection import Target
    from broker.cli.keyword_calls import call
    from waypost.v1 import keyword_pb2

    request = getattr(keyword_pb2, f"{method}Request")(**fields)
    return _ask(Target(*where), lambda connection: call(connection, method, request))


def _print_json(message: Any) -> None:
    from broker.cli.json_lines import fields_of, print_line

    print_line(fields_of(message))


def _ask(target: "Target", call: "Callable[[Connection], Awaitable[Any]]") -> Any:
    from broker.cli.connection import connected

    async def asking() -> Any:
        async with connected(target) as connection:
            return await call(connection)

    return asyncio.run(asking())
