# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of templates: versions that never change, names of one account, and how many there may be."""

from typing import Any

import pytest

from broker.domain.links import LinkWish
from broker.domain.parameter import Parameter, ParameterType
from broker.domain.records import Labels
from broker.domain.submission import TemplateUsed
from broker.domain.template import VERSIONS_MAX, Edition, Template
from broker.domain.vocabulary import Channel
from broker.storage.templates import (
    NewTemplate,
    NewVersion,
    NoSuchTemplate,
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
from broker.testing.builders import NOW_US
from broker.testing.store_suite.bench import Bench
from broker.testing.store_suite.opening import OpenedStore

_WHOLE = Edition(
    "A bill \u2603",
    "en",
    {
        "en": {
            Channel.SMS: {"text": "$$ $name$"},
            Channel.EMAIL: {"subject": "s", "html": "<b>", "attachments": [{"data": "AA==", "inline": True}]},
        },
        "pt-BR": {Channel.PUSH: {"body": "b", "data": {"k": "$name$"}}},
    },
    (
        Parameter("name", characters_max=9, required=True, description="who"),
        Parameter("colour", ParameterType.CHOICE, choices=("red", "green"), default="red"),
    ),
    LinkWish(track=True, domain="go.example.org"),
)


def _said(text: str) -> Edition:
    return Edition("", "en", {"en": {Channel.SMS: {"text": text}}})


class TemplateCases(OpenedStore):
    """Templates in the store."""

    async def _add(
        self,
        bench: Bench,
        name: str,
        edition: Edition = _WHOLE,
        *,
        project: str = "",
        account_id: int = 1,
        allowed: int = 100,
    ) -> Any:
        (template_id,) = bench.ids.take(1)
        item = NewTemplate(template_id, account_id, project, name, edition, bench.now_us, allowed)
        (answer,) = await bench.store.write(add_templates, [item], [account_id])
        return answer

    async def _change(
        self, bench: Bench, name: str, edition: Edition, expected: int | None = None, account_id: int = 1
    ) -> Any:
        item = NewVersion(account_id, "", name, edition, expected, bench.now_us)
        (answer,) = await bench.store.write(add_versions, [item], [account_id])
        return answer

    async def _find(self, bench: Bench, name: str, version: int | None = None, account_id: int = 1) -> Any:
        wanted = [(TemplateName(account_id, "", name), version)]
        (found,) = await bench.store.read(read_template_versions, wanted)
        return found

    async def _names(self, bench: Bench, query: TemplateQuery) -> list[tuple[str, str]]:
        return [(each.project, each.name) for each in await bench.store.read(read_templates, query)]

    async def test_a_version_says_what_was_written(self, bench: Bench) -> None:
        """Every field of it, now and after the next one came."""
        first = await self._add(bench, "bill")
        assert Template(first.template_id, 1, "", "bill", 1, 1, NOW_US, NOW_US, _WHOLE) == first
        bench.wait(5)
        second = await self._change(bench, "bill", _said("Hi"))
        later_us = NOW_US + 5_000_000
        assert Template(first.template_id, 1, "", "bill", 2, 2, NOW_US, later_us, _said("Hi")) == second
        for version, expected in ((1, _WHOLE), (2, _said("Hi"))):
            assert (first.template_id, version, 2, NOW_US) == await self._find(bench, "bill", version)
            stored = await bench.store.read(read_edition, first.template_id, version)
            assert stored is not None
            assert (expected, NOW_US if version == 1 else later_us) == (stored.edition, stored.made_at_us)
        assert (first.template_id, 2, 2, NOW_US) == await self._find(bench, "bill")

    @pytest.mark.parametrize("version", [0, 2, -1, 1 << 40])
    async def test_a_version_that_was_never_made_is_not_found(self, bench: Bench, version: int) -> None:
        """Nor is a name."""
        await self._add(bench, "bill")
        assert await self._find(bench, "bill", version) is None
        assert await self._find(bench, "Bill") is None

    async def test_a_name_is_taken_once_in_an_account_and_project(self, bench: Bench) -> None:
        """Elsewhere it is free."""
        await self._add(bench, "bill")
        assert TemplateTaken() == await self._add(bench, "bill")
        assert isinstance(await self._add(bench, "bill", project="shop"), Template)
        assert isinstance(await self._add(bench, "bill", account_id=2), Template)

    async def test_a_call_may_take_a_name_twice_and_gets_it_once(self, bench: Bench) -> None:
        """In order."""
        items = [
            NewTemplate(number, 1, "", "bill", _said(str(number)), NOW_US, 10) for number in bench.ids.take(2)
        ]
        first, second = await bench.store.write(add_templates, items, [1])
        assert (Template, TemplateTaken) == (type(first), type(second))

    async def test_a_change_may_insist_on_what_it_changes(self, bench: Bench) -> None:
        """Who comes second learns which is the latest."""
        await self._add(bench, "bill")
        assert 2 == (await self._change(bench, "bill", _said("b"), expected=1)).version
        assert VersionMoved(2) == await self._change(bench, "bill", _said("c"), expected=1)
        assert NoSuchTemplate() == await self._change(bench, "other", _said("c"))

    async def test_an_account_may_have_so_many_templates(self, bench: Bench) -> None:
        """Removing one makes room; another account has its own."""
        await self._add(bench, "a", allowed=2)
        await self._add(bench, "b", allowed=2)
        assert TemplatesFull(2) == await self._add(bench, "c", allowed=2)
        assert TemplateTaken() == await self._add(bench, "a", allowed=2)
        assert isinstance(await self._add(bench, "c", allowed=2, account_id=2), Template)
        assert [True] == await bench.store.write(remove_templates, [TemplateName(1, "", "a")], [1])
        assert isinstance(await self._add(bench, "c", allowed=2), Template)

    async def test_a_template_may_have_so_many_versions(self, bench: Bench) -> None:
        """The one after the last is refused, and the last stays the latest."""
        await self._add(bench, "bill", _said("1"))
        items = [NewVersion(1, "", "bill", _said("x"), None, NOW_US)] * VERSIONS_MAX
        answers = await bench.store.write(add_versions, items, [1])
        assert [Template] * (VERSIONS_MAX - 1) == [type(each) for each in answers[:-1]]
        assert TemplatesFull(VERSIONS_MAX) == answers[-1]
        found = await self._find(bench, "bill")
        assert (VERSIONS_MAX, VERSIONS_MAX) == found[1:3]

    async def test_a_removed_template_is_gone_with_every_version(self, bench: Bench) -> None:
        """A new one of its name begins at 1."""
        old = await self._add(bench, "bill")
        await self._change(bench, "bill", _said("b"))
        name = TemplateName(1, "", "bill")
        assert [True, False] == await bench.store.write(remove_templates, [name, name], [1])
        assert await self._find(bench, "bill") is None
        assert await bench.store.read(read_edition, old.template_id, 2) is None
        assert 1 == (await self._add(bench, "bill")).version

    async def test_a_strangers_template_is_like_one_that_is_not_there(self, bench: Bench) -> None:
        """It cannot be read, changed, removed or listed."""
        await self._add(bench, "bill")
        assert await self._find(bench, "bill", account_id=2) is None
        assert NoSuchTemplate() == await self._change(bench, "bill", _said("b"), account_id=2)
        assert [False] == await bench.store.write(remove_templates, [TemplateName(2, "", "bill")], [2])
        assert [] == await self._names(bench, TemplateQuery(2, None, ("", ""), 10))
        assert 1 == (await self._find(bench, "bill"))[1]

    async def test_lists_are_in_the_order_of_project_and_name(self, bench: Bench) -> None:
        """Page by page, all of them or those of a project; without what they say."""
        names = [("", "b"), ("", "B"), ("x", "a"), ("x", "c"), ("x-1", "a"), ("X", "z")]
        for project, name in names:
            await self._add(bench, name, project=project)
        assert sorted(names) == await self._names(bench, TemplateQuery(1, None, ("", ""), 10))
        assert sorted(names)[3:5] == await self._names(bench, TemplateQuery(1, None, sorted(names)[2], 2))
        assert [("x", "c")] == await self._names(bench, TemplateQuery(1, "x", ("x", "a"), 10))
        assert [("", "B"), ("", "b")] == await self._names(bench, TemplateQuery(1, "", ("", ""), 10))
        (one,) = await bench.store.read(read_templates, TemplateQuery(1, "x-1", ("", ""), 10))
        assert (Edition("A bill \u2603", "en", {}), 1) == (one.edition, one.version)

    async def test_a_message_keeps_the_version_that_it_was_made_with(self, bench: Bench) -> None:
        """With its other labels."""
        used = TemplateUsed("shop", "bill", 3, "en-GB")
        (message_id,) = await bench.send(edition=used, tags=("a",))
        assert Labels(tags=("a",), template=used) == (await bench.message(message_id)).labels
