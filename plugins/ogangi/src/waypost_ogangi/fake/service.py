"""The fake: it checks the path and the signature of every call, keeps what it took, and answers without a root."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

from broker.testing.upstream import Answer, Request
from waypost_ogangi.fake.answers import Operation, completed, failed
from waypost_ogangi.fake.campaigns import Campaigns
from waypost_ogangi.settings import OgangiSettings
from waypost_ogangi.signing import signature

REFUSED_ENDING = "0001"
"""Numbers with this ending are refused, with a status of the fake's own: the document prints none for that."""

REFUSED_STATUS = "INVALID_NUMBER"
SHORTCODES = ("19893653744", "70555")
_DATE = "2014-12-17T00:12:13.571-04:30"


@dataclass(frozen=True, slots=True)
class SentMessage:
    """What the fake took from a file."""

    id: str
    sender: str
    recipient: str
    text: str
    status: str


class FakeOgangi:
    """One workspace. `settings` are those of the instance that calls it: they say how it signs and writes files."""

    def __init__(
        self,
        settings: OgangiSettings,
        *,
        shortcodes: Sequence[str] = SHORTCODES,
        id_of: Callable[[str, int], str] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sent_per_look: int = 1_000,
    ) -> None:
        self.settings = settings
        self.shortcodes = tuple(shortcodes)
        self.sent: list[SentMessage] = []
        self.campaigns = Campaigns(settings, self.shortcodes, now=now, sent_per_look=sent_per_look)
        self._id_of = id_of or _id_of

    def __call__(self, request: Request) -> Answer:
        """Answer one call."""
        steps = request.path.split("/rest/api/", 1)[-1].split("/")
        operation = "/".join(steps[:2]) if steps[0] == "tools" else steps[0]
        rest = [unquote(step) for step in steps[operation.count("/") + 1 :]]
        known = self._operations().get((request.method, operation))
        if known is None:
            return Answer.of_text("<h1>Not Found</h1>", 404, "text/html")
        names, posted_name, answer = known
        if len(rest) != len(names) + 2:
            return failed(operation, "Wrong number of parameters", 400)
        posted = {} if not posted_name else {posted_name: self.file_in(request, posted_name)}
        given = list(zip(names, rest, strict=False))
        *_, public_key, signed = rest
        if public_key != self.settings.public_key.get_secret_value():
            return failed(operation, "Unknown public key", 403)
        if signed != signature(self.settings, given, posted):
            return failed(operation, "Invalid signature", 403)
        if dict(given)["instanceId"] != self.settings.instance_id:
            return failed(operation, "Unknown instance", 403)
        return answer(dict(given), posted)

    def _operations(self) -> dict[tuple[str, str], tuple[tuple[str, ...], str, Operation]]:
        """By method and name: the parameters of the path, what is posted, and what answers."""
        return {
            ("POST", "tools/sendSMSByFile"): (("instanceId",), "file", self._send),
            ("GET", "getShortcodes"): (("instanceId", "userName"), "", self._shortcodes),
            **self.campaigns.operations(),
        }

    def _send(self, _given: dict[str, str], posted: dict[str, bytes]) -> Answer:
        """Take a file of recipients."""
        rows = self.rows(posted["file"])
        if not rows:
            return failed("sendSMS", "Empty file")
        taken = [self._take(row) for row in rows]
        self.sent += taken
        messages = "".join(map(_message, taken))
        return completed("sendSMS", f"<messages>{messages}</messages>")

    def rows(self, file: bytes) -> list[dict[str, str]]:
        """The lines of a file, by the names of the columns."""
        lines = io.StringIO(file.decode(self.settings.file_encoding), newline="")
        separator = self.settings.file_separator
        if self.settings.file_quotes:
            cells = list(csv.reader(lines, delimiter=separator))
        else:
            cells = list(csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_NONE))
        columns = self.settings.file_columns
        return [dict(zip(columns, row, strict=True)) for row in cells[self.settings.file_header :]]

    def _take(self, row: dict[str, str]) -> SentMessage:
        recipient = row["recipient"].removeprefix("+")
        sender = row.get("sender") or self.settings.shortcode or self.shortcodes[0]
        status = REFUSED_STATUS if recipient.endswith(REFUSED_ENDING) else "SENT_TO_CARRIER"
        return SentMessage(self._id_of(recipient, len(self.sent)), sender, recipient, row["text"], status)

    def _shortcodes(self, given: dict[str, str], _posted: dict[str, bytes]) -> Answer:
        if given["userName"] != self.settings.user_name:
            return failed("getShortcodes", "Unknown user")
        listed = "".join(f"<shortcode><sc>{escape(each)}</sc></shortcode>" for each in self.shortcodes)
        return completed("getShortcodes", f"<shortcodes>{listed}</shortcodes>")

    def file_in(self, request: Request, name: str) -> bytes:
        """What was posted under a name: in a part of its own, or as a field of a form."""
        kind = request.headers.get("content-type", "")
        if not kind.startswith("multipart/"):
            fields = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
            encoding = self.settings.file_encoding if name == "file" else "utf-8"
            return fields.get(name, "").encode(encoding)
        head = f"Content-Type: {kind}\r\n\r\n".encode()
        for part in BytesParser(policy=HTTP).parsebytes(head + request.body).iter_parts():
            if part.get_param("name", header="content-disposition") == name:
                content = part.get_payload(decode=True)
                return content if isinstance(content, bytes) else b""
        return b""


def _message(sent: SentMessage) -> str:
    return (
        f"<message> <id>{sent.id}</id> <carrier>carrierName</carrier> <from>{escape(sent.sender)}</from>"
        f" <to>{escape(sent.recipient)}</to> <text>{_shown(sent.text)}</text> <status>{sent.status}</status>"
        f" <statusDescription>{sent.status.replace('_', ' ').title()}</statusDescription>"
        f" <encoding>UTF-8</encoding> <date>{_DATE}</date> <timezone>America/Caracas</timezone>"
        " <clientId>As223sdadq8d8287v5v</clientId> </message>"
    )


def _shown(text: str) -> str:
    """A text as XML can hold it: most control characters are none of XML's."""
    return escape("".join(each for each in text if each in "\t\r\n" or ord(each) >= 0x20))


def _id_of(_recipient: str, count: int) -> str:
    """Whole numbers of 64 bits, every other one below zero."""
    number = 6_710_228_708_174_720_670 + count
    return str(-number if count % 2 == 0 else number)
