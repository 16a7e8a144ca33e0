"""Files of recipients over a real store: found out, taken apart and stored, or refused with every bad line."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import pytest

from broker.delivery.broadcasts.file_reading import FileFormat, FileKind, FileWish
from broker.delivery.broadcasts.uploads import Received, Uploads
from broker.delivery.identities import Identities
from broker.delivery.policies import Policies
from broker.domain.audience import AudienceRow
from broker.domain.ids import ID_MAX
from broker.errors import BrokerError, ErrorReason
from broker.storage.expanding import read_audience_size, read_rows
from broker.storage.store import Store
from broker.storage.uploads import RefusedRow, UploadState, begin_uploads, read_abandoned
from broker.testing.builders import NOW_US, ManualClock

KEEP = FileWish(keeps_good=True)


@pytest.fixture
def uploads(store: Store, clock: ManualClock) -> Uploads:
    """Room for 2 MB and 10,000 lines."""
    identities = Identities(store, clock, node=0, last=0)
    return Uploads(store, identities, Policies(store, clock), clock, bytes_max=2_000_000, rows_max=10_000)


async def receive(uploads: Uploads, data: bytes, wish: FileWish = KEEP, chunk_bytes: int = 1_000) -> Received:
    """Upload a file in chunks."""

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(data), chunk_bytes):
            yield data[start : start + chunk_bytes]

    return await uploads.receive(1, wish, chunks())


async def stored(store: Store, received: Received) -> list[tuple[str, Any]]:
    """What was stored of a file: number or mailbox, and values."""
    rows: list[AudienceRow] = await store.read(read_rows, 0, received.upload.upload_id, 0, 100_000)
    return [(each.phone_number or each.email, each.more.get("tokens", {})) for each in rows]


def number(at: int) -> str:
    """A recipient."""
    return f"+4915112{at:06d}"


def workbook(*lines: tuple[str, ...]) -> bytes:
    """A small xlsx file, of texts."""
    rows = "".join(
        "<row>" + "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in line) + "</row>"
        for line in lines
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{relations}"><Relationship Id="r" Type="{office}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="a" sheetId="1" '
        'r:id="s"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{relations}"><Relationship Id="s" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>',
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name, text in parts.items():
            packed.writestr(name, text)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"phone,name\n+447700900123,Z\xc3\xbcrich\n", FileKind(FileFormat.CSV, "utf-8", ",")),
        ("\ufeffphone;name\r\n+447700900123;Zürich\r\n".encode(), FileKind(FileFormat.CSV, "utf-8-sig", ";")),
        ("phone\tname\n+447700900123\tZürich".encode("utf-16"), FileKind(FileFormat.TSV, "utf-16", "\t")),
        ("phone|name\n+447700900123|Zürich".encode("cp1252"), FileKind(FileFormat.CSV, "cp1252", "|")),
        ('"phone","name"\n\n"+447700900123","Zürich"'.encode(), FileKind(FileFormat.CSV, "utf-8", ",")),
        (workbook(("phone", "name"), ("+447700900123", "Zürich")), FileKind(FileFormat.EXCEL)),
    ],
)
async def test_what_a_file_is_is_found_out(
    uploads: Uploads, store: Store, data: bytes, kind: FileKind
) -> None:
    """Format, encoding and delimiter; the recipient is the same."""
    received = await receive(uploads, data)
    assert kind == received.kind
    assert (UploadState.USABLE, 1, 0) == (
        received.upload.state,
        received.upload.rows,
        received.upload.refused,
    )
    assert ("phone_number", "name") == received.upload.columns
    assert [("+447700900123", {"name": "Zürich"})] == await stored(store, received)


async def test_plain_text_has_an_address_a_line(uploads: Uploads, store: Store) -> None:
    """Numbers or mailboxes, with no header."""
    received = await receive(uploads, f"{number(1)}\n\n {number(2)} \n".encode())
    assert FileFormat.TEXT is received.kind.format
    assert [(number(1), {}), (number(2), {})] == await stored(store, received)


async def test_what_is_said_of_a_file_is_believed(uploads: Uploads, store: Store) -> None:
    """Another encoding and a delimiter that nobody would guess."""
    wish = FileWish(FileFormat.CSV, "cp437", "#", keeps_good=True)
    received = await receive(uploads, "phone#name\n+447700900123#Zürich".encode("cp437"), wish)
    assert [("+447700900123", {"name": "Zürich"})] == await stored(store, received)


async def test_a_cell_may_have_lines_of_its_own(uploads: Uploads, store: Store) -> None:
    """And lines are counted as an editor does."""
    data = f'phone,name\n{number(1)},"a ""b""\nc"\nbad,x\n'.encode()
    received = await receive(uploads, data)
    assert [(number(1), {"name": 'a "b"\nc'})] == await stored(store, received)
    assert [4] == [each.line for each in received.refused]


async def test_good_lines_are_kept_and_every_bad_one_is_told_of(uploads: Uploads, store: Store) -> None:
    """Across batches, in the order of the file; the first of them with the answer, all of them on demand."""
    lines = [number(at) if at % 10 else "bad" for at in range(5_000)]
    received = await receive(uploads, "\n".join(["phone", *lines]).encode(), chunk_bytes=50_000)
    assert (4_500, 500, 100) == (received.upload.rows, received.upload.refused, len(received.refused))
    assert 4_500 == await store.read(read_audience_size, received.upload.upload_id)
    page = await uploads.refused(received.upload.upload_id, 4_980, 10)
    problem = "phone_number is not a number with its + and country code"
    assert [RefusedRow(4_982, problem), RefusedRow(4_992, problem)] == list(page)


async def test_one_bad_line_refuses_all_where_that_is_asked_for(uploads: Uploads, store: Store) -> None:
    """No recipient is kept; what is wrong can be read."""
    lines = [*map(number, range(3_000)), "bad"]
    received = await receive(uploads, "\n".join(["phone", *lines]).encode(), FileWish(), 50_000)
    assert (UploadState.REFUSED, 0, 1) == (
        received.upload.state,
        received.upload.rows,
        received.upload.refused,
    )
    assert 0 == await store.read(read_audience_size, received.upload.upload_id)
    assert received.upload == await uploads.upload(1, received.upload.upload_id)
    assert [3_002] == [each.line for each in await uploads.refused(received.upload.upload_id, 0, 10)]


@pytest.mark.parametrize(
    ("data", "wish", "rule"),
    [
        (b"", KEEP, "is empty"),
        (b"\n\n", KEEP, "has no lines"),
        (b"name,town\nAda,Rome\n", KEEP, "has no column with addresses"),
        (b"phone\n", FileWish(FileFormat.EXCEL), "is no workbook"),
        (b"PK\x03\x04 and so on", KEEP, "cannot be read as a workbook"),
        (b"phone\n", FileWish(encoding="klingon"), "has no encoding 'klingon'"),
        (b"phone\n", FileWish(encoding="zlib"), "has no encoding 'zlib'"),
        (b"phone\n", FileWish(encoding="idna"), "has no encoding 'idna'"),
        (b"phone\n", FileWish(encoding="punycode"), "is not written in punycode"),
        (b"phone\n" + b"+447700900123\n" * 10_001, KEEP, "has more than 10,000 lines"),
        (b"x" * 2_000_001, KEEP, "has more than 2,000,000 bytes"),
    ],
)
async def test_what_is_no_file_of_recipients_is_refused(
    uploads: Uploads, store: Store, data: bytes, wish: FileWish, rule: str
) -> None:
    """With the rule; and nothing of it stays."""
    with pytest.raises(BrokerError) as caught:
        await receive(uploads, data, wish, 100_000)
    (violation,) = caught.value.violations
    assert "file" == violation.field
    assert rule in violation.rule
    assert await store.read(read_abandoned, ID_MAX) is None


async def test_a_caller_who_goes_away_leaves_nothing(uploads: Uploads, store: Store) -> None:
    """What another process was receiving when it died is removed at the next start."""
    received = await receive(uploads, number(1).encode())
    upload = received.upload
    left = type(upload)(7, 1, NOW_US, UploadState.RECEIVING)
    await store.write(begin_uploads, [left], [1])
    assert 7 == await store.read(read_abandoned, 1 << 62)
    await uploads.sweep()
    assert await store.read(read_abandoned, ID_MAX) is None
    assert upload == await uploads.upload(1, upload.upload_id)


async def test_anothers_upload_is_like_none(uploads: Uploads) -> None:
    """To read and to send to."""
    received = await receive(uploads, number(1).encode())
    with pytest.raises(BrokerError) as caught:
        await uploads.upload(2, received.upload.upload_id)
    assert ErrorReason.UPLOAD_NOT_FOUND is caught.value.reason


async def test_of_a_caller_who_goes_away_nothing_is_left(store: Store, clock: ManualClock) -> None:
    """While lines are taken apart and stored; the thread that does so is waited for."""
    identities = Identities(store, clock, node=0, last=0)
    uploads = Uploads(store, identities, Policies(store, clock), clock, bytes_max=10**7, rows_max=10**6)
    data = b"phone\n" + b"".join(b"+4915112%06d\n" % at for at in range(100_000))
    receiving = asyncio.ensure_future(receive(uploads, data, chunk_bytes=1_000_000))
    while await store.read(read_abandoned, ID_MAX) is None:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0.001)
    receiving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await receiving
    assert await store.read(read_abandoned, ID_MAX) is None
