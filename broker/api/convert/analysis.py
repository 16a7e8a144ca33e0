"""AnalyzeMessage: a text, measured."""

from broker.api.convert.findings import Findings
from broker.api.convert.prices import price_message
from broker.api.convert.requests import ADDRESS_CHARACTERS_MAX
from broker.api.convert.tokens import tokens_of
from broker.api.convert.words import PB_ENCODINGS, PB_REASONS
from broker.domain.analysis import Analysis, Forcing, analyze
from broker.domain.encoding import length_max
from broker.domain.explaining import Explanation, Verdict
from broker.domain.saying import SMS_SUBJECT_CHARACTERS_MAX, TEXT_CHARACTERS_MAX
from broker.domain.submission import Content, Recipient, Submission
from broker.domain.tokens import fill_known
from broker.domain.vocabulary import Channel
from broker.errors import BrokerError, Violation
from waypost.v1 import content_pb2
from waypost.v1 import message_service_pb2 as pb


def analyzed_text(request: pb.AnalyzeMessageRequest) -> tuple[str, tuple[str, ...]]:
    """The text to measure, and which placeholders have no value. Raises BrokerError with every broken rule."""
    findings = Findings()
    findings.text("text", request.text, TEXT_CHARACTERS_MAX)
    findings.line("subject", request.subject, SMS_SUBJECT_CHARACTERS_MAX)
    findings.text("recipient", request.recipient, ADDRESS_CHARACTERS_MAX)
    tokens = tokens_of("tokens", request.tokens, findings)
    findings.refuse()
    text, missing = fill_known(request.text, tokens)
    findings.text("text", text, TEXT_CHARACTERS_MAX)
    findings.refuse()
    return text, missing


def appraised_submission(request: pb.AnalyzeMessageRequest, text: str, account_id: int) -> Submission | None:
    """What is to be explained to learn what the text costs; None where that depends on nobody."""
    if not request.recipient or not text:
        return None
    document = {"text": text, "subject": request.subject} if request.subject else {"text": text}
    recipient = Recipient(phone_number=request.recipient)
    return Submission(account_id, (recipient,), Content({Channel.SMS: document}))


def add_appraisal(response: pb.AnalyzeMessageResponse, explanation: Explanation) -> None:
    """What sending it to the recipient would cost, and by whom it would go; or why it would not."""
    result = explanation.result
    if (price := price_message(result.price)) is not None:
        response.credit_cost = price.amount_micros
        response.price.CopyFrom(price)
    response.provider = next(
        (
            each.judgement.route.provider
            for each in explanation.considered
            if each.judgement.verdict is Verdict.CHOSEN and result.reason is None
        ),
        "",
    )
    response.reason = PB_REASONS[result.reason]
    response.detail = result.detail


def about_text(error: BrokerError) -> BrokerError:
    """The refusal of the submission as one of the AnalyzeMessageRequest that it was made of."""
    return BrokerError(
        error.reason,
        error.message,
        violations=[Violation("text", each.rule) for each in error.violations],
        retry_after_s=error.retry_after_s,
        metadata=error.metadata,
    )


def analysis_of(text: str, missing: tuple[str, ...], units_max: int) -> pb.AnalyzeMessageResponse:
    """The whole report on a text, but for what depends on a recipient."""
    analysis = analyze(text)
    whole = analysis.measure
    response = pb.AnalyzeMessageResponse(
        units=whole.units,
        encoding=PB_ENCODINGS[whole.encoding],
        length=whole.length,
        within_maximum=whole.units <= units_max,
        parts=[content_pb2.MessagePart(text=part.text, length=part.length) for part in analysis.parts],
        forcing_characters=[_forcing_character(each) for each in analysis.forcing],
        characters=analysis.characters,
        units_max=units_max,
        missing_tokens=missing,
        length_max=length_max(whole.encoding, units_max),
    )
    _add_plainer(response, analysis)
    return response


def _add_plainer(response: pb.AnalyzeMessageResponse, analysis: Analysis) -> None:
    if analysis.plainer is not None:
        response.replaced_text = analysis.plainer.text
        response.replaced_units = analysis.plainer.measure.units
        response.replaced_encoding = PB_ENCODINGS[analysis.plainer.measure.encoding]


def _forcing_character(forcing: Forcing) -> pb.ForcingCharacter:
    return pb.ForcingCharacter(
        character=forcing.character,
        index=forcing.indexes[0],
        indexes=forcing.indexes,
        count=len(forcing.indexes),
        replacement=forcing.replacement,
        units_saved=forcing.units_saved,
    )
