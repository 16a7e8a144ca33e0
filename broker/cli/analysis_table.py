"""A measured text for people: what it comes to, its parts, and what makes it dearer."""

import unicodedata
from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.text import Text

from broker.cli.amounts import amount_text
from broker.cli.analysis_questions import Question
from broker.cli.grid import Column, card, grid, shown_on_one_line
from broker.cli.wording import printable, reason_word, word_of
from waypost.v1 import channel_pb2, message_service_pb2

_MARK = "bold reverse red"
_MEASURES: dict[int, str] = {
    channel_pb2.ENCODING_GSM7: "septets",
    channel_pb2.ENCODING_UCS2: "UTF-16 code units",
}
_PARTS = (Column("part", right=True), Column("length", right=True), Column("text"))
_FORCING = (
    Column("forces UCS2"),
    Column("code"),
    Column("name"),
    Column("first at", right=True),
    Column("times", right=True),
    Column("instead"),
)


def analysis_table(analysis: message_service_pb2.AnalyzeMessageResponse) -> RenderableType:
    """All of it; characters that force UCS-2 are marked in the parts, and named below."""
    forcing = frozenset(each.character for each in analysis.forcing_characters)
    parts = [
        (str(number), str(part.length), marked(part.text, forcing))
        for number, part in enumerate(analysis.parts, start=1)
    ]
    shown: list[RenderableType] = [_summary(analysis), "", grid(_PARTS, parts)]
    if forcing:
        rows = [
            (
                each.character,
                *_code_and_name(each.character),
                f"character {each.index + 1}",
                str(each.count),
                _stand_in(each),
            )
            for each in analysis.forcing_characters
        ]
        shown += ["", grid(_FORCING, rows)]
    if analysis.HasField("replaced_text"):
        units = f"{analysis.replaced_units} unit{'s' if analysis.replaced_units > 1 else ''}"
        shown += [
            "",
            f"With what could stand in for them it comes to {units}:",
            _one_line(analysis.replaced_text),
        ]
    if analysis.missing_tokens:
        shown += ["", f"Without a value: {', '.join(f'${name}$' for name in analysis.missing_tokens)}"]
    return Group(*shown)


def answer_to(question: Question, analysis: message_service_pb2.AnalyzeMessageResponse) -> str:
    """One answer and nothing else, for a shell."""
    match question:
        case Question.CREDIT_COST:
            return amount_text(analysis.credit_cost)
        case Question.ENCODING:
            return word_of(channel_pb2.Encoding.DESCRIPTOR, analysis.encoding)
        case Question.LENGTH:
            return str(analysis.length)
        case Question.CHARACTERS:
            return str(analysis.characters)
        case Question.WITHIN_MAXIMUM:
            return _yes_or_no(analysis)
        case Question.UNITS:
            return str(analysis.units)


def _yes_or_no(analysis: message_service_pb2.AnalyzeMessageResponse) -> str:
    return "yes" if analysis.within_maximum else "no"


def _stand_in(forcing: message_service_pb2.ForcingCharacter) -> str:
    if not forcing.HasField("replacement"):
        return "-"
    return shown_on_one_line(forcing.replacement) if forcing.replacement else "(nothing)"


def _one_line(text: str) -> Text:
    return Text(shown_on_one_line(text))


def _summary(analysis: message_service_pb2.AnalyzeMessageResponse) -> RenderableType:
    measured_in = _MEASURES.get(analysis.encoding, "")
    most = f"{analysis.units_max} unit{'' if analysis.units_max == 1 else 's'}, {analysis.length_max:,}"
    refusal = ": ".join(part for part in (reason_word(analysis.reason), printable(analysis.detail)) if part)
    facts = [
        ("encoding", word_of(channel_pb2.Encoding.DESCRIPTOR, analysis.encoding)),
        ("characters", str(analysis.characters)),
        ("length", f"{analysis.length} {measured_in}".rstrip()),
        ("units", str(analysis.units)),
        ("maximum", f"{most} {measured_in}".rstrip()),
        ("within maximum", _yes_or_no(analysis)),
        ("credit cost", _cost(analysis)),
        ("provider", analysis.provider),
        ("refused", refusal),
    ]
    return card(facts, {"no": "red"})


def _cost(analysis: message_service_pb2.AnalyzeMessageResponse) -> str:
    """What it costs; nothing where that is not known."""
    if analysis.HasField("price"):
        return f"{amount_text(analysis.price.amount_micros)} {analysis.price.currency}".rstrip()
    return "free" if analysis.provider else ""


def marked(text: str, forcing: Iterable[str]) -> Text:
    """The text on one line, with these characters standing out on a terminal."""
    line = Text(shown_on_one_line(text))
    if words := [shown_on_one_line(each) for each in forcing]:
        line.highlight_words(words, _MARK)
    return line


def _code_and_name(character: str) -> tuple[str, str]:
    """As Unicode writes them; a character may be several code points."""
    codes = " ".join(f"U+{ord(point):04X}" for point in character)
    names = ", ".join(unicodedata.name(point, "no name") for point in character)
    return codes, names.lower()
