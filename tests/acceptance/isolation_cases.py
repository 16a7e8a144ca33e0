"""What every RPC is asked of another account's things, for test_isolation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SMS = {"sms": {"text": "Hello"}}
WHO = {"first_name": "Ada", "last_name": "Byron", "contact_number": "1234"}


@dataclass(frozen=True)
class Case:
    """The least role that may call, and requests about another's things as JSON with placeholders.

    `shows` says whether an administrator's answers tell what is there from what is not.
    """

    least: str
    requests: tuple[dict[str, Any], ...] = ({},)
    shows: bool = True


CASES: Mapping[str, Case] = {
    "AccountService/CreateAccount": Case(
        "PARTNER", ({"account": {**WHO, "email": "new@example.org", "parent_account_id": "{account}"}},)
    ),
    "AccountService/GetAccount": Case("READ", ({"account_id": "{account}"},)),
    "AccountService/FindAccount": Case("PARTNER", ({"email": "{email}"},)),
    "AccountService/ListAccounts": Case("PARTNER", ({"account_id": "{account}"},)),
    "AccountService/UpdateAccount": Case(
        "PARTNER",
        (
            {"account": {"account_id": "{account}", "name": "x"}},
            {"account": {"account_id": "{account}", "name": "x", "parent_account_id": "{account}"}},
        ),
    ),
    "AccountService/CreateApiKey": Case("PARTNER", ({"account_id": "{account}", "role": "ROLE_READ"},)),
    "AccountService/ListApiKeys": Case("PARTNER", ({"account_id": "{account}"},)),
    "AccountService/RevokeApiKey": Case("PARTNER", ({"key_id": "{key}"},)),
    "AccountService/CreateWebhook": Case(
        "PARTNER", ({"account_id": "{account}", "url": "https://shop.example/hook"},)
    ),
    "AccountService/ListWebhooks": Case("PARTNER", ({"account_id": "{account}"},)),
    "AccountService/RotateWebhookSecret": Case("PARTNER", ({"webhook_id": "{webhook}"},)),
    "AccountService/DeleteWebhook": Case("PARTNER", ({"webhook_id": "{webhook}"},)),
    "AccountService/GetBalance": Case("READ", ({"account_id": "{account}"},)),
    "AccountService/PurchaseCredits": Case(
        "PARTNER",
        (
            {
                "account_id": "{account}",
                "request_id": "r",
                "amount_micros": 5_000_000,
                "payment_token": "tok",
            },
        ),
    ),
    "AccountService/TransferCredits": Case(
        "PARTNER",
        (
            {
                "from_account_id": "{account}",
                "to_account_id": "{account}",
                "request_id": "r",
                "amount_micros": 1,
            },
            {"to_account_id": "{account}", "request_id": "r", "amount_micros": 1},
        ),
    ),
    "BrokerService/Send": Case(
        "SEND",
        (
            {"recipients": [{"contact_id": "{contact}"}, {"external_id": "{external}"}], "content": SMS},
            {"recipients": [{"contact_id": "{contact}"}], "template": {"name": "{template}"}},
            {
                "recipients": [{"contact_id": "{contact}"}],
                "content": SMS,
                "reply_to_message_id": "{message}",
            },
        ),
    ),
    "BrokerService/SendStream": Case(
        "SEND",
        (
            {
                "requests": [
                    {
                        "recipients": [{"contact_id": "{contact}"}, {"external_id": "{external}"}],
                        "content": SMS,
                        "reply_to_message_id": "{message}",
                    }
                ]
            },
        ),
    ),
    "BrokerService/Explain": Case(
        "READ",
        (
            {
                "request": {
                    "recipients": [{"contact_id": "{contact}"}, {"external_id": "{external}"}],
                    "content": SMS,
                    "reply_to_message_id": "{message}",
                }
            },
        ),
    ),
    "BrokerService/Subscribe": Case(
        "READ",
        (
            {"from_beginning": {}, "heartbeat_interval": "1s", "filter": {"message_ids": ["{message}"]}},
            {"from_beginning": {}, "filter": {"broadcast_ids": ["{message}"]}},
            {"from_now": {}, "heartbeat_interval": "1s", "filter": {"reply_to_message_ids": ["{message}"]}},
        ),
        shows=False,
    ),
    "BrokerService/Usage": Case("READ", ({"account_ids": ["{account}"]},)),
    "DirectoryService/CreateContact": Case(
        "SEND",
        (
            {"contact": {"first_name": "Eve", "delegates": [{"contact_id": "{contact}"}]}},
            {"contact": {"first_name": "Eve", "delegates": [{"external_id": "{external}"}]}},
        ),
    ),
    "DirectoryService/GetContact": Case("READ", ({"contact_id": "{contact}"}, {"external_id": "{external}"})),
    "DirectoryService/ListContacts": Case(
        "READ", ({"filter": {"external_id": "{external}"}}, {"filter": {"group_id": "{group}"}})
    ),
    "DirectoryService/UpdateContact": Case(
        "SEND",
        (
            {"contact": {"contact_id": "{contact}", "title": "Dr"}},
            {"external_id": "{external}", "contact": {"title": "Dr"}},
            {"contact": {"contact_id": "{contact}", "delegates": [{"external_id": "{external}"}]}},
            {"contact": {"contact_id": "{contact}", "delegates": [{"contact_id": "{contact}"}]}},
        ),
    ),
    "DirectoryService/DeleteContact": Case(
        "SEND", ({"external_id": "{external}"}, {"contact_id": "{contact}"}), shows=False
    ),
    "DirectoryService/CreateGroup": Case("SEND", ({"account_id": "{account}", "group": {"name": "x"}},)),
    "DirectoryService/GetGroup": Case("READ", ({"group_id": "{group}"},)),
    "DirectoryService/ListGroups": Case("READ", ({"filter": {"contact_id": "{contact}"}},)),
    "DirectoryService/UpdateGroup": Case("SEND", ({"group": {"group_id": "{group}", "description": "x"}},)),
    "DirectoryService/DeleteGroup": Case("SEND", ({"group_id": "{group}"},)),
    "DirectoryService/AddGroupMembers": Case(
        "SEND",
        (
            {"group_id": "{group}", "contact_ids": ["{contact}"]},
            {"group_id": "{group}", "external_ids": ["{external}"]},
        ),
    ),
    "DirectoryService/RemoveGroupMembers": Case(
        "SEND",
        (
            {"group_id": "{group}", "contact_ids": ["{contact}"]},
            {"group_id": "{group}", "external_ids": ["{external}"]},
        ),
    ),
    "DirectoryService/ListGroupMembers": Case("READ", ({"group_id": "{group}"},)),
    "MessageService/GetMessage": Case("READ", ({"message_id": "{message}"},)),
    "MessageService/ListMessages": Case(
        "READ",
        (
            {"filter": {"contact_id": "{contact}"}},
            {"filter": {"reply_to_message_ids": ["{message}"]}},
            {"filter": {"broadcast_ids": ["{broadcast}"]}},
        ),
        shows=False,
    ),
    "MessageService/CancelMessage": Case("SEND", ({"message_id": "{message}"},)),
    "MessageService/DeleteMessage": Case("SEND", ({"message_id": "{message}"},)),
    "MessageService/MarkMessage": Case("SEND", ({"message_id": "{message}", "mark": "MARK_READ"},)),
    "MessageService/RedriveMessage": Case("SEND", ({"message_id": "{message}"},)),
    "MessageService/AnalyzeMessage": Case("READ", ({"text": "x"},), shows=False),
    "TemplateService/CreateTemplate": Case(
        "SEND", ({"template": {"name": "{template}", "locales": {"en": SMS}}},)
    ),
    "TemplateService/GetTemplate": Case("READ", ({"name": "{template}"},)),
    "TemplateService/ListTemplates": Case("READ", ({"account_id": "{account}"},)),
    "TemplateService/UpdateTemplate": Case(
        "SEND", ({"template": {"name": "{template}", "locales": {"en": SMS}}},)
    ),
    "TemplateService/DeleteTemplate": Case("SEND", ({"name": "{template}"},)),
    "TemplateService/RenderTemplate": Case("READ", ({"template": {"name": "{template}"}},)),
    "PriceService/ListPrices": Case("READ", shows=False),
    "PriceService/ReplacePrices": Case("ADMIN", shows=False),
    "BrokerService/Broadcast": Case(
        "SEND",
        (
            {"name": "b", "content": SMS, "draft": True, "audience": {"group_ids": ["{group}"]}},
            {"name": "b", "content": SMS, "draft": True, "audience": {"upload_id": "{message}"}},
            {
                "name": "b",
                "content": SMS,
                "draft": True,
                "audience": {"recipients": [{"contact_id": "{contact}"}, {"external_id": "{external}"}]},
            },
        ),
        shows=False,
    ),
    "BroadcastService/GetBroadcast": Case("READ", ({"broadcast_id": "{broadcast}"},)),
    "BroadcastService/UploadAudience": Case("SEND", ({"file": {"account_id": "{account}"}},), shows=False),
    "BroadcastService/ListRefusedRows": Case(
        "READ", ({"account_id": "{account}", "upload_id": "{message}"},), shows=False
    ),
    "BroadcastService/ListBroadcasts": Case("READ", ({"account_id": "{account}"},)),
    "BroadcastService/UpdateBroadcast": Case(
        "SEND",
        (
            {
                "broadcast_id": "{broadcast}",
                "request": {
                    "name": "b",
                    "content": SMS,
                    "audience": {
                        "group_ids": ["{group}"],
                        "upload_id": "{message}",
                        "recipients": [{"contact_id": "{contact}", "external_id": "{external}"}],
                    },
                },
            },
        ),
        shows=False,
    ),
    "BroadcastService/StartBroadcast": Case("SEND", ({"broadcast_id": "{broadcast}"},)),
    "BroadcastService/SuspendBroadcast": Case("SEND", ({"broadcast_id": "{broadcast}"},)),
    "BroadcastService/ResumeBroadcast": Case("SEND", ({"broadcast_id": "{broadcast}"},)),
    "BroadcastService/StopBroadcast": Case("SEND", ({"broadcast_id": "{broadcast}"},)),
    "BroadcastService/DeleteBroadcast": Case("SEND", ({"broadcast_id": "{broadcast}"},)),
    "BrokerService/OptIn": Case(
        "SEND",
        (
            {
                "account_id": "{account}",
                "entries": [{"recipient": "+447400000001", "state": "OPT_IN_STATE_OPTED_OUT"}],
            },
        ),
        shows=False,
    ),
    "ConsentService/GetOptIn": Case(
        "READ", ({"account_id": "{account}", "recipient": "+447400000001"},), shows=False
    ),
    "ConsentService/ListOptIns": Case("READ", ({"account_id": "{account}"},), shows=False),
    "SenderService/CheckKeyword": Case(
        "READ", ({"account_id": "{account}", "keyword": "JOIN"},), shows=False
    ),
    "SenderService/RentKeyword": Case(
        "PARTNER", ({"account_id": "{account}", "keyword": "JOIN"},), shows=False
    ),
    "SenderService/ConfigureKeyword": Case(
        "PARTNER", ({"account_id": "{account}", "keyword": "JOIN", "group_id": "{group}"},), shows=False
    ),
    "SenderService/ListKeywords": Case("READ", ({"account_id": "{account}"},), shows=False),
    "SenderService/ReleaseKeyword": Case(
        "PARTNER", ({"account_id": "{account}", "keyword": "JOIN"},), shows=False
    ),
    "SenderService/CreateSender": Case("PARTNER", ({"account_id": "{account}"},), shows=False),
    "SenderService/ListSenders": Case("READ", ({"account_id": "{account}"},), shows=False),
    "SenderService/DeleteSender": Case("PARTNER", ({"sender_id": "{message}"},), shows=False),
    "ProviderService/ListProviders": Case("READ", shows=False),
    "ProviderService/UpdateProvider": Case("ADMIN", ({"name": "sandbox"},), shows=False),
    "ProviderService/GetUpstreamUsage": Case("ADMIN", ({"name": "sandbox"},), shows=False),
    "ProviderService/ListRoutes": Case("ADMIN", shows=False),
    "ProviderService/ReplaceRoutes": Case("ADMIN", shows=False),
}
