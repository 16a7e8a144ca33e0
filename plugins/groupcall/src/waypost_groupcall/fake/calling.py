"""The requests that Groupcall makes to a callback address: the address with its parameters filled in. Pure."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode, urlsplit

from waypost_groupcall.fake.messenger import Taken


def parameters(taken: Taken, status: str, error: str) -> dict[str, str]:
    """All that a callback can say of a message. {sentid} is the id without what makes it long."""
    return {
        "sentid": taken.message_id.partition("-")[0],
        "contactid": "0",
        "externalid": "",
        "clientref": str(taken.fields.get("clientref") or ""),
        "recipient": taken.address,
        "status": status,
        "err": error,
        "units": str(taken.units),
    }


def address(callback_url: str, said: Mapping[str, str]) -> str:
    """Where to call: with all parameters where the address has none of its own, else with those that it names."""
    if not urlsplit(callback_url).query:
        return f"{callback_url}?{urlencode(said, quote_via=quote)}"
    for name, value in said.items():
        callback_url = callback_url.replace(f"{{{name}}}", quote(value, safe=""))
    return callback_url
