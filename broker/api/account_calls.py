"""The calls of AccountService that are about accounts themselves."""

from collections.abc import Mapping

from broker.api.auth import account_for
from broker.api.convert.account_policies import policy_of
from broker.api.convert.accounts import account_message, changes_of, name_of, profile_of
from broker.api.convert.directory import MAILBOX_RULE, refuse_given
from broker.api.convert.findings import Findings
from broker.api.convert.ids import account_number
from broker.api.convert.paging import page_position, page_size_of, page_token
from broker.api.gate import Access
from broker.api.rpc import Method, Unary
from broker.delivery.accounts import AccountChange, Accounts, NewAccount
from broker.delivery.keys import Keys
from broker.domain.access import Principal
from broker.domain.address import normal_mailbox
from broker.errors import BrokerError, ErrorReason
from waypost.v1 import account_pb2
from waypost.v1 import account_service_pb2 as pb

SET_BY_BROKER = ("account_id",)


class AccountCalls:
    """CreateAccount, GetAccount, FindAccount, ListAccounts and UpdateAccount.

    A partner key sees its own account and those below, and changes those below.
    """

    def __init__(self, *, keys: Keys, accounts: Accounts) -> None:
        self._keys = keys
        self._accounts = accounts

    @property
    def methods(self) -> Mapping[str, Method]:
        """What is implemented."""
        return {
            "CreateAccount": Unary(self.create_account, Access.MANAGE),
            "GetAccount": Unary(self.get_account, Access.READ),
            "FindAccount": Unary(self.find_account, Access.MANAGE),
            "ListAccounts": Unary(self.list_accounts, Access.MANAGE),
            "UpdateAccount": Unary(self.update_account, Access.MANAGE),
        }

    async def create_account(
        self, caller: Principal, request: pb.CreateAccountRequest
    ) -> pb.CreateAccountResponse:
        """Add an account; with a partner key below its own."""
        account = request.account
        parent: int | None = None
        if account.parent_account_id or not caller.may_administer:
            parent = await account_for(self._keys, caller, account.parent_account_id)
        findings = Findings()
        refuse_given("account", account, SET_BY_BROKER, findings)
        profile = profile_of(account, findings)
        name = name_of(account, profile, findings)
        policy = policy_of("account.policy", account.policy, findings)
        findings.refuse()
        _check_sandbox(caller, account)
        new = NewAccount(
            parent,
            name,
            profile,
            api_access=account.api_access if account.HasField("api_access") else True,
            sandbox_only=account.sandbox_only if account.HasField("sandbox_only") else None,
            policy=policy,
        )
        return pb.CreateAccountResponse(account=account_message(await self._accounts.create(new)))

    async def get_account(self, caller: Principal, request: pb.GetAccountRequest) -> pb.GetAccountResponse:
        """One account."""
        account_id = await account_for(self._keys, caller, request.account_id)
        return pb.GetAccountResponse(account=account_message(await self._accounts.account(account_id)))

    async def find_account(self, caller: Principal, request: pb.FindAccountRequest) -> pb.FindAccountResponse:
        """The account with an email."""
        findings = Findings()
        email = normal_mailbox(request.email)
        if email is None:
            findings.broke("email", MAILBOX_RULE)
        findings.refuse()
        found = await self._accounts.by_email(email or "")
        if not await self._keys.may_act_for(caller, found.account_id):
            raise BrokerError(ErrorReason.ACCOUNT_NOT_FOUND)
        return pb.FindAccountResponse(account=account_message(found))

    async def list_accounts(
        self, caller: Principal, request: pb.ListAccountsRequest
    ) -> pb.ListAccountsResponse:
        """A page of accounts below one."""
        below = None
        if request.account_id or not caller.may_administer:
            account_id = await account_for(self._keys, caller, request.account_id)
            below = await self._accounts.account(account_id)
        scope = f"accounts {below.path if below else ''} {request.filter.children_only}"
        findings = Findings()
        page_size = page_size_of(request.page_size, findings)
        after = page_position(request.page_token, scope, findings)
        findings.refuse()
        page = await self._accounts.page(
            below, after=after or "", page_size=page_size, children_only=request.filter.children_only
        )
        return pb.ListAccountsResponse(
            accounts=[account_message(each) for each in page],
            next_page_token=page_token(page[-1].path, scope) if len(page) == page_size else "",
        )

    async def update_account(
        self, caller: Principal, request: pb.UpdateAccountRequest
    ) -> pb.UpdateAccountResponse:
        """Change what an account says of itself, or what it may do."""
        account = request.account
        account_id = await account_for(self._keys, caller, account.account_id)
        if account_id == caller.account_id and not caller.may_administer:
            message = "a partner key changes the accounts below its own; its own is for whoever is above it"
            raise BrokerError(ErrorReason.ROLE_INSUFFICIENT, message, metadata={"role": caller.role.name})
        findings = Findings()
        changes = changes_of(request, findings)
        if account_id == caller.account_id and changes.get("api_access") is False:
            findings.broke(
                "account.api_access", "must stay true for your key's own account: it locks you out"
            )
        findings.refuse()
        if "sandbox_only" in changes:
            _check_sandbox(caller, account)
        if not account.policy.enforce_credit and "enforce_credit" in changes.get("policy_fields", ()):
            _check_credit(caller)
        change = AccountChange(account_id, self._accounts.now_us(), **changes)
        parent = account_number(account.parent_account_id) or 0 if account.parent_account_id else None
        changed = await self._accounts.change(change, email=account.email, parent=parent)
        return pb.UpdateAccountResponse(account=account_message(changed))


def _check_sandbox(caller: Principal, account: account_pb2.Account) -> None:
    if account.HasField("sandbox_only") and not account.sandbox_only and not caller.may_administer:
        message = "only an admin key may say that an account is not sandbox_only"
        raise BrokerError(ErrorReason.ROLE_INSUFFICIENT, message, metadata={"role": caller.role.name})


def _check_credit(caller: Principal) -> None:
    """Whoever could end it would send at the operator's expense."""
    if not caller.may_administer:
        message = "only an admin key may say that an account does not pay from its credit"
        raise BrokerError(ErrorReason.ROLE_INSUFFICIENT, message, metadata={"role": caller.role.name})
