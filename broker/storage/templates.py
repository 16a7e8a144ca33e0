"""Verbs of templates: add one, add a version, remove one; and reading them."""

from typing import Any

import orjson

from broker.domain.links import NO_WISH, LinkWish
from broker.domain.parameter import Parameter, ParameterType
from broker.domain.template import VERSIONS_MAX, Edition, Template
from broker.domain.value import value
from broker.domain.vocabulary import Channel
from broker.storage.transaction import Row, Transaction


@value
class NewTemplate:
    """A template to add to an account that may have `templates_max`."""

    template_id: int
    account_id: int
    project: str
    name: str
    edition: Edition
    now_us: int
    templates_max: int


@value
class NewVersion:
    """A version to add to a template, when its latest one is still `expected`; None: whatever that is."""

    account_id: int
    project: str
    name: str
    edition: Edition
    expected: int | None
    now_us: int


@value
class TemplateName:
    """Which template of which account."""

    account_id: int
    project: str
    name: str


@value
class TemplateQuery:
    """Newest versions of an account's templates after a project and name; `project` narrows them to one."""

    account_id: int
    project: str | None
    after: tuple[str, str]
    page_size: int


@value
class StoredEdition:
    """A version: when it was made, what it says, and how many characters it takes to keep."""

    made_at_us: int
    edition: Edition
    characters: int


@value
class TemplateTaken:
    """The account has one of this project and name."""


@value
class NoSuchTemplate:
    """The account has no such template."""


@value
class TemplatesFull:
    """There are as many templates, or versions of this one, as there may be."""

    allowed: int


@value
class VersionMoved:
    """Another version is the latest."""

    latest: int


def add_templates(
    tx: Transaction, items: list[NewTemplate]
) -> list[Template | TemplateTaken | TemplatesFull]:
    """Add templates, in order."""
    return [_add(tx, item) for item in items]


def _add(tx: Transaction, item: NewTemplate) -> Template | TemplateTaken | TemplatesFull:
    if _find(tx, item.account_id, item.project, item.name):
        return TemplateTaken()
    count = tx.one("count_templates", account_id=item.account_id)
    assert count is not None
    if count[0] >= item.templates_max:
        return TemplatesFull(item.templates_max)
    row = (item.template_id, item.account_id, item.project, item.name, 1, item.now_us)
    tx.bulk("insert_templates", [row])
    _add_version(tx, item.template_id, 1, item.now_us, item.edition)
    return Template(
        item.template_id,
        item.account_id,
        item.project,
        item.name,
        1,
        1,
        item.now_us,
        item.now_us,
        item.edition,
    )


def add_versions(
    tx: Transaction, items: list[NewVersion]
) -> list[Template | NoSuchTemplate | VersionMoved | TemplatesFull]:
    """Add versions, in order; each is the latest then."""
    return [_add_next(tx, item) for item in items]


def _add_next(tx: Transaction, item: NewVersion) -> Template | NoSuchTemplate | VersionMoved | TemplatesFull:
    found = _find(tx, item.account_id, item.project, item.name)
    if found is None:
        return NoSuchTemplate()
    template_id, latest, created_at_us = found
    if item.expected is not None and item.expected != latest:
        return VersionMoved(latest)
    if latest >= VERSIONS_MAX:
        return TemplatesFull(VERSIONS_MAX)
    version = latest + 1
    _add_version(tx, template_id, version, item.now_us, item.edition)
    tx.all("set_latest_version", template_id=template_id, version=version)
    return Template(
        template_id,
        item.account_id,
        item.project,
        item.name,
        version,
        version,
        created_at_us,
        item.now_us,
        item.edition,
    )


def remove_templates(tx: Transaction, items: list[TemplateName]) -> list[bool]:
    """Remove templates with all their versions; False for one that is not there."""
    answers = []
    for item in items:
        found = _find(tx, item.account_id, item.project, item.name)
        if found is not None:
            tx.all("delete_template_versions", template_id=found[0])
            tx.all("delete_template", template_id=found[0])
        answers.append(found is not None)
    return answers


def read_template_versions(
    tx: Transaction, wanted: list[tuple[TemplateName, int | None]]
) -> list[tuple[int, int, int, int] | None]:
    """The id, the version asked for (None: the latest), the latest one and the time of creation, for each name."""
    answers: list[tuple[int, int, int, int] | None] = []
    for name, version in wanted:
        found = _find(tx, name.account_id, name.project, name.name)
        if found is None or (version is not None and not 1 <= version <= found[1]):
            answers.append(None)
        else:
            template_id, latest, created_at_us = found
            answers.append((template_id, latest if version is None else version, latest, created_at_us))
    return answers


def read_edition(tx: Transaction, template_id: int, version: int) -> StoredEdition | None:
    """One version; None where the template has gone meanwhile."""
    row = tx.one("template_version", template_id=template_id, version=version)
    if row is None:
        return None
    made_at_us, description, default_locale, document = row
    return StoredEdition(made_at_us, load_edition(description, default_locale, document), len(document))


def read_templates(tx: Transaction, query: TemplateQuery) -> list[Template]:
    """A page of newest versions, by project and name, without what they say."""
    project, name = query.after
    if query.project is None:
        rows = tx.all(
            "templates_page",
            account_id=query.account_id,
            project=project,
            name=name,
            rows_max=query.page_size,
        )
    else:
        rows = tx.all(
            "templates_of_project",
            account_id=query.account_id,
            project=query.project,
            name=name,
            rows_max=query.page_size,
        )
    return [_template(query.account_id, row) for row in rows]


def _template(account_id: int, row: Row) -> Template:
    return Template(
        template_id=row[0],
        account_id=account_id,
        project=row[1],
        name=row[2],
        version=row[3],
        latest_version=row[3],
        created_at_us=row[4],
        updated_at_us=row[5],
        edition=Edition(row[6], row[7], {}),
    )


def _find(tx: Transaction, account_id: int, project: str, name: str) -> tuple[int, int, int] | None:
    """The template's id, its latest version, and when it was created."""
    row = tx.one("template_by_name", account_id=account_id, project=project, name=name)
    return None if row is None else (row[0], row[1], row[2])


def _add_version(tx: Transaction, template_id: int, version: int, now_us: int, edition: Edition) -> None:
    row = (
        template_id,
        version,
        now_us,
        edition.description,
        edition.default_locale,
        dump_edition(edition),
    )
    tx.bulk("insert_template_versions", [row])


def dump_edition(edition: Edition) -> str:
    """What a version says, its parameters, and its wish about links where it has one."""
    fields: dict[str, object] = {
        "locales": {
            tag: {str(int(channel)): document for channel, document in documents.items()}
            for tag, documents in edition.locales.items()
        },
        "parameters": [
            [
                each.name,
                int(each.type),
                each.characters_max,
                each.choices,
                each.required,
                each.default,
                each.description,
            ]
            for each in edition.parameters
        ],
    }
    if edition.link_wish != NO_WISH:
        fields["links"] = [edition.link_wish.track, edition.link_wish.domain]
    return orjson.dumps(fields).decode()


def load_edition(description: str, default_locale: str, document: str) -> Edition:
    """The version as it was written."""
    fields: dict[str, Any] = orjson.loads(document)
    return Edition(
        description=description,
        default_locale=default_locale,
        locales={
            tag: {Channel(int(number)): document for number, document in documents.items()}
            for tag, documents in fields["locales"].items()
        },
        parameters=tuple(
            Parameter(name, ParameterType(number), characters_max, tuple(choices), *rest)
            for name, number, characters_max, choices, *rest in fields["parameters"]
        ),
        link_wish=LinkWish(*fields["links"]) if "links" in fields else NO_WISH,
    )
