"""AccountService: accounts, and what belongs to one. Its webhooks are here, the rest beside it."""

from collections.abc import Mapping

from broker.api.account_calls import AccountCalls
from broker.api.auth import account_for
from broker.api.convert.findings import Findings
from broker.api.convert.ids import account_text
from broker.api.convert.paging import page_position, page_size_of, page_token
from broker.api.convert.times import timestamp
from broker.api.convert.webhooks import overlap_us_of, wanted_of, webhook_message, webhook_number
from broker.api.credit_calls import CreditCalls
from broker.api.gate import Access, Gate
from broker.api.key_calls import KeyCalls
from broker.api.rpc import Method, Unary
from broker.delivery.accounts import Accounts
from broker.delivery.credits import Credits
from broker.delivery.identities import Identities
from broker.delivery.webhooks.book import Webhooks
from broker.domain.access import Principal
from broker.domain.ids import format_id
from broker.storage.webhooks import MESSAGE_CALLBACKS
from waypost.v1 import account_service_pb2 as pb

DESCRIPTOR = pb.DESCRIPTOR.services_by_name["AccountService"]


class AccountService:
    """All calls of the service; those of webhooks are its own."""

    def __init__(
        self,
        *,
        gate: Gate,
        webhooks: Webhooks,
        accounts: Accounts,
        identities: Identities,
        credit: Credits,
    ) -> None:
        self._gate = gate
        self._webhooks = webhooks
        self._accounts = AccountCalls(keys=gate.keys, accounts=accounts)
        self._keys = KeyCalls(keys=gate.keys, identities=identities)
        self._credit = CreditCalls(keys=gate.keys, credit=credit)

    @property
    def methods(self) -> Mapping[str, Method]:
        """What is implemented."""
        return {
            **self._accounts.methods,
            **self._keys.methods,
            **self._credit.methods,
            "CreateWebhook": Unary(self.create_webhook, Access.MANAGE),
            "ListWebhooks": Unary(self.list_webhooks, Access.MANAGE),
            "RotateWebhookSecret": Unary(self.rotate_webhook_secret, Access.MANAGE),
            "DeleteWebhook": Unary(self.delete_webhook, Access.MANAGE),
        }

    async def create_webhook(
        self, caller: Principal, request: pb.CreateWebhookRequest
    ) -> pb.CreateWebhookResponse:
        """A new webhook, and its secret for the only time."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        kinds, facts = wanted_of(request, self._webhooks.network)
        webhook, secret = await self._webhooks.create(
            account_id, request.url, description=request.description, kinds=kinds, facts=facts
        )
        return pb.CreateWebhookResponse(webhook=webhook_message(webhook), secret=secret)

    async def list_webhooks(
        self, caller: Principal, request: pb.ListWebhooksRequest
    ) -> pb.ListWebhooksResponse:
        """The account's webhooks, oldest first."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        scope = f"webhooks of {account_text(account_id)}"
        findings = Findings()
        page_size = page_size_of(request.page_size, findings)
        after = page_position(request.page_token, scope, findings)
        findings.refuse()
        found = await self._webhooks.list(account_id)
        rest = [each for each in found if after is None or format_id(each.webhook_id) > after]
        page = rest[:page_size]
        more = len(rest) > page_size
        return pb.ListWebhooksResponse(
            webhooks=[webhook_message(each) for each in page],
            next_page_token=page_token(format_id(page[-1].webhook_id), scope) if more else "",
        )

    async def rotate_webhook_secret(
        self, caller: Principal, request: pb.RotateWebhookSecretRequest
    ) -> pb.RotateWebhookSecretResponse:
        """A new secret; for a while those before it sign as well."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        webhook_id = webhook_number(request.webhook_id) if request.webhook_id else MESSAGE_CALLBACKS
        secret, until_us = await self._webhooks.rotate(account_id, webhook_id, overlap_us_of(request))
        return pb.RotateWebhookSecretResponse(secret=secret, previous_expire_time=timestamp(until_us))

    async def delete_webhook(
        self, caller: Principal, request: pb.DeleteWebhookRequest
    ) -> pb.DeleteWebhookResponse:
        """End a webhook."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        await self._webhooks.delete(account_id, webhook_number(request.webhook_id))
        return pb.DeleteWebhookResponse()
