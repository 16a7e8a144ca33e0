"""Templates for people."""

from collections.abc import Sequence

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Group as Stack
from rich.console import RenderableType
from rich.text import Text

from broker.cli.analysis_table import analysis_table
from broker.cli.grid import Column, card, grid
from broker.cli.wording import local_time, word_of
from waypost.v1 import content_pb2, template_pb2, template_service_pb2

_TEMPLATES = (
    Column("template"),
    Column("version", right=True),
    Column("locale"),
    Column("changed"),
    Column("description", rare=True),
)
_PARAMETERS = (
    Column("parameter"),
    Column("type"),
    Column("required"),
    Column("default", rare=True),
    Column("choices", rare=True),
    Column("description", rare=True),
)
_SAID = (Column("locale", rare=True), Column("field"), Column("says"))


def full_name(template: template_pb2.Template) -> str:
    """As the command line takes it."""
    return f"{template.project}/{template.name}" if template.project else template.name


def templates_table(templates: Sequence[template_pb2.Template], *, more: bool) -> RenderableType:
    """A row for each template, and whether there are more."""
    rows = [
        (
            full_name(each),
            str(each.version),
            each.default_locale,
            local_time(each.update_time),
            each.description,
        )
        for each in templates
    ]
    count = f"{len(rows):,} template{'' if len(rows) == 1 else 's'}"
    end = Text(f"{count}; there are more, --limit shows them" if more else count, style="dim")
    return Stack(grid(_TEMPLATES, rows), end) if rows else end


def template_card(template: template_pb2.Template) -> RenderableType:
    """All of one version."""
    facts = [
        ("template", full_name(template)),
        ("version", f"{template.version} of {template.latest_version}"),
        ("description", template.description),
        ("default locale", template.default_locale),
        ("changed", local_time(template.update_time)),
    ]
    shown: list[RenderableType] = [card(facts, {})]
    if template.parameters:
        shown += ["", grid(_PARAMETERS, [_parameter_cells(each) for each in template.parameters])]
    said = [(tag, *each) for tag in sorted(template.locales) for each in said_cells(template.locales[tag])]
    return Stack(*shown, "", grid(_SAID, said))


def rendering(response: template_service_pb2.RenderTemplateResponse) -> RenderableType:
    """What a template says with some values, and the measured text of its SMS."""
    used = response.template
    facts = [("version", str(used.version)), ("locale", used.locale)]
    said = [("", *each) for each in said_cells(response.content)]
    shown: list[RenderableType] = [card(facts, {}), "", grid(_SAID, said)]
    if response.HasField("analysis"):
        shown += ["", analysis_table(response.analysis)]
    return Stack(*shown)


def said_cells(content: content_pb2.Content) -> list[tuple[str, str]]:
    """Each field of a content that says something, as "sms.text"."""
    return [
        (f"{channel.name}.{field.name}", _shown(getattr(content, channel.name), field))
        for channel, said in content.ListFields()
        for field, _ in said.ListFields()
    ]


def _shown(said: Message, field: FieldDescriptor) -> str:
    value = getattr(said, field.name)
    if isinstance(value, str):
        return value
    whole = MessageToDict(said, preserving_proto_field_name=True)[field.name]
    if not isinstance(whole, list):
        return ", ".join(f"{name}: {each}" for name, each in sorted(whole.items()))
    return ", ".join(str(each.get("file_name") or each.get("url")) for each in whole)


def _parameter_cells(parameter: template_pb2.TemplateParameter) -> tuple[str, ...]:
    return (
        parameter.name,
        word_of(template_pb2.TemplateParameterType.DESCRIPTOR, parameter.type).lower(),
        "yes" if parameter.required else "no",
        parameter.default_value,
        ", ".join(parameter.choices),
        parameter.description,
    )
