"""PriceService: what messages cost."""

from collections.abc import Mapping

from broker.api.convert.findings import Findings
from broker.api.convert.paging import page_position, page_size_of, page_token
from broker.api.convert.prices import price_rule_messages, price_rules_of, price_table_message
from broker.api.gate import Access
from broker.api.rpc import Method, Unary
from broker.delivery.prices import PriceBook, StoredPrices
from broker.domain.access import Principal
from waypost.v1 import price_service_pb2 as pb

DESCRIPTOR = pb.DESCRIPTOR.services_by_name["PriceService"]

_SCOPE = "prices"


class PriceService:
    """ListPrices and ReplacePrices."""

    def __init__(self, *, prices: PriceBook) -> None:
        self._prices = prices

    @property
    def methods(self) -> Mapping[str, Method]:
        """What is implemented."""
        return {
            "ListPrices": Unary(self.list_prices, Access.READ),
            "ReplacePrices": Unary(self.replace_prices, Access.ADMIN),
        }

    async def list_prices(self, _caller: Principal, request: pb.ListPricesRequest) -> pb.ListPricesResponse:
        """A version of the prices, in the order in which they were given."""
        findings = Findings()
        page_size = page_size_of(request.page_size, findings)
        if request.version < 0:
            findings.broke("version", "must not be negative")
        position = page_position(request.page_token, _SCOPE, findings)
        findings.refuse()
        version, start = (request.version, 0) if position is None else map(int, position.split("/"))
        if position is not None and request.version not in {0, version}:
            findings.broke("page_token", f"belongs to version {version}")
            findings.refuse()
        stored = await self._prices.version(version)
        rules = stored.table.rules
        more = start + page_size < len(rules)
        place = f"{stored.table.version}/{start + page_size}"
        return pb.ListPricesResponse(
            table=self._table(stored),
            prices=price_rule_messages(rules[start : start + page_size], self._prices.currency),
            next_page_token=page_token(place, _SCOPE) if more else "",
        )

    async def replace_prices(
        self, caller: Principal, request: pb.ReplacePricesRequest
    ) -> pb.ReplacePricesResponse:
        """Put other prices in force, all at once."""
        findings = Findings()
        if request.expected_version < 0:
            findings.broke("expected_version", "must not be negative")
        rules = price_rules_of(request.prices, self._prices.currency, findings)
        findings.violations += self._prices.violations(rules)
        findings.refuse()
        stored = await self._prices.replace(
            rules, request.expected_version, caller.key_id, validate_only=request.validate_only
        )
        return pb.ReplacePricesResponse(table=self._table(stored))

    def _table(self, stored: StoredPrices) -> pb.PriceTable:
        return price_table_message(stored, self._prices.currency)
