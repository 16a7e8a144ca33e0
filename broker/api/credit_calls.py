"""The calls of AccountService that are about credit."""

from collections.abc import Mapping

from broker.api.auth import account_for
from broker.api.convert.credits import balance_message, check_apart, check_purchase, check_transfer
from broker.api.gate import Access
from broker.api.rpc import Method, Unary
from broker.delivery.credits import Credits
from broker.delivery.keys import Keys
from broker.domain.access import Principal
from broker.domain.ids import format_id
from waypost.v1 import account_service_pb2 as pb


class CreditCalls:
    """GetBalance, PurchaseCredits and TransferCredits."""

    def __init__(self, *, keys: Keys, credit: Credits) -> None:
        self._keys = keys
        self._credit = credit

    @property
    def methods(self) -> Mapping[str, Method]:
        """What is implemented."""
        return {
            "GetBalance": Unary(self.get_balance, Access.READ),
            "PurchaseCredits": Unary(self.purchase_credits, Access.MANAGE),
            "TransferCredits": Unary(self.transfer_credits, Access.MANAGE),
        }

    async def get_balance(self, caller: Principal, request: pb.GetBalanceRequest) -> pb.GetBalanceResponse:
        """What an account can spend."""
        account_id = await account_for(self._keys, caller, request.account_id)
        balance = await self._credit.balance(account_id)
        return pb.GetBalanceResponse(balance=balance_message(balance, self._credit.currency))

    async def purchase_credits(
        self, caller: Principal, request: pb.PurchaseCreditsRequest
    ) -> pb.PurchaseCreditsResponse:
        """Buy credit with a token for a means of payment."""
        account_id = await account_for(self._keys, caller, request.account_id)
        check_purchase(request, self._credit.currency, self._credit.purchase_micros_min)
        bought = await self._credit.purchase(
            account_id, request.request_id, request.amount_micros, request.payment_token
        )
        return pb.PurchaseCreditsResponse(
            balance=balance_message(bought.balance, self._credit.currency),
            purchase_id=format_id(bought.purchase_id),
            payment_reference=bought.reference,
        )

    async def transfer_credits(
        self, caller: Principal, request: pb.TransferCreditsRequest
    ) -> pb.TransferCreditsResponse:
        """Move credit to another account of the tree."""
        check_transfer(request, self._credit.currency)
        account_id = await account_for(self._keys, caller, request.from_account_id)
        other_account_id = await account_for(self._keys, caller, request.to_account_id)
        check_apart(account_id, other_account_id)
        balance, other = await self._credit.transfer(
            account_id, other_account_id, request.request_id, request.amount_micros
        )
        return pb.TransferCreditsResponse(
            from_balance=balance_message(balance, self._credit.currency),
            to_balance=balance_message(other, self._credit.currency),
        )
