"""`waypost analyze`: how a text would travel as an SMS, before anybody pays for it."""

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from broker.cli.analysis_questions import Question
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
    tokens_of,
)

if TYPE_CHECKING:
    from broker.cli.connection import Target
    from waypost.v1 import message_service_pb2


def analyze(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to measure; - reads it from stdin.")],
    token: Annotated[
        list[str] | None,
        typer.Option("--token", metavar="NAME=VALUE", help="A value for $NAME$ in the text; repeatable."),
    ] = None,
    to: Annotated[
        str, typer.Option(metavar="NUMBER", help="Who it would go to, which decides what it costs.")
    ] = "",
    subject: Annotated[str, typer.Option(help="A subject line, for providers that count it.")] = "",
    only: Annotated[
        Question | None, typer.Option(help="Print the answer to one question, and nothing else.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="As one JSON line.")] = False,
    target: TargetOption = TARGET_DEFAULT,
    key: KeyOption = None,
    data_dir: DataDirOption = DATA_DIR_DEFAULT,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
) -> int:
    """Measure a text: its encoding, its parts, and the characters that make it dearer.

    waypost analyze "Hello"

    waypost analyze "Hello" --to +447700900123 --only credit-cost

    From stdin, one line break at the end is not counted: it is the shell's.
    """
    if only is not None and json:
        raise UsageError("--only prints one answer as it is, and --json prints all of them")
    said = from_stdin(sys.stdin.buffer.read()) if text == "-" else from_argument(text)

    from broker.cli.connection import Target
    from waypost.v1 import message_service_pb2

    request = message_service_pb2.AnalyzeMessageRequest(
        text=said, recipient=to, subject=subject, tokens=tokens_of("--token", token or ())
    )
    where = Target(target, key, data_dir, tls, tls_ca)
    return asyncio.run(_analyze(where, request, only, json=json))


def from_stdin(read: bytes) -> str:
    """The text in what was piped in."""
    try:
        return read.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise UsageError(f"stdin is not UTF-8 (at byte {error.start})") from None


def from_argument(word: str) -> str:
    """The text on the command line; bytes that are no UTF-8 come as surrogates."""
    try:
        word.encode()
    except UnicodeEncodeError:
        raise UsageError("the text is not UTF-8") from None
    return word


async def _analyze(
    target: "Target",
    request: "message_service_pb2.AnalyzeMessageRequest",
    only: Question | None,
    *,
    json: bool,
) -> int:
    import grpc.aio

    from broker.cli.connection import CALL_TIMEOUT_S, connected, fail

    async with connected(target) as connection:
        try:
            analysis = await connection.messages.AnalyzeMessage(
                request, metadata=connection.metadata, timeout=CALL_TIMEOUT_S
            )
        except grpc.aio.AioRpcError as error:
            fail(error, connection.address)
    if json:
        from broker.cli.json_lines import fields_of, print_line

        # A program asks whether it fits, so the answer no is written too.
        print_line({**fields_of(analysis), "within_maximum": analysis.within_maximum})
        return ExitCode.OK
    from broker.cli.analysis_table import analysis_table, answer_to

    if only is not None:
        typer.echo(answer_to(only, analysis))
        return ExitCode.OK
    from broker.cli.tables import stdout_console

    stdout_console().print(analysis_table(analysis))
    return ExitCode.OK
