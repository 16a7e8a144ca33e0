"""A real broker for a test: `waypost serve --ephemeral` in a process of its own."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import waypost

STOP_S_MAX = 60.0
END_S_MAX = 30.0
HTTP = {"server": {"http_listen": "127.0.0.1:0"}}


class BrokerProcess:
    """A running broker: `with BrokerProcess(directory, {"acme": {"type": "acme", ...}}) as broker`.

    `address` is where it serves gRPC and `key` its admin key; `http_address` is where upstreams call back.
    `log` holds what it logged. Raises AssertionError when it does not start, or does not stop with exit
    code 0.
    """

    def __init__(
        self, directory: Path, providers: Mapping[str, Mapping[str, Any]], settings: Mapping[str, Any]
    ) -> None:
        self._config = directory / "waypost.toml"
        self._log = directory / "broker.log"
        self._config.write_text(toml_of({**HTTP, **settings, "providers": providers}), encoding="utf-8")
        self._process: subprocess.Popen[str] | None = None
        self.address = ""
        self.http_address = ""
        self.key = ""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "broker", "serve", "--ephemeral", "--json"]
        with self._log.open("w") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own arguments
                [*command, "--config", str(self._config)],
                stdout=subprocess.PIPE,
                stderr=log,
                env=clean_environment(),
                text=True,
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.stdout.close()
            self._process.wait(STOP_S_MAX)
            raise AssertionError(f"the broker did not start:\n{self.log}")
        ready = json.loads(line)
        self.address, self.http_address, self.key = (
            ready["address"],
            ready["http_address"],
            ready["admin_key"],
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def log(self) -> str:
        """All that it logged so far."""
        return self._log.read_text(encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which the command `waypost` talks to this broker."""
        return {**clean_environment(), "WAYPOST_TARGET": self.address, "WAYPOST_KEY": self.key}

    def client(self) -> "waypost.Client":
        """The Python client, for tests that are async themselves."""
        import waypost

        return waypost.Client(self.address, key=self.key)

    def send(self, text: str, *, to: str) -> str:
        """Send a text; answers the message's id."""
        return asyncio.run(self._send(text, to))

    def end_of(self, message_id: str) -> "waypost.MessageEvent":
        """The event with which a message ends; waits for it up to 30 s."""
        return asyncio.run(self._end_of(message_id))

    def stop(self) -> None:
        """SIGTERM; it has to drain and exit with 0."""
        process, self._process = self._process, None
        if process is None or process.stdout is None:
            return
        process.terminate()
        try:
            code = process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the broker did not stop:\n{self.log}") from None
        finally:
            process.stdout.close()
        assert code == 0, self.log

    async def _send(self, text: str, to: str) -> str:
        async with self.client() as client:
            sent = await client.send(text, to=to)
        return sent.results[0].message_id

    async def _end_of(self, message_id: str) -> "waypost.MessageEvent":
        import waypost

        async with asyncio.timeout(END_S_MAX), self.client() as client:
            events = client.subscribe(waypost.MessageEvent, from_beginning=True, message_ids=[message_id])
            async for event in events:
                if event.end:
                    return event
        raise AssertionError("the stream of events ended before the message did")


def clean_environment() -> dict[str, str]:
    """Our environment without settings that whoever runs the tests may have."""
    return {name: value for name, value in os.environ.items() if not name.startswith("WAYPOST_")}


def toml_of(table: Mapping[str, Any], path: tuple[str, ...] = ()) -> str:
    """Settings as TOML: strings, numbers, booleans, tables, and lists of any of them."""
    values = [
        f"{json.dumps(name)} = {_inline(value)}"
        for name, value in table.items()
        if not isinstance(value, Mapping)
    ]
    lines = [f"[{'.'.join(map(json.dumps, path))}]", *values] if path and values else values
    tables = [toml_of(value, (*path, name)) for name, value in table.items() if isinstance(value, Mapping)]
    return "\n".join([*lines, *tables])


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{json.dumps(name)} = {_inline(each)}' for name, each in value.items())} }}"
    return f"[{', '.join(map(_inline, value))}]" if isinstance(value, list) else json.dumps(value)
