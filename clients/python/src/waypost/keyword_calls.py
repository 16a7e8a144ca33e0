"""Keywords: `client.keywords`."""

from collections.abc import AsyncIterator
from typing import Unpack

from waypost.connection import Connection
from waypost.keywords import Keyword, KeywordFields, KeywordOffer
from waypost.v1 import keyword_pb2 as pb
from waypost.wire.keywords import configure_request, keyword_of, offer_of

PAGE_SIZE = 500


class Keywords:
    """The keywords of an account; the key's own account for account_id "". Changing any takes an admin or partner key."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def check(self, sender: str, keyword: str, *, account_id: str = "") -> KeywordOffer:
        """Whether a keyword is free at a number or short code, and what renting it costs."""
        request = pb.CheckKeywordRequest(account_id=account_id, sender=sender, keyword=keyword)
        return offer_of(await self._connection.call(self._connection.senders.CheckKeyword, request))

    async def rent(self, sender: str, keyword: str, *, account_id: str = "") -> Keyword:
        """Rent a keyword, and pay for it where the account pays.

        Raises AlreadyExists when it is not to be had, and FailedPrecondition when the credit does not suffice. The
        call is not repeated by itself: after Unavailable, `list` tells whether it was rented.
        """
        request = pb.RentKeywordRequest(account_id=account_id, sender=sender, keyword=keyword)
        answer = await self._connection.call_once(self._connection.senders.RentKeyword, request)
        return keyword_of(answer.keyword)

    async def configure(
        self, sender: str, keyword: str, *, account_id: str = "", **fields: Unpack[KeywordFields]
    ) -> Keyword:
        """Say what happens when it is texted. See KeywordFields. Raises NotFound."""
        request = configure_request(sender, keyword, account_id, fields)
        answer = await self._connection.call(self._connection.senders.ConfigureKeyword, request)
        return keyword_of(answer.keyword)

    async def list(self, sender: str = "", *, account_id: str = "") -> AsyncIterator[Keyword]:
        """By sender and word; of one sender alone where it is named."""
        request = pb.ListKeywordsRequest(account_id=account_id, sender=sender, page_size=PAGE_SIZE)
        async for page in self._connection.pages(self._connection.senders.ListKeywords, request):
            for each in page.keywords:
                yield keyword_of(each)

    async def release(self, sender: str, keyword: str, *, account_id: str = "") -> None:
        """Give it back; what was paid stays paid.

        Raises NotFound for one that the account does not have, also where the answer to our first attempt was lost.
        """
        request = pb.ReleaseKeywordRequest(account_id=account_id, sender=sender, keyword=keyword)
        await self._connection.call(self._connection.senders.ReleaseKeyword, request)
