"""Templates as callers work with them, and as intake asks for them."""

from collections import OrderedDict
from collections.abc import Sequence

from broker.delivery.identities import Identities
from broker.domain.personalising import Person, TextsBroken, TokensMissing, personalise
from broker.domain.submission import NO_TOKENS, Content, Recipient, Submission, TemplateRef
from broker.domain.template import Edition, Template, apply_template
from broker.errors import BrokerError, ErrorReason, Violation
from broker.spi import Clock
from broker.storage.store import Store
from broker.storage.templates import (
    NewTemplate,
    NewVersion,
    NoSuchTemplate,
    StoredEdition,
    TemplateName,
    TemplateQuery,
    TemplatesFull,
    TemplateTaken,
    VersionMoved,
    add_templates,
    add_versions,
    read_edition,
    read_template_versions,
    read_templates,
    remove_templates,
)

__all__ = ["TemplateName", "TemplateQuery", "Templates"]

UNITS_UNBOUNDED = 1 << 31
CACHED_EDITIONS_MAX = 256
CACHED_CHARACTERS_MAX = 262_144
"""Of one version: what is longer, as with attachments, is read each time."""


class Templates:
    """Keeps templates, and knows what each version says: versions never change, so those last asked for are kept.

    `templates_max` is how many an account may have.
    """

    def __init__(self, store: Store, identities: Identities, clock: Clock, *, templates_max: int) -> None:
        self._store = store
        self._identities = identities
        self._clock = clock
        self._templates_max = templates_max
        self._editions: OrderedDict[tuple[int, int], StoredEdition] = OrderedDict()

    async def create(self, name: TemplateName, edition: Edition) -> Template:
        """Store version 1."""
        (template_id,) = await self._identities.take(1)
        item = NewTemplate(
            template_id,
            name.account_id,
            name.project,
            name.name,
            edition,
            self._clock.now_us(),
            self._templates_max,
        )
        (answer,) = await self._store.write(add_templates, [item], [name.account_id])
        return _stored(answer)

    async def update(self, name: TemplateName, edition: Edition, expected: int | None) -> Template:
        """Store another version, when the latest one is still the `expected`."""
        item = NewVersion(name.account_id, name.project, name.name, edition, expected, self._clock.now_us())
        (answer,) = await self._store.write(add_versions, [item], [name.account_id])
        return _stored(answer)

    async def delete(self, name: TemplateName) -> None:
        """Remove a template."""
        (removed,) = await self._store.write(remove_templates, [name], [name.account_id])
        if not removed:
            raise BrokerError(ErrorReason.TEMPLATE_NOT_FOUND)

    async def template(self, name: TemplateName, version: int | None) -> Template:
        """One version; None: the latest."""
        (found,) = await self._find([(name, version)])
        if found is None:
            raise BrokerError(ErrorReason.TEMPLATE_NOT_FOUND)
        return found

    async def page(self, query: TemplateQuery) -> list[Template]:
        """Newest versions, by project and name."""
        return await self._store.read(read_templates, query)

    async def apply(self, submissions: Sequence[Submission]) -> list[Submission | BrokerError]:
        """Each submission with what its template says for it, or why that cannot be; all of them name one."""
        names = [
            (_name_of(each.account_id, each.template), each.template.version)
            for each in submissions
            if each.template
        ]
        found = await self._find(names)
        return [_applied(each, template) for each, template in zip(submissions, found, strict=True)]

    async def render(self, account_id: int, ref: TemplateRef) -> Submission:
        """A template with its values filled in. Raises what would refuse a message made of it."""
        asked = Submission(account_id, (Recipient(),), Content({}), template=ref)
        (applied,) = await self.apply([asked])
        if isinstance(applied, BrokerError):
            raise applied
        if not applied.content.names:
            return applied
        answer = personalise(applied, [Person(0, NO_TOKENS)], UNITS_UNBOUNDED)
        if isinstance(answer, Submission):
            return answer
        raise _of_values(answer)

    async def _find(self, wanted: Sequence[tuple[TemplateName, int | None]]) -> list[Template | None]:
        """The templates by name and version; one look for the names, and one for each version not yet known."""
        places = await self._store.read(read_template_versions, list(wanted))
        answers: list[Template | None] = []
        for (name, _), place in zip(wanted, places, strict=True):
            known = None if place is None else await self._edition(place[0], place[1])
            if place is None or known is None:
                answers.append(None)
                continue
            template_id, version, latest, created_at_us = place
            answers.append(
                Template(
                    template_id,
                    name.account_id,
                    name.project,
                    name.name,
                    version,
                    latest,
                    created_at_us,
                    known.made_at_us,
                    known.edition,
                )
            )
        return answers

    async def _edition(self, template_id: int, version: int) -> StoredEdition | None:
        key = template_id, version
        known = self._editions.get(key)
        if known is not None:
            self._editions.move_to_end(key)
            return known
        found = await self._store.read(read_edition, template_id, version)
        if found is not None and found.characters <= CACHED_CHARACTERS_MAX:
            self._editions[key] = found
            if len(self._editions) > CACHED_EDITIONS_MAX:
                self._editions.popitem(last=False)
        return found


def _of_values(refused: object) -> BrokerError:
    """What is wrong with the values of a preview."""
    match refused:
        case TokensMissing(((_, names),)):
            violations = [Violation("template.parameters", f"lacks a value for ${name}$") for name in names]
            return BrokerError(ErrorReason.TOKEN_MISSING, violations=violations)
        case TextsBroken(found):
            violations = [Violation("template", f"its {each.path} {each.rule}") for _, each in found]
            return BrokerError(ErrorReason.INVALID_REQUEST, violations=violations)
        case _:
            raise AssertionError(refused)


def _name_of(account_id: int, ref: TemplateRef) -> TemplateName:
    return TemplateName(account_id, ref.project, ref.name)


def _applied(submission: Submission, template: Template | None) -> Submission | BrokerError:
    if template is None:
        rule = "the account has no such template, or not this version of it"
        return BrokerError(ErrorReason.TEMPLATE_NOT_FOUND, violations=[Violation("template", rule)])
    applied = apply_template(submission, template)
    if isinstance(applied, Submission):
        return applied
    violations = [Violation(each.field, each.rule) for each in applied]
    return BrokerError(ErrorReason.INVALID_REQUEST, violations=violations)


def _stored(
    answer: Template | TemplateTaken | NoSuchTemplate | VersionMoved | TemplatesFull,
) -> Template:
    match answer:
        case TemplateTaken():
            raise BrokerError(ErrorReason.TEMPLATE_EXISTS)
        case NoSuchTemplate():
            raise BrokerError(ErrorReason.TEMPLATE_NOT_FOUND)
        case VersionMoved(latest):
            raise BrokerError(ErrorReason.TEMPLATE_CHANGED, metadata={"version": str(latest)})
        case TemplatesFull(allowed):
            raise BrokerError(ErrorReason.TEMPLATES_FULL, metadata={"allowed": str(allowed)})
        case _:
            return answer
