"""Templates: their requests, and what is stored, to protobuf and back."""

import re
from collections.abc import Mapping

from broker.api.convert.content import content_of, contents_message
from broker.api.convert.findings import Findings
from broker.api.convert.ids import account_text
from broker.api.convert.link_wishes import link_wish_of
from broker.api.convert.paging import page_position, page_size_of, page_token
from broker.api.convert.times import timestamp
from broker.api.convert.tokens import tokens_of
from broker.api.convert.words import PARAMETER_TYPES, PB_PARAMETER_TYPES
from broker.delivery.templates import TemplateName, TemplateQuery
from broker.domain.parameter import Parameter, ParameterType
from broker.domain.saying import Document
from broker.domain.submission import TemplateRef, TemplateUsed
from broker.domain.template import VERSIONS_MAX, Edition, Template
from broker.domain.tokens import NAME_CHARACTERS_MAX, TOKENS_MAX, VALUE_CHARACTERS_MAX, is_name
from broker.domain.vocabulary import Channel
from waypost.v1 import content_pb2
from waypost.v1 import template_pb2 as pb
from waypost.v1 import template_service_pb2 as service_pb

LOCALES_MAX = 50
LOCALE_CHARACTERS_MAX = 35
NAME_OF_TEMPLATE_CHARACTERS_MAX = 64
DESCRIPTION_CHARACTERS_MAX = 500
CHOICES_MAX = 100
LATEST = "latest"

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_LOCALE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
_SEPARATOR = "/"
_NAME_RULE = 'must be 1 to 64 letters, digits, "_", "-" and "."'


def template_ref_of(ref: content_pb2.TemplateRef, findings: Findings) -> TemplateRef:
    """A template as a caller names it."""
    _check_name("template", ref.project, ref.name, findings)
    if ref.locale:
        _check_locale("template.locale", ref.locale, findings)
    return TemplateRef(
        ref.project,
        ref.name,
        version_of("template.version", ref.version, findings),
        ref.locale,
        tokens_of("template.parameters", ref.parameters, findings),
    )


def template_name_of(
    account_id: int, project: str, name: str, findings: Findings, path: str = ""
) -> TemplateName:
    """Which template of an account."""
    _check_name(path, project, name, findings)
    return TemplateName(account_id, project, name)


def version_of(field: str, written: str, findings: Findings) -> int | None:
    """The number of a version; None for the latest."""
    if written in {"", LATEST}:
        return None
    if not (written.isascii() and written.isdigit() and len(written) <= 9 and int(written) > 0):
        findings.broke(field, f'must be a number from 1 to {VERSIONS_MAX:,}, or "{LATEST}"')
        return None
    return int(written)


def edition_of(template: pb.Template, findings: Findings) -> Edition:
    """What a version says."""
    findings.text("template.description", template.description, DESCRIPTION_CHARACTERS_MAX)
    parameters = _parameters(template, findings)
    locales = _locales(template.locales, frozenset(each.name for each in parameters), findings)
    default = template.default_locale or (next(iter(locales)) if len(locales) == 1 else "")
    if default not in locales:
        findings.broke("template.default_locale", "must be one of the locales")
    wish = link_wish_of("template", template, findings)
    return Edition(template.description, default, locales, parameters, wish)


def template_message(template: Template, *, whole: bool) -> pb.Template:
    """A version; in lists without what it says."""
    edition = template.edition
    message = pb.Template(
        account_id=account_text(template.account_id),
        project=template.project,
        name=template.name,
        version=template.version,
        latest_version=template.latest_version,
        description=edition.description,
        default_locale=edition.default_locale,
        create_time=timestamp(template.created_at_us),
        update_time=timestamp(template.updated_at_us),
    )
    if whole:
        for tag, documents in edition.locales.items():
            message.locales[tag].CopyFrom(contents_message(documents))
        message.parameters.extend(map(_parameter_message, edition.parameters))
        message.track_links = edition.link_wish.track is True
        message.keep_links = edition.link_wish.track is False
        message.short_link_domain = edition.link_wish.domain
    return message


def version_message(used: TemplateUsed) -> pb.TemplateVersion:
    """The version that a message was made with."""
    return pb.TemplateVersion(project=used.project, name=used.name, version=used.version, locale=used.locale)


def template_query_of(request: service_pb.ListTemplatesRequest, account_id: int) -> TemplateQuery:
    """Which templates to list. Raises BrokerError with every rule that the request breaks."""
    findings = Findings()
    project = request.filter.project if request.filter.HasField("project") else None
    if project:
        _check_project("filter.project", project, findings)
    position = page_position(request.page_token, _scope(account_id, project), findings)
    page_size = page_size_of(request.page_size, findings)
    findings.refuse()
    after_project, _, after_name = (position or _SEPARATOR).partition(_SEPARATOR)
    return TemplateQuery(account_id, project, (after_project, after_name), page_size)


def template_token(last: Template, query: TemplateQuery) -> str:
    """The token of the page after a template."""
    return page_token(f"{last.project}{_SEPARATOR}{last.name}", _scope(query.account_id, query.project))


def _scope(account_id: int, project: str | None) -> str:
    return f"templates {account_id} {'' if project is None else f'of {project}'}"


def _check_name(path: str, project: str, name: str, findings: Findings) -> None:
    prefix = f"{path}." if path else ""
    if project:
        _check_project(f"{prefix}project", project, findings)
    if not _NAME.fullmatch(name):
        findings.broke(f"{prefix}name", _NAME_RULE)


def _check_project(field: str, project: str, findings: Findings) -> None:
    if not _NAME.fullmatch(project):
        findings.broke(field, f"{_NAME_RULE}, or empty")


def _check_locale(field: str, tag: str, findings: Findings) -> None:
    if len(tag) > LOCALE_CHARACTERS_MAX or not _LOCALE.fullmatch(tag):
        findings.broke(
            field, f'must be a BCP 47 tag of at most {LOCALE_CHARACTERS_MAX} characters, as "en-GB"'
        )


def _locales(
    locales: Mapping[str, content_pb2.Content], known: frozenset[str], findings: Findings
) -> dict[str, Mapping[Channel, Document]]:
    if not locales:
        findings.broke("template.locales", "must not be empty")
    if not findings.count("template.locales", len(locales), LOCALES_MAX):
        return {}
    found: dict[str, Mapping[Channel, Document]] = {}
    for tag in sorted(locales):
        path = f"template.locales[{tag[:LOCALE_CHARACTERS_MAX]}]"
        _check_locale(path, tag, findings)
        if tag.lower() in map(str.lower, found):
            findings.broke(path, "differs from another one in case alone")
        own = Findings()
        content = content_of(locales[tag], own, literal=False)
        for each in own.violations:
            findings.broke(each.field.replace("content", path, 1), each.rule)
        if unknown := sorted(content.names - known):
            findings.broke(path, f"uses ${unknown[0]}$, which is no parameter")
        found[tag] = content.documents
    return found


def _parameters(template: pb.Template, findings: Findings) -> tuple[Parameter, ...]:
    if not findings.count("template.parameters", len(template.parameters), TOKENS_MAX):
        return ()
    found: dict[str, Parameter] = {}
    for index, given in enumerate(template.parameters):
        path = f"template.parameters[{index}]"
        parameter = _parameter(path, given, findings)
        if parameter.name in found:
            findings.broke(f"{path}.name", f"{parameter.name} is there twice")
        found[parameter.name] = parameter
    return tuple(found.values())


def _parameter(path: str, given: pb.TemplateParameter, findings: Findings) -> Parameter:
    kind = findings.word(f"{path}.type", given.type, PARAMETER_TYPES) or ParameterType.STRING
    if not is_name(given.name):
        findings.broke(f"{path}.name", f"must be 1 to {NAME_CHARACTERS_MAX} letters, digits and _")
    if not 0 <= given.max_characters <= VALUE_CHARACTERS_MAX:
        findings.broke(f"{path}.max_characters", f"must be from 1 to {VALUE_CHARACTERS_MAX:,}, or 0")
    if given.max_characters and kind is not ParameterType.STRING:
        findings.broke(f"{path}.max_characters", "is for STRING alone")
    findings.text(f"{path}.description", given.description, DESCRIPTION_CHARACTERS_MAX)
    findings.text(f"{path}.default_value", given.default_value, VALUE_CHARACTERS_MAX)
    parameter = Parameter(
        name=given.name,
        type=kind,
        characters_max=given.max_characters or VALUE_CHARACTERS_MAX,
        choices=_choices(path, given, kind, findings),
        required=given.required,
        default=given.default_value,
        description=given.description,
    )
    if given.default_value and given.required:
        findings.broke(f"{path}.default_value", "is of no use where every message needs a value")
    elif given.default_value and (rule := parameter.problem(given.default_value)):
        findings.broke(f"{path}.default_value", rule)
    return parameter


def _choices(
    path: str, given: pb.TemplateParameter, kind: ParameterType, findings: Findings
) -> tuple[str, ...]:
    choices = tuple(given.choices)
    if bool(choices) != (kind is ParameterType.CHOICE):
        findings.broke(f"{path}.choices", "must not be empty for CHOICE, and is for CHOICE alone")
    if not findings.count(f"{path}.choices", len(choices), CHOICES_MAX):
        return ()
    for index, choice in enumerate(choices):
        findings.text(f"{path}.choices[{index}]", choice, VALUE_CHARACTERS_MAX)
    if len(set(choices)) < len(choices):
        findings.broke(f"{path}.choices", "must differ from each other")
    return choices


def _parameter_message(parameter: Parameter) -> pb.TemplateParameter:
    return pb.TemplateParameter(
        name=parameter.name,
        type=PB_PARAMETER_TYPES[parameter.type],
        max_characters=parameter.characters_max if parameter.type is ParameterType.STRING else 0,
        choices=parameter.choices,
        required=parameter.required,
        default_value=parameter.default,
        description=parameter.description,
    )
