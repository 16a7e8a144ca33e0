"""ListMessages by each filter: pages at the newest end of a large store, against those at its oldest."""

import time
from collections.abc import Sequence
from statistics import median
from typing import Any

import grpc.aio

from bench.fill import BLOCK_MS, NEEDLE
from bench.measure import Line, Run
from bench.stage import Server, Stage
from bench.traffic import reference, request
from broker.api.convert.listing import message_query_of
from broker.api.convert.paging import page_token
from broker.domain.ids import first_id_at, format_id, parse_id
from waypost.v1 import message_pb2, message_service_pb2, status_pb2
from waypost.v1.message_service_pb2_grpc import MessageServiceStub

PAGE_SIZE = 100
PAGES = 20
OLDEST_BLOCKS = 5
"""The oldest end: what `bench.fill` put there first, in pages as a walk through all the others would reach them."""

FILTERS: dict[str, tuple[dict[str, Any], int]] = {
    "nothing": ({}, OLDEST_BLOCKS),
    "one recipient": ({"recipients": [request(1).recipients[0].phone_number]}, 50),
    "a reference of 1 %": ({"client_references": [reference(1)]}, OLDEST_BLOCKS),
    "a tag of 0.5 %": ({"tags": ["vip"]}, OLDEST_BLOCKS),
    "a campaign of 0.5 %": ({"campaigns": ["spring"]}, OLDEST_BLOCKS),
    "the sender of all": ({"senders": ["Waypost"]}, OLDEST_BLOCKS),
    "tag and recipient of none": ({"tags": ["vip"], "recipients": ["+12025550100"]}, 100),
    "a status of none": ({"statuses": [status_pb2.MESSAGE_STATUS_DELIVERED]}, OLDEST_BLOCKS),
}
"""Each filter, and how many blocks of the fill a page of it goes through: so many, at least, are its oldest end. With
fewer there a page would be short, and its time that of less work. A block has two messages to a recipient.
"""


async def measure(stage: Stage) -> Sequence[Line]:
    """Milliseconds a page of 100."""
    data_dir = stage.new_data_dir()
    stored = stage.scale.messages_listed
    await stage.fill(data_dir, stored)
    lines: list[Line] = []
    async with stage.broker(data_dir) as broker, grpc.aio.insecure_channel(broker.address) as channel:
        lister = _Lister(channel, broker)
        (first,) = (await lister.page({"client_references": [NEEDLE]})).messages
        lister.oldest(first)
        for name, (wanted, blocks) in FILTERS.items():
            newest = await lister.pages(wanted)
            oldest = await lister.pages(wanted, lister.token(wanted, blocks))
            what = f"a page by {name}, {stored / 1e6:g} M stored"
            lines.append(Line("listing", what, "ms", newest, "at the oldest end", oldest))
        needle = [await lister.timed({"client_references": [NEEDLE]}) for _ in range(PAGES)]
        lines.append(Line("listing", "the oldest message by its reference", "ms", needle))
    return lines


class _Lister:
    def __init__(self, channel: grpc.aio.Channel, server: Server) -> None:
        self._list = MessageServiceStub(channel).ListMessages
        self._metadata = (("authorization", f"Bearer {server.key}"),)

    def oldest(self, message: message_pb2.Message) -> None:
        """Take a message for the oldest of the store."""
        self._account_id = parse_id(message.account_id) or 0
        self._oldest_id = parse_id(message.message_id) or 0

    def token(self, wanted: dict[str, Any], blocks: int) -> str:
        """That of the first page at the oldest end of so many blocks, as the broker would give it."""
        _, scope = message_query_of(_asked(wanted, ""), self._account_id)
        return page_token(format_id(self._oldest_id + blocks * first_id_at(BLOCK_MS)), scope)

    async def page(self, wanted: dict[str, Any], token: str = "") -> message_service_pb2.ListMessagesResponse:
        return await self._list(_asked(wanted, token), metadata=self._metadata)

    async def timed(self, wanted: dict[str, Any]) -> Run:
        began = time.perf_counter()
        await self.page(wanted)
        return Run((time.perf_counter() - began) * 1e3)

    async def pages(self, wanted: dict[str, Any], token: str = "") -> list[Run]:
        """The median of a walk over some pages, as one run. The last of all, which is short, counts where it is alone."""
        took: list[float] = []
        for _ in range(PAGES):
            began = time.perf_counter()
            page = await self.page(wanted, token)
            token = page.next_page_token
            if token or not took:
                took.append((time.perf_counter() - began) * 1e3)
            if not token:
                break
        return [Run(median(took))]


def _asked(wanted: dict[str, Any], token: str) -> message_service_pb2.ListMessagesRequest:
    return message_service_pb2.ListMessagesRequest(
        filter=message_pb2.MessageFilter(**wanted), page_size=PAGE_SIZE, page_token=token
    )
