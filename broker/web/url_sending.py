"""One SMS for each request to `/send-url/{token}`: for systems that can call a URL and nothing else.

The token is the only credential, so it is a key of its own sort that opens no other door. It stands in a URL, which
others may log, and so it is limited to a call a second unless somebody decided otherwise.
"""

import asyncio
from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from broker.delivery.intake import Intake
from broker.delivery.key_rates import KeyRates
from broker.delivery.keys import Keys
from broker.domain.access import Principal, Role
from broker.domain.ids import format_id
from broker.domain.lifecycle import State
from broker.domain.submission import Campaign, Content, Recipient, Submission
from broker.domain.vocabulary import Channel
from broker.errors import BrokerError, ErrorReason

PATH = "send-url"
BODY_BYTES_MAX = 65_536
BODY_S_MAX = 10.0
PARAMETERS_MAX = 20

LIMITS: Mapping[str, int] = {
    "recipientNumber": 64,
    "message": 10_000,
    "campaign": 64,
    "dataField": 2_048,
    "requestId": 128,
}
"""The parameters, with how many characters each may have. The first two are required."""

REQUIRED = ("recipientNumber", "message")

CODES: Mapping[ErrorReason, HTTPStatus] = {
    ErrorReason.RATE_LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
    ErrorReason.REQUEST_ID_REUSED: HTTPStatus.CONFLICT,
    ErrorReason.QUEUE_FULL: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorReason.DRAINING: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorReason.STORE_UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorReason.OUTCOME_UNKNOWN: HTTPStatus.SERVICE_UNAVAILABLE,
}


class UrlSending:
    """Answers with JSON: `message_id`, `status`, `reason` and `detail`, or `error` and `reason`."""

    def __init__(self, *, keys: Keys, rates: KeyRates, intake: Intake, is_ready: Callable[[], bool]) -> None:
        self._keys = keys
        self._rates = rates
        self._intake = intake
        self._is_ready = is_ready

    async def __call__(self, request: Request) -> Response:
        """Send one SMS, or say why not."""
        try:
            return await self._answered(request)
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        except TimeoutError:
            return _answer(HTTPStatus.REQUEST_TIMEOUT, {"error": "the body did not come"})
        except BrokerError as error:
            return _refused(error)

    async def _answered(self, request: Request) -> Response:
        if not self._is_ready():
            raise BrokerError(ErrorReason.DRAINING)
        caller = await self._keys.authenticate(request.path_params["token"])
        if caller is None or caller.role is not Role.URL_SENDING or not caller.api_access:
            return _answer(HTTPStatus.NOT_FOUND, {"error": "there is nothing here"})
        self._rates.spend(caller)
        parameters = await _parameters_of(request)
        if isinstance(parameters, str):
            return _answer(HTTPStatus.BAD_REQUEST, {"error": parameters})
        return await self._send(_submission_of(caller, parameters))

    async def _send(self, submission: Submission) -> Response:
        (answer,) = await self._intake.accept([submission])
        if isinstance(answer, BrokerError):
            return _refused(answer)
        (result,) = answer
        refused = result.state is State.REJECTED
        return _answer(
            HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK,
            {
                "message_id": format_id(result.message_id or 0),
                "status": result.state.name,
                "reason": result.reason.name if result.reason else "",
                "detail": result.detail,
            },
        )


async def _parameters_of(request: Request) -> dict[str, str] | str:
    """The parameters of the URL and, of a POST, of the form in its body; or what is wrong with them."""
    written = request.url.query
    if request.method == "POST":
        body = b""
        async with asyncio.timeout(BODY_S_MAX):
            async for piece in request.stream():
                body += piece
                if len(body) > BODY_BYTES_MAX:
                    return f"the body has more than {BODY_BYTES_MAX:,} bytes"
        written = "&".join(part for part in (written, body.decode("utf-8", "replace")) if part)
    try:
        pairs = parse_qsl(written, keep_blank_values=True, max_num_fields=PARAMETERS_MAX)
    except ValueError:
        return f"there are more than {PARAMETERS_MAX} parameters"
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        return "a parameter is given twice"
    return _problem_of(parameters) or parameters


def _problem_of(parameters: Mapping[str, str]) -> str:
    if unknown := parameters.keys() - LIMITS.keys():
        return f"{min(unknown)[:64]!a} is not one of {', '.join(LIMITS)}"
    for name in REQUIRED:
        if not parameters.get(name, "").strip():
            return f"{name} must not be empty"
    for name, value in parameters.items():
        if len(value) > LIMITS[name]:
            return f"{name} has {len(value):,} characters; at most {LIMITS[name]:,} are allowed"
        if "\0" in value or (name != "message" and not value.isprintable()):
            return f"{name} must not contain control characters"
    return ""


def _submission_of(caller: Principal, parameters: Mapping[str, str]) -> Submission:
    campaign = parameters.get("campaign", "")
    return Submission(
        caller.account_id,
        (Recipient(phone_number=parameters["recipientNumber"]),),
        Content({Channel.SMS: {"text": parameters["message"]}}),
        request_id=parameters.get("requestId", ""),
        campaign=Campaign(campaign) if campaign else None,
        data=parameters.get("dataField", ""),
        origin="url",
    )


def _refused(error: BrokerError) -> Response:
    told = {"error": error.message, "reason": error.reason.name}
    response = _answer(CODES.get(error.reason, HTTPStatus.BAD_REQUEST), told)
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    return response


def _answer(status: HTTPStatus, fields: Mapping[str, str]) -> JSONResponse:
    return JSONResponse(dict(fields), status_code=status, headers={"Cache-Control": "no-store"})
