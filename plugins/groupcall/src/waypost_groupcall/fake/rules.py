"""What Groupcall refuses, as its document says it: required fields, senders, units. Pure."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]

UNITS_MAX = 10
RECIPIENTS_MAX = 100

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "sms": ("customerid", "smsmessage", "recipients"),
    "email": ("customerid", "emailbody", "recipients"),
    "multi": ("customerid", "emailbody", "recipients"),
    "opt_in": ("customerid", "password", "shortcode", "recipientnumber", "keyword"),
    "get_opt_in": ("customerid", "password", "shortcode", "recipientnumber"),
}
"""Required fields in lower case; those of the two forms of credentials are looked at apart."""

KEYWORDS: Mapping[str, bool | None] = {"STOP": False, "START": True, "HELP": None}
"""What a keyword wants; None changes nothing."""

_GSM = re.compile(
    r"[@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,\-./0-9:;<=>?¡A-ZÄÖÑÜ§¿a-zäöñüà\f^{}\\\[~\]|€]*"
)
_GSM_TWICE = re.compile(r"[\f^{}\\\[~\]|€]")
_TOKEN = re.compile(r"\$(\w{1,64})\$")


def lowered(document: Document) -> dict[str, Any]:
    """The fields in lower case: their case does not matter to Groupcall."""
    return {name.lower(): each for name, each in document.items()}


def missing(operation: str, fields: Document) -> str:
    """The first required field that is not there; empty where all are."""
    return next((name for name in REQUIRED[operation] if fields.get(name) is None or fields[name] == ""), "")


def complaint(operation: str, fields: Document, style_class: object) -> str:
    """Why a message is refused; empty where it is right."""
    if name := _missing_of_message(operation, fields):
        return f"{name} is required"
    recipients = fields["recipients"]
    if not isinstance(recipients, list) or not 0 < len(recipients) <= RECIPIENTS_MAX:
        return f"recipients are 1 to {RECIPIENTS_MAX}"
    if operation == "email" and not style_class:
        return "styleClass is required"
    for each in recipients:
        if not isinstance(each, dict) or (why := _recipient_complaint(operation, fields, lowered(each))):
            return why if isinstance(each, dict) else "a recipient is an object"
    return _attachments_complaint(fields.get("attachments") or [])


def is_unicode(text: str) -> bool:
    """Whether a text needs UCS-2."""
    return not _GSM.fullmatch(text)


def units(text: str) -> int:
    """SMS units of a text."""
    if is_unicode(text):
        length, single, part = len(text.encode("utf-16-be")) // 2, 70, 67
    else:
        length, single, part = len(text) + len(_GSM_TWICE.findall(text)), 160, 153
    return 1 if length <= single else math.ceil(length / part)


def filled(text: str, tokens: Document) -> str:
    """A text with its tokens replaced; one that nobody gave a value for leaves nothing."""
    return _TOKEN.sub(lambda found: str(tokens.get(found[1], "")), text)


def keyword_of(written: object) -> str | None:
    """A keyword as it is known; None where it is not."""
    word = str(written).strip().upper()
    return word if word in KEYWORDS else None


def _missing_of_message(operation: str, fields: Document) -> str:
    if operation == "multi" and "emailbody" in fields:
        fields = {**fields, "emailbody": fields["emailbody"] or "(empty)"}
    return missing(operation, fields)


def _recipient_complaint(operation: str, fields: Document, recipient: Document) -> str:
    if recipient.get("sendto", 0) not in (0, 1, 2):
        return "SendTo is 0, 1 or 2"
    if not any(recipient.get(name) for name in ("mobilenumber", "emailaddress", "idaasid")):
        return "a recipient has an address"
    return _sms_complaint(operation, fields, recipient) if fields.get("smsmessage") else ""


def _sms_complaint(operation: str, fields: Document, recipient: Document) -> str:
    number, sender = str(recipient.get("mobilenumber") or ""), fields.get("smssender")
    if operation == "sms" and not re.fullmatch(r"\+?[1-9][0-9]{6,14}", number):
        return "MobileNumber has an international country code"
    if sender is not None and not re.fullmatch(r"[A-Za-z0-9]{3,11}", str(sender)):
        return "SMSSender is 3 to 11 letters and digits"
    if number and not sender and not number.removeprefix("+").startswith("1"):
        return "SMSSender is required outside the United States"
    tokens = {**(fields.get("dynamictokens") or {}), **(recipient.get("dynamictokens") or {})}
    said = filled(str(fields["smsmessage"]), tokens)
    return f"at most {UNITS_MAX} units" if units(said) > UNITS_MAX else ""


def _attachments_complaint(attachments: Sequence[Any]) -> str:
    right = all(
        isinstance(each, dict) and each.get("FileName") and each.get("FileData") for each in attachments
    )
    return "" if right else "an attachment has FileName and FileData"
