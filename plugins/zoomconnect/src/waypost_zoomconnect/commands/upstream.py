"""ZoomConnect as a command sees it: calls that wait where they are rate limited, and whole lists."""

import asyncio
import os
import time
import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import ValidationError

from broker.spi import retry_after_s
from waypost_zoomconnect import directory
from waypost_zoomconnect.client import NO_ANSWER, Client
from waypost_zoomconnect.commands.failures import CommandFailed, ExitCode
from waypost_zoomconnect.directory import Kind
from waypost_zoomconnect.exchange import Answer, Call, identity
from waypost_zoomconnect.settings import ZoomConnectSettings

ATTEMPTS_MAX = 8
PAUSE_S = 0.5
PAUSE_S_MAX = 120.0
RECORDS_MAX = 1_000_000
NO_RECORD = "new"
MADE_UP = Answer(200, {}, f'{{"contactId": "{NO_RECORD}", "groupId": "{NO_RECORD}"}}'.encode())


class Upstream:
    """One account at ZoomConnect. In a dry run nothing is changed there."""

    def __init__(self, settings: ZoomConnectSettings, client: Client, *, dry: bool = False) -> None:
        self.settings = settings
        self._dry = dry
        self._client = client

    async def ask(self, call: Call) -> Answer:
        """The answer to a call, which is made again only where ZoomConnect says that it was too much.

        Raises CommandFailed where there is no answer, or the credentials are refused.
        """
        for attempt in range(ATTEMPTS_MAX):
            try:
                answer = await self._client.answer(call)
            except NO_ANSWER as error:
                told = f"ZoomConnect does not answer: {type(error).__name__}"
                raise CommandFailed(told, ExitCode.UNREACHABLE) from None
            if answer.status in {401, 403}:
                raise CommandFailed("ZoomConnect refuses the credentials", ExitCode.UNREACHABLE)
            if answer.status != 429:
                return answer
            asked_s = retry_after_s(answer.headers.get("Retry-After"), time.time_ns() // 1_000)
            await asyncio.sleep(min(max(asked_s or 0.0, PAUSE_S * 2**attempt), PAUSE_S_MAX))
        raise CommandFailed("ZoomConnect limits the rate of requests: try again later", ExitCode.UNREACHABLE)

    async def change(self, call: Call) -> Answer:
        """The answer to a call that changes something; in a dry run it is made up, and names no record."""
        return MADE_UP if self._dry else await self.ask(call)

    async def all(self, kind: Kind) -> list[Mapping[str, Any]]:
        """Every record of a kind. Raises CommandFailed where a page cannot be read."""
        found: dict[str, Mapping[str, Any]] = {}
        page = 1
        while True:
            answer = await self.ask(directory.page_call(kind, page, self.settings.page_size))
            records = directory.page_records(kind, answer)
            if records is None:
                raise CommandFailed(f"ZoomConnect answers {answer.code} and no page of {kind}")
            new = directory.newcomers(records, kind, set(found))
            found |= {identity(each[directory.IDS[kind]]): each for each in new}
            if not new or len(found) >= RECORDS_MAX:
                return list(found.values())
            page += 1


def read_settings(config: Path, instance: str) -> ZoomConnectSettings:
    """The instance's table of the broker's own settings file; single settings can come from the environment.

    As for the broker, WAYPOST_PROVIDERS__<INSTANCE>__TOKEN is the token of an instance.
    """
    try:
        document = tomllib.loads(config.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CommandFailed(f"{config}: {type(error).__name__}", ExitCode.USAGE) from None
    table = document.get("providers", {}).get(instance)
    if not isinstance(table, dict) or table.get("type") != "zoomconnect":
        raise CommandFailed(f"{config} has no [providers.{instance}] of type zoomconnect", ExitCode.USAGE)
    told = {name: value for name, value in table.items() if name not in {"type", "waypost"}}
    prefix = f"WAYPOST_PROVIDERS__{instance.upper()}__"
    told |= {
        name: os.environ[f"{prefix}{name.upper()}"]
        for name in ZoomConnectSettings.model_fields
        if f"{prefix}{name.upper()}" in os.environ
    }
    try:
        settings = ZoomConnectSettings.model_validate(told)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise CommandFailed(f"{config}: [providers.{instance}]: {wrong}", ExitCode.USAGE) from None
    if not settings.authenticated:
        raise CommandFailed(f"[providers.{instance}] has no email and token", ExitCode.USAGE)
    return settings


@asynccontextmanager
async def opened(settings: ZoomConnectSettings, *, dry: bool = False) -> AsyncIterator[Upstream]:
    """The account, for as long as the block lasts."""
    async with aiohttp.ClientSession(trust_env=False, cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Upstream(settings, Client(settings, lambda: session), dry=dry)
