"""Pages do not show."""

from dataclasses import fields
from types import SimpleNamespace

import pytest

from broker.cli.connection import Connection
from broker.cli.message_lookup import PAGE_SIZE_MAX, Newest
from waypost.v1 import message_pb2, message_service_pb2


class Pages:
    """A broker's messages, numbered from 0, in pages that may be shorter than asked for."""

    def __init__(self, count: int, page_max: int) -> None:
        self.sizes: list[int] = []
        self._count = count
        self._page_max = page_max

    async def ListMessages(self, request, *, metadata, timeout):  # noqa: N802
        """The page that starts where its token says."""
        self.sizes.append(request.page_size)
        start = int(request.page_token or 0)
        end = min(self._count, start + min(request.page_size, self._page_max))
        return message_service_pb2.ListMessagesResponse(
            messages=[message_pb2.Message(message_id=str(number)) for number in range(start, end)],
            next_page_token=str(end) if end < self._count else "",
        )


def newest_of(pages: Pages, limit: int) -> Newest:
    """The newest so many of them."""
    others = dict.fromkeys((each.name for each in fields(Connection)), SimpleNamespace())
    connection = Connection(**others | {"address": "here", "metadata": [], "messages": pages})
    return Newest(connection, message_pb2.MessageFilter(), limit)


@pytest.mark.parametrize(
    ("count", "page_max", "limit", "listed", "more"),
    [
        (0, 10, 5, 0, False),
        (3, 10, 5, 3, False),
        (5, 10, 5, 5, False),
        (6, 10, 5, 5, True),
        (25, 4, 23, 23, True),
        (25, 4, 100, 25, False),
    ],
)
async def test_as_many_are_listed_as_were_asked_for(count, page_max, limit, listed, more) -> None:
    """Over pages of any size; and it is known whether there are more."""
    newest = newest_of(Pages(count, page_max), limit)
    assert [str(number) for number in range(listed)] == [each.message_id async for each in newest.messages()]
    assert more == newest.more


async def test_no_page_is_larger_than_the_broker_gives_or_than_is_wanted() -> None:
    """The broker would refuse the one, and read the other for nothing."""
    pages = Pages(3_000, PAGE_SIZE_MAX)
    assert 1_200 == len([each async for each in newest_of(pages, 1_200).messages()])
    assert [1_000, 200] == pages.sizes
