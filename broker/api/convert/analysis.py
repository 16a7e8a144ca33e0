"""AnalyzeMessage: a text, measured."""

from broker.api.convert.content import SMS_SUBJECT_CHARACTERS_MAX, TEXT_CHARACTERS_MAX
from broker.api.convert.findings import Findings
from broker.api.convert.requests import ADDRESS_CHARACTERS_MAX
from broker.api.convert.words import PB_ENCODINGS
from broker.domain.encoding import forcing_characters, measure, split
from waypost.v1 import content_pb2
from waypost.v1 import message_service_pb2 as pb


def analysis_of(request: pb.AnalyzeMessageRequest, units_max: int) -> pb.AnalyzeMessageResponse:
    """The text's encoding, length and parts. Raises BrokerError with every rule that the request breaks.

    There are no price rules yet, so `credit_cost` is 0.
    """
    findings = Findings()
    findings.text("text", request.text, TEXT_CHARACTERS_MAX)
    findings.line("subject", request.subject, SMS_SUBJECT_CHARACTERS_MAX)
    findings.text("recipient", request.recipient, ADDRESS_CHARACTERS_MAX)
    findings.refuse()
    whole = measure(request.text)
    return pb.AnalyzeMessageResponse(
        units=whole.units,
        encoding=PB_ENCODINGS[whole.encoding],
        length=whole.length,
        within_maximum=whole.units <= units_max,
        parts=[content_pb2.MessagePart(text=part.text, length=part.length) for part in split(request.text)],
        forcing_characters=[
            pb.ForcingCharacter(character=each.character, index=each.index)
            for each in forcing_characters(request.text)
        ],
    )
