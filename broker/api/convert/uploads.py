"""Files of recipients: what a caller says of one, its chunks, and what it came to → protobuf."""

from collections.abc import AsyncIterator, Sequence

from broker.api.convert.findings import Findings
from broker.api.convert.paging import page_position, page_size_of, page_token
from broker.delivery.broadcasts.file_reading import FileFormat, FileWish
from broker.delivery.broadcasts.uploads import Received, RefusedRow, UploadState
from broker.domain.ids import format_id, parse_id
from broker.errors import BrokerError, ErrorReason, Violation
from waypost.v1 import broadcast_service_pb2 as pb

CHUNK_BYTES_MAX = 1_048_576
ENCODING_CHARACTERS_MAX = 32

_FORMATS = {0: None, **{int(each): each for each in FileFormat}}
_PB_FORMATS = {each: pb.FileFormat.Value(f"FILE_FORMAT_{each.name}") for each in FileFormat}


async def file_of(requests: AsyncIterator[pb.UploadAudienceRequest]) -> pb.AudienceFile:
    """What an upload begins with."""
    first = await anext(requests, None)
    if first is not None and first.WhichOneof("part") == "file":
        return first.file
    raise _broke("file", "must be the first message of the stream")


def file_wish_of(file: pb.AudienceFile) -> FileWish:
    """What a caller says of a file. Raises BrokerError with every rule that it breaks."""
    findings = Findings()
    if file.format not in _FORMATS:
        findings.broke("file.format", f"{file.format} is not a format")
    if file.bad_lines not in pb.BadLines.values():
        findings.broke("file.bad_lines", f"{file.bad_lines} is not one of REFUSE_ALL, KEEP_GOOD")
    findings.line("file.encoding", file.encoding, ENCODING_CHARACTERS_MAX)
    if len(file.delimiter) > 1 or file.delimiter in {'"', "\n", "\r", "\0"}:
        findings.broke("file.delimiter", "must be one character, and no quote or end of a line")
    findings.refuse()
    return FileWish(
        format=_FORMATS[file.format],
        encoding=file.encoding or None,
        delimiter=file.delimiter or None,
        keeps_good=file.bad_lines == pb.BAD_LINES_KEEP_GOOD,
    )


async def chunks_of(requests: AsyncIterator[pb.UploadAudienceRequest]) -> AsyncIterator[bytes]:
    """The bytes of a file, of what follows its beginning."""
    async for request in requests:
        if request.WhichOneof("part") != "chunk":
            raise _broke("chunk", "must be all that follows the first message")
        if len(request.chunk) > CHUNK_BYTES_MAX:
            raise _broke(
                "chunk", f"has {len(request.chunk):,} bytes; at most {CHUNK_BYTES_MAX:,} are allowed"
            )
        yield request.chunk


def upload_response(received: Received) -> pb.UploadAudienceResponse:
    """What a file came to."""
    upload, kind = received.upload, received.kind
    return pb.UploadAudienceResponse(
        upload_id=format_id(upload.upload_id),
        usable=upload.state is UploadState.USABLE,
        rows=upload.rows,
        refused_rows=upload.refused,
        format=_PB_FORMATS[kind.format],
        encoding=kind.encoding,
        delimiter=kind.delimiter,
        columns=upload.columns,
        refused=refused_rows(received.refused),
    )


def refused_rows(found: Sequence[RefusedRow]) -> list[pb.RefusedRow]:
    """Lines that became no recipients."""
    return [pb.RefusedRow(line=each.line, problem=each.problem) for each in found]


def upload_number(text: str) -> int:
    """The upload that `text` names. Raises BrokerError where it cannot name any."""
    number = parse_id(text)
    if number is None:
        raise BrokerError(ErrorReason.UPLOAD_NOT_FOUND)
    return number


def refused_page_of(request: pb.ListRefusedRowsRequest, account_id: int) -> tuple[int, int, str]:
    """After which line, how many, and the scope of the list's page tokens."""
    findings = Findings()
    scope = f"refused rows {account_id} {request.upload_id}"
    position = page_position(request.page_token, scope, findings)
    page_size = page_size_of(request.page_size, findings)
    findings.refuse()
    return int(position or 0), page_size, scope


def refused_response(found: Sequence[RefusedRow], page_size: int, scope: str) -> pb.ListRefusedRowsResponse:
    """A page, with the token of the next one where there may be one."""
    token = page_token(str(found[-1].line), scope) if len(found) == page_size else ""
    return pb.ListRefusedRowsResponse(refused=refused_rows(found), next_page_token=token)


def _broke(field: str, rule: str) -> BrokerError:
    return BrokerError(ErrorReason.INVALID_REQUEST, violations=[Violation(field, rule)])
