"""AnalyzeMessage: a text, measured."""

from broker.api.convert.findings import Findings
from broker.api.convert.requests import ADDRESS_CHARACTERS_MAX
from broker.api.convert.tokens import tokens_of
from broker.api.convert.words import PB_ENCODINGS
from broker.domain.analysis import Analysis, Forcing, analyze
from broker.domain.saying import SMS_SUBJECT_CHARACTERS_MAX, TEXT_CHARACTERS_MAX
from broker.domain.tokens import fill_known
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


def analysis_of(text: str, missing: tuple[str, ...], units_max: int) -> pb.AnalyzeMessageResponse:
    """The whole report on a text. A price depends on the route, which Explain finds, so `credit_cost` is 0."""
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
