"""From Waypost to ZoomConnect. Repeating an export changes only what changed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from waypost.v1 import directory_pb2
from waypost_zoomconnect import directory
from waypost_zoomconnect.commands import translation
from waypost_zoomconnect.commands.at_once import for_each
from waypost_zoomconnect.commands.broker import Broker, Missing, Refused
from waypost_zoomconnect.commands.tally import Tally
from waypost_zoomconnect.commands.upstream import NO_RECORD, Upstream
from waypost_zoomconnect.directory import Side, ZoomContact, ZoomGroup
from waypost_zoomconnect.exchange import fields
from waypost_zoomconnect.facts import phone


@dataclass(frozen=True, slots=True)
class Step:
    """A contact of Waypost's, as ZoomConnect is to have it, and as it has it; None: it has none."""

    contact: directory_pb2.Contact
    wanted: ZoomContact
    theirs: ZoomContact | None


def matched(
    ours: Sequence[directory_pb2.Contact], theirs: Mapping[str, ZoomContact], country_code: str
) -> list[Step]:
    """Which of ZoomConnect's contacts is which of ours: by the id that we keep, else by the number.

    So an export that broke off between creating a contact there and keeping its id here makes no second one.
    """
    known = {translation.zoom_id(each) for each in ours}
    by_number: dict[str, list[ZoomContact]] = defaultdict(list)
    for each in theirs.values():
        if each.contact_id not in known:
            by_number[phone(each.number, country_code)].append(each)
    steps = []
    for contact in ours:
        wanted = translation.exported(contact, translation.zoom_id(contact))
        found = theirs.get(wanted.contact_id)
        if found is None and wanted.number and (same_number := by_number.get(wanted.number)):
            found = same_number.pop(0)
        steps.append(Step(contact, replace(wanted, contact_id=found.contact_id if found else ""), found))
    return steps


@dataclass(frozen=True, slots=True)
class Exporter:
    """Brings records over, and counts them.

    `prune` deletes at ZoomConnect what Waypost does not have; where it has none of a kind at all, as with the key of
    another account, it deletes nothing.
    """

    upstream: Upstream
    broker: Broker
    tally: Tally
    side: Side = "contact"
    prune: bool = False

    async def contacts(self) -> None:
        """Each contact with a number; its id there is kept here as the external id zoomconnect:<id>."""
        ours = [each async for each in self.broker.contacts()]
        records = [directory.contact(each) for each in await self.upstream.all("contacts")]
        theirs = {each.contact_id: each for each in records}
        steps = matched(ours, theirs, self.upstream.settings.country_code)
        await for_each(steps, self._contact)
        for each in ours:
            for words in translation.left_out(each):
                self.tally.remark(f"contacts came without their {words}, which ZoomConnect does not have")
        if self.prune and ours:
            kept = {step.theirs.contact_id for step in steps if step.theirs}
            await self._delete("contacts", theirs.keys() - kept)

    async def _contact(self, step: Step) -> None:
        if not step.wanted.number:
            self.tally.refuse("contacts", step.contact.contact_id, "it has no phone number")
            return
        try:
            self.tally.count("contacts", await self._save(await self._looked_up(step)))
        except (Refused, Missing) as refused:
            self.tally.refuse("contacts", step.contact.contact_id, str(refused) or "it was deleted meanwhile")

    async def _looked_up(self, step: Step) -> Step:
        """The step, with the contact that the list lacked though we know its id: it may be new, or be gone."""
        known = translation.zoom_id(step.contact)
        if step.theirs or not known:
            return step
        answer = await self.upstream.ask(directory.get_call("contacts", known))
        if directory.created_id("contacts", answer) != known:
            return step
        theirs = directory.contact(answer.document)
        return Step(step.contact, replace(step.wanted, contact_id=known), theirs)

    async def _save(self, step: Step) -> str:
        settings = self.upstream.settings
        if step.theirs and translation.same(step.wanted, step.theirs, settings.country_code):
            await self._keep_id(step.contact, step.wanted.contact_id)
            return "unchanged"
        answer = await self.upstream.change(directory.contact_call(step.wanted))
        if not answer.ok:
            raise Refused(f"ZoomConnect answers {answer.code}")
        if step.theirs:
            await self._keep_id(step.contact, step.wanted.contact_id)
            return "changed"
        created = directory.created_id("contacts", answer)
        if not created:
            raise Refused("ZoomConnect created it and did not say under which id: the next export finds it")
        await self._keep_id(step.contact, created)
        return "created"

    async def _keep_id(self, contact: directory_pb2.Contact, contact_id: str) -> None:
        """Keep ZoomConnect's id here, in place of an older one."""
        if translation.zoom_id(contact) == contact_id:
            return
        others = [each for each in contact.external_ids if not each.startswith(translation.EXTERNAL)]
        new = directory_pb2.Contact(
            contact_id=contact.contact_id,
            etag=contact.etag,
            external_ids=[*others, translation.external_id(contact_id)],
        )
        await self.broker.update_contact(new, ("external_ids",))

    async def groups(self) -> None:
        """Each group by its name, with those of its members whom ZoomConnect has."""
        found = [directory.group(each) for each in await self.upstream.all("groups")]
        theirs = {each.name.casefold(): each for each in found}
        names = set()
        async for ours in self.broker.groups():
            names.add(ours.name.casefold())
            group = await self._group(ours, theirs.get(ours.name.casefold()))
            if group is not None:
                await self._members(ours.group_id, group)
        if self.prune and names:
            await self._delete(
                "groups", [each.group_id for each in found if each.name.casefold() not in names]
            )

    async def _group(self, ours: directory_pb2.Group, theirs: ZoomGroup | None) -> ZoomGroup | None:
        """The group there, created or renamed where it needs to be; None where that was refused."""
        if theirs and theirs.name == ours.name:
            self.tally.count("groups", "unchanged")
            return theirs
        wanted = ZoomGroup(theirs.group_id if theirs else "", ours.name)
        answer = await self.upstream.change(directory.group_call(wanted))
        group_id = theirs.group_id if theirs else directory.created_id("groups", answer)
        if not answer.ok or not group_id:
            self.tally.refuse("groups", ours.group_id, f"ZoomConnect answers {answer.code}")
            return None
        self.tally.count("groups", "renamed" if theirs else "created")
        return ZoomGroup(group_id, ours.name, theirs.members if theirs else frozenset())

    async def _members(self, group_id: str, theirs: ZoomGroup) -> None:
        contacts = [translation.zoom_id(each) async for each in self.broker.members(group_id)]
        wanted = set(contacts) - {""}
        self.tally.count("members", "not at ZoomConnect", contacts.count(""))
        there = theirs.members
        if there is None and theirs.group_id != NO_RECORD:
            answer = await self.upstream.ask(directory.get_call("groups", theirs.group_id))
            there = directory.group(fields(answer.document)).members if answer.ok else None

        async def join(contact_id: str) -> None:
            answer = await self.upstream.change(directory.join_call(contact_id, theirs.group_id, self.side))
            self.tally.count("members", "added" if answer.ok else "not added")

        async def leave(contact_id: str) -> None:
            answer = await self.upstream.change(directory.leave_call(contact_id, theirs.group_id, self.side))
            self.tally.count("members", "removed" if answer.ok else "not removed")

        await for_each(sorted(wanted - (there or frozenset())), join)
        if self.prune:
            await for_each(sorted((there or frozenset()) - wanted), leave)

    async def _delete(self, kind: directory.Kind, record_ids: Iterable[str]) -> None:
        for each in sorted(record_ids):
            answer = await self.upstream.change(directory.delete_call(kind, each))
            self.tally.count(kind, "deleted there" if answer.ok else "not deleted there")
