"""`waypost analyze`: how a text would travel as an SMS, before anybody pays for it."""

import asyncio
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

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


def analyze(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to measure; - reads it from stdin.")],
    token: Annotated[
        list[str] | None,
        typer.Option("--token", metavar="NAME=VALUE", help="A value for $NAME$ in the text; repeatable."),
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

    From stdin, one line break at the end is not counted: it is the shell's.
    """
    said = from_stdin(sys.stdin.buffer.read()) if text == "-" else from_argument(text)

    from broker.cli.connection import Target

    tokens = tokens_of("--token", token or ())
    return asyncio.run(_analyze(Target(target, key, data_dir, tls, tls_ca), said, tokens, json=json))


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


async def _analyze(target: "Target", text: str, tokens: Mapping[str, str], *, json: bool) -> int:
    import grpc.aio

    from broker.cli.connection import CALL_TIMEOUT_S, connected, fail
    from waypost.v1 import message_service_pb2

    async with connected(target) as connection:
        try:
            analysis = await connection.messages.AnalyzeMessage(
                message_service_pb2.AnalyzeMessageRequest(text=text, tokens=tokens),
                metadata=connection.metadata,
                timeout=CALL_TIMEOUT_S,
            )
        except grpc.aio.AioRpcError as error:
            fail(error, connection.address)
    if json:
        from broker.cli.json_lines import fields_of, print_line

        # A program asks whether it fits, so the answer no is written too.
        print_line({**fields_of(analysis), "within_maximum": analysis.within_maximum})
        return ExitCode.OK
    from broker.cli.analysis_table import analysis_table
    from broker.cli.tables import stdout_console

    stdout_console().print(analysis_table(analysis))
    return ExitCode.OK
