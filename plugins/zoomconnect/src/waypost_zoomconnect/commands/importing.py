"""From ZoomConnect into Waypost. Repeating an import changes only what changed."""

from dataclasses import dataclass

from waypost.v1 import directory_pb2
from waypost_zoomconnect import directory
from waypost_zoomconnect.commands import translation
from waypost_zoomconnect.commands.at_once import for_each
from waypost_zoomconnect.commands.broker import Broker, Missing, Refused
from waypost_zoomconnect.commands.tally import Tally
from waypost_zoomconnect.commands.upstream import Upstream
from waypost_zoomconnect.directory import ZoomContact, ZoomGroup, ZoomTemplate
from waypost_zoomconnect.exchange import fields

MEMBERS_UNTOLD = "groups came without members, as ZoomConnect does not tell them"


@dataclass(frozen=True, slots=True)
class Importer:
    """Brings records over, and counts them."""

    upstream: Upstream
    broker: Broker
    tally: Tally

    async def contacts(self) -> None:
        """Each contact under the external id zoomconnect:<its id>."""
        records = await self.upstream.all("contacts")
        await for_each([directory.contact(each) for each in records], self._contact)

    async def _contact(self, told: ZoomContact) -> None:
        if not told.number:  # a list may tell less than the record itself
            answer = await self.upstream.ask(directory.get_call("contacts", told.contact_id))
            told = directory.contact({**fields(answer.document), "contactId": told.contact_id})
        try:
            self.tally.count("contacts", await self._save(told))
        except Refused as refused:
            self.tally.refuse("contacts", told.contact_id, str(refused))

    async def _save(self, told: ZoomContact) -> str:
        external_id = translation.external_id(told.contact_id)
        country_code = self.upstream.settings.country_code
        try:
            kept = await self.broker.contact(external_id)
        except Missing:
            new = translation.imported(told, None, country_code)
            new.external_ids.append(external_id)
            await self.broker.create_contact(new)
            return "created"
        new = translation.imported(told, kept, country_code)
        if not translation.differs(new, kept):
            return "unchanged"
        new.contact_id, new.etag = kept.contact_id, kept.etag
        await self.broker.update_contact(new, translation.IMPORTED)
        return "changed"

    async def groups(self) -> None:
        """Each group by its name, and its members added; nobody is taken out."""
        ours = {each.name.casefold(): each async for each in self.broker.groups()}
        for record in await self.upstream.all("groups"):
            told = directory.group(record)
            if told.members is None:
                answer = await self.upstream.ask(directory.get_call("groups", told.group_id))
                told = ZoomGroup(told.group_id, told.name, directory.group(fields(answer.document)).members)
            try:
                await self._group(told, ours)
            except Refused as refused:
                self.tally.refuse("groups", told.group_id, str(refused))

    async def _group(self, told: ZoomGroup, ours: dict[str, directory_pb2.Group]) -> None:
        found = ours.get(told.name.casefold())
        if found is None:
            found = ours[told.name.casefold()] = await self.broker.create_group(told.name)
            self.tally.count("groups", "created")
        else:
            self.tally.count("groups", "found")
        if told.members is None:
            self.tally.remark(MEMBERS_UNTOLD)
            return
        wanted = [translation.external_id(each) for each in sorted(told.members)]
        self.tally.count("members", "added", await self._join(found.group_id, wanted))

    async def _join(self, group_id: str, wanted: list[str]) -> int:
        """Add those whom the directory has: some may have been refused, or not been imported."""
        try:
            return await self.broker.add_members(group_id, wanted)
        except Missing:
            there = [each for each in wanted if await self._is_there(each)]
            self.tally.count("members", "not in the directory", len(wanted) - len(there))
            return await self.broker.add_members(group_id, there)

    async def _is_there(self, external_id: str) -> bool:
        try:
            await self.broker.contact(external_id)
        except Missing:
            return False
        return True

    async def templates(self, project: str, locale: str, *, move: bool) -> None:
        """Each template as an SMS of one language; a moved one is deleted at ZoomConnect once it is stored."""
        taken: set[str] = set()
        for record in await self.upstream.all("templates"):
            told = directory.template(record)
            if not told.text:
                answer = await self.upstream.ask(directory.get_call("templates", told.template_id))
                told = directory.template({**record, **fields(answer.document)})
            name = translation.template_name(told, taken)
            taken.add(name.lower())
            try:
                self.tally.count("templates", await self._template(told, name, project, locale))
            except Refused as refused:
                self.tally.refuse("templates", told.template_id, str(refused))
                continue
            if move:
                answer = await self.upstream.change(directory.delete_call("templates", told.template_id))
                self.tally.count("templates", "deleted there" if answer.ok else "not deleted there")

    async def _template(self, told: ZoomTemplate, name: str, project: str, locale: str) -> str:
        new = translation.template(told, name, project, locale)
        try:
            kept = await self.broker.template(project, name)
        except Missing:
            await self.broker.create_template(new)
            return "created"
        if kept.description == new.description and kept.locales.get(locale) == new.locales[locale]:
            return "unchanged"
        expected_version = kept.version
        kept.description = new.description
        kept.locales[locale].CopyFrom(new.locales[locale])
        await self.broker.update_template(kept, expected_version)
        return "changed"
