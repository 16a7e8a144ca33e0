"""The calls of SenderService about keywords."""

from collections.abc import Mapping

from broker.api.auth import account_for
from broker.api.convert.findings import Findings
from broker.api.convert.ids import account_text
from broker.api.convert.keywords import keyword_fields_of, keyword_message, keyword_name_of, sender_of
from broker.api.convert.paging import page_position, page_size_of, page_token
from broker.api.convert.prices import price_message
from broker.api.gate import Access, Gate
from broker.api.rpc import Method, Unary
from broker.delivery.keywords import Keywords
from broker.domain.access import Principal
from waypost.v1 import keyword_pb2 as pb

PLACE = "\n"


class KeywordCalls:
    """Any key may check and list; an admin or partner key rents, sets up and releases."""

    def __init__(self, *, gate: Gate, keywords: Keywords) -> None:
        self._gate = gate
        self._keywords = keywords

    @property
    def methods(self) -> Mapping[str, Method]:
        """What is implemented."""
        return {
            "CheckKeyword": Unary(self.check_keyword, Access.READ),
            "RentKeyword": Unary(self.rent_keyword, Access.MANAGE),
            "ConfigureKeyword": Unary(self.configure_keyword, Access.MANAGE),
            "ListKeywords": Unary(self.list_keywords, Access.READ),
            "ReleaseKeyword": Unary(self.release_keyword, Access.MANAGE),
        }

    async def check_keyword(
        self, caller: Principal, request: pb.CheckKeywordRequest
    ) -> pb.CheckKeywordResponse:
        """Whether a keyword is free, and what renting it costs."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        name = keyword_name_of(request, account_id)
        return pb.CheckKeywordResponse(
            available=await self._keywords.available(name),
            price=price_message(await self._keywords.price(name)),
        )

    async def rent_keyword(self, caller: Principal, request: pb.RentKeywordRequest) -> pb.RentKeywordResponse:
        """Rent a keyword."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        keyword = await self._keywords.rent(keyword_name_of(request, account_id))
        return pb.RentKeywordResponse(keyword=keyword_message(keyword))

    async def configure_keyword(
        self, caller: Principal, request: pb.ConfigureKeywordRequest
    ) -> pb.ConfigureKeywordResponse:
        """Say what happens when a keyword is texted."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        name = keyword_name_of(request, account_id)
        old = await self._keywords.find(name)
        fields = keyword_fields_of(request, old, self._keywords.network)
        keyword = await self._keywords.configure(name, fields)
        return pb.ConfigureKeywordResponse(keyword=keyword_message(keyword))

    async def list_keywords(
        self, caller: Principal, request: pb.ListKeywordsRequest
    ) -> pb.ListKeywordsResponse:
        """A page of an account's keywords."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        sender = sender_of(request.sender) if request.sender else ""
        scope = f"keywords of {account_text(account_id)} at {sender}"
        findings = Findings()
        page_size = page_size_of(request.page_size, findings)
        after = page_position(request.page_token, scope, findings)
        findings.refuse()
        place, _, word = (after or "").partition(PLACE)
        found = await self._keywords.page(account_id, (place, word), page_size + 1, sender)
        page = found[:page_size]
        last = page[-1] if len(found) > page_size else None
        return pb.ListKeywordsResponse(
            keywords=[keyword_message(each) for each in page],
            next_page_token="" if last is None else page_token(f"{last.sender}{PLACE}{last.word}", scope),
        )

    async def release_keyword(
        self, caller: Principal, request: pb.ReleaseKeywordRequest
    ) -> pb.ReleaseKeywordResponse:
        """Give a keyword back."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        await self._keywords.release(keyword_name_of(request, account_id))
        return pb.ReleaseKeywordResponse()
