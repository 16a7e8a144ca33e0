"""The fake's endpoints: what each takes, and who may ask."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from waypost_zoomconnect.directory import LISTS
from waypost_zoomconnect.fake import texts
from waypost_zoomconnect.fake.directory import Directory
from waypost_zoomconnect.fake.messages import Messages
from waypost_zoomconnect.fake.wire import Refused, Request, Response, json_response

API = "/api/rest/v1/"
OPEN = "sms/send-url/"
"""Below it the path itself holds a token."""


class FakeZoomConnect:
    """An account at ZoomConnect, with its credentials, its credit, its messages and its directory.

    `polls_left` is how many times messages can still be listed before it answers 429; None: for ever.
    """

    def __init__(
        self,
        *,
        email: str,
        token: str,
        url_token: str = "",
        credit: float = 1_000.0,
        time_zone: str = "Africa/Johannesburg",
        now: Callable[[], datetime] | None = None,
        id_of: Callable[[Mapping[str, Any]], str] | None = None,
    ) -> None:
        self._credentials = (email, token)
        self._url_token = url_token
        self.messages = Messages(ZoneInfo(time_zone), now or (lambda: datetime.now(UTC)), credit, id_of)
        self.directory = Directory()
        self.polls_left: int | None = None
        self._routes = routes(self)

    def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer one request."""
        named = {name.lower(): value for name, value in headers.items()}
        request = Request(method, target, named, body)
        try:
            return self._answer(request)
        except Refused as refused:
            return refused.response

    def _answer(self, request: Request) -> Response:
        _, found, path = request.path.partition(API)
        if not found:
            raise Refused(404)
        if not path.startswith(OPEN) and request.credentials != self._credentials:
            raise Refused(401)
        for methods, pattern, handler in self._routes:
            if (matched := pattern.fullmatch(path)) and request.method in methods:
                return handler(request, *matched.groups())
        raise Refused(404)

    def balance(self, _request: Request) -> Response:
        """The credit that is left."""
        return json_response({"creditBalance": self.messages.credit})

    def statistics(self, request: Request) -> Response:
        """The statistics report."""
        return json_response(self.messages.statistics(request.query))

    def send(self, request: Request) -> Response:
        """One message."""
        return json_response({"messageId": self.messages.send(request.document), "error": None})

    def send_bulk(self, request: Request) -> Response:
        """Many messages; one that is refused has an error in its place."""
        document, results = request.document, []
        pace = document.get("messagesPerMinute", 0)
        if not isinstance(pace, int) or pace < 0:
            raise Refused(400, "Invalid messagesPerMinute")
        for each in document.get("sendSmsRequests") or ():
            try:
                found = self.messages.send(each, document.get("defaultDateToSend") or "")
                results.append({"messageId": found, "error": None})
            except Refused as refused:
                results.append({"messageId": None, "error": str(refused)})
        return json_response({"sendSmsResponses": results})

    def send_by_url(self, request: Request) -> Response:
        """One message, with everything in the URL."""
        return json_response(self.messages.send(request.query))

    def send_by_token(self, request: Request, token: str) -> Response:
        """The same, for whoever knows the token for sending by URL."""
        if not self._url_token or token != self._url_token:
            raise Refused(401)
        return self.send_by_url(request)

    def list_messages(self, request: Request) -> Response:
        """A page of messages, unless somebody asks too often."""
        if self.polls_left is not None:
            if self.polls_left == 0:
                raise Refused(429)
            self.polls_left -= 1
        return json_response(self.messages.page(request.query))

    def message(self, _request: Request, message_id: str) -> Response:
        """One message."""
        return json_response(self.messages.get(message_id))

    def delete_message(self, _request: Request, message_id: str) -> Response:
        """It is listed as deleted from now on."""
        self.messages.get(message_id)["deleted"] = True
        return 204, {}, b""

    def mark(self, _request: Request, message_id: str, how: str) -> Response:
        """Read, or unread again."""
        record = self.messages.get(message_id)
        record["read"] = how == "markRead"
        return json_response(record)

    def list_records(self, request: Request, kind: str) -> Response:
        """A page of contacts, groups or templates."""
        return json_response({LISTS[kind]: self.directory.page(kind, request.query), "links": []})

    def record(self, _request: Request, kind: str, record_id: str) -> Response:
        """One of them."""
        return json_response(self.directory.details(kind, record_id))

    def delete_record(self, _request: Request, kind: str, record_id: str) -> Response:
        """It is gone."""
        self.directory.delete(kind, record_id)
        return 204, {}, b""

    def create_record(self, request: Request, kind: str) -> Response:
        """A new contact or group, with its id."""
        add = self.directory.add_contact if kind == "contacts" else self.directory.add_group
        return json_response(add(request.document), 201)

    def update_record(self, request: Request, kind: str, record_id: str) -> Response:
        """A contact or group with other fields."""
        update = self.directory.update_contact if kind == "contacts" else self.directory.update_group
        return json_response(update(record_id, request.document))

    def change_groups(self, _request: Request, contact_id: str, how: str, group_id: str) -> Response:
        """On the contact's side, leaving is called addFromGroup."""
        (self.directory.join if how == "addToGroup" else self.directory.leave)(contact_id, group_id)
        return 200, {}, b""

    def change_contacts(self, _request: Request, group_id: str, how: str, contact_id: str) -> Response:
        """The same on the group's side."""
        (self.directory.join if how == "addContact" else self.directory.leave)(contact_id, group_id)
        return 200, {}, b""

    def analyse(self, request: Request, what: str) -> Response:
        """The full report on a text, or one field of it."""
        document = request.document
        report = texts.analysis(str(document.get("message") or ""))
        if what == "full":
            return json_response(report)
        if what not in ANALYSED:
            raise Refused(404)
        return json_response(report[ANALYSED[what]])


ANALYSED = {
    "message-credit-cost": "messageCreditCost",
    "message-encoding": "messageEncoding",
    "message-length": "messageLength",
    "message-length-within-max-allowed": "messageLengthWithinMaximumAllowed",
    "number-of-messages": "numberOfMessages",
}


def routes(fake: FakeZoomConnect) -> list[tuple[frozenset[str], re.Pattern[str], Callable[..., Response]]]:
    """Methods and path of each endpoint, and what answers it."""
    table: list[tuple[str, str, Callable[..., Response]]] = [
        ("GET", "account/balance", fake.balance),
        ("GET", "account/statistics", fake.statistics),
        ("POST", "sms/send", fake.send),
        ("POST", "sms/send-bulk", fake.send_bulk),
        ("GET POST", "sms/send-url-parameters", fake.send_by_url),
        ("GET POST", "sms/send-url/([^/]+)", fake.send_by_token),
        ("GET", "messages/all", fake.list_messages),
        ("POST", "messages/analyse/([a-z-]+)", fake.analyse),
        ("GET", "messages/([^/]+)", fake.message),
        ("DELETE", "messages/([^/]+)", fake.delete_message),
        ("PUT POST", "messages/([^/]+)/(markRead|markUnread)", fake.mark),
        ("GET", "(contacts|groups|templates)/all", fake.list_records),
        ("POST", "(contacts|groups)/create", fake.create_record),
        ("GET", "(contacts|groups|templates)/([^/]+)", fake.record),
        ("DELETE", "(contacts|groups|templates)/([^/]+)", fake.delete_record),
        ("POST", "(contacts|groups)/([^/]+)", fake.update_record),
        ("GET POST", "contacts/([^/]+)/(addToGroup|addFromGroup)/([^/]+)", fake.change_groups),
        ("GET POST", "groups/([^/]+)/(addContact|removeContact)/([^/]+)", fake.change_contacts),
    ]
    return [(frozenset(methods.split()), re.compile(path), handler) for methods, path, handler in table]
