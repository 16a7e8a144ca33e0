"""Groupcall's words and names, as literal tables. What is not in a table means nothing, and is never guessed at.

The document prints "In Queue" and nothing else. The other words, the paths and the names of fields that the document
leaves out are from the vendor's public guides where those tell, and else the likeliest; settings add and replace.
"""

from collections.abc import Mapping
from enum import StrEnum

from broker.spi import Reason, ReceiptStatus


class Endpoint(StrEnum):
    """The seven operations of the document."""

    SMS = "sms"
    EMAIL = "email"
    MULTI = "multi"
    OPT_IN = "opt_in"
    OPT_IN_COLLECTION = "opt_in_collection"
    GET_OPT_IN = "get_opt_in"
    USAGE = "usage"


PATHS: Mapping[Endpoint, str] = {
    Endpoint.SMS: "/api/SendMessage_V3/SMS",
    Endpoint.EMAIL: "/api/SendMessage_V3/Email",
    Endpoint.MULTI: "/api/SendMessage_V3/PartnerRoute",
    Endpoint.OPT_IN: "/api/SendMessage_V3/OptIn",
    Endpoint.OPT_IN_COLLECTION: "/api/SendMessage_V3/OptInCollection",
    Endpoint.GET_OPT_IN: "/api/SendMessage_V3/GetOptIn",
    Endpoint.USAGE: "/api/SendMessage_V3/Usage",
}

NAMES: Mapping[str, str] = {
    "message_data": "messageData",
    "recipients": "Recipients",
    "mobile_number": "MobileNumber",
    "email_address": "EmailAddress",
    "person_id": "IdaasId",
    "send_to": "SendTo",
    "client_ref": "ClientRef",
    "tokens": "DynamicTokens",
    "attachments": "Attachments",
    "file_name": "FileName",
    "file_data": "FileData",
    "opt_ins": "OptIns",
    "start_date": "StartDate",
    "end_date": "EndDate",
    "day": "Date",
}
"""Names of fields that the document does not print for each place where they belong."""

CALLBACK_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("messageid", "sentid", "messagesentid"),
    "client_ref": ("clientref",),
    "recipient": ("recipient", "mobilenumber", "emailaddress"),
    "status": ("status", "statusmsg"),
    "error": ("err", "errormsg"),
    "time": ("timestamp", "transmitdatetime"),
    "reply": ("reply", "response", "message", "text"),
    "reply_to": ("shortcode", "to"),
    "reply_id": ("replyid", "responseid"),
}
"""Parameters of a callback, in lower case: the case of a name never matters. The first that has a value counts."""

PLACEHOLDERS = ("sentid", "clientref", "recipient", "status", "err", "units")
"""What a constructed callback address asks for."""


class Meaning(StrEnum):
    """What a word means that answers a message."""

    ACCEPTED = "accepted"
    NOT_ACCEPTED = "not_accepted"
    REJECTED = "rejected"
    OPTED_OUT = "opted_out"


ANSWERS: Mapping[str, Meaning] = {
    "in queue": Meaning.ACCEPTED,
    "data is not valid, no messages sent": Meaning.NOT_ACCEPTED,
    "customer does not allow sending sms": Meaning.NOT_ACCEPTED,
    "customer does not allow sending email": Meaning.NOT_ACCEPTED,
    "partner account not authorized for this customer": Meaning.NOT_ACCEPTED,
    "recipient has opted out": Meaning.OPTED_OUT,
}
"""Words of `statusMsg`, of `errorMsg` and of warnings, in lower case.

Wrong credentials and missing permissions say nothing of the message: once they are mended, it goes out.
"""


class Report(StrEnum):
    """What the status of a callback means."""

    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    OPTED_OUT = "opted_out"
    READ = "read"


STATUSES: Mapping[str, Report] = {
    "in queue": Report.SENT,
    "pending": Report.SENT,
    "sent": Report.SENT,
    "delivered": Report.DELIVERED,
    "failed": Report.FAILED,
    "undelivered": Report.FAILED,
    "not delivered": Report.FAILED,
    "rejected": Report.FAILED,
    "expired": Report.FAILED,
    "bounced": Report.FAILED,
    "opted out": Report.OPTED_OUT,
    "read": Report.READ,
    "opened": Report.READ,
}
"""Words of a callback's status, in lower case."""

RECEIPTS: Mapping[Report, ReceiptStatus] = {
    Report.SENT: ReceiptStatus.SENT,
    Report.DELIVERED: ReceiptStatus.DELIVERED,
    Report.FAILED: ReceiptStatus.DELIVERY_FAILED,
    Report.OPTED_OUT: ReceiptStatus.DELIVERY_FAILED,
    Report.READ: ReceiptStatus.READ,
}

ERRORS: Mapping[str, Reason] = {
    "invalid number": Reason.INVALID_RECIPIENT,
    "recipient has opted out": Reason.OPTED_OUT,
}
"""What the error of a callback says of a message that could not be delivered, in lower case."""
