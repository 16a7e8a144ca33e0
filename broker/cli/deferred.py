"""Commands that are built when they are named: for typer it takes a tenth of a second to build all of them."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command_from_info, get_command_name, get_group_from_info
from typer.models import CommandInfo, TyperInfo


class Commands(Mapping[str, TyperCommand | TyperGroup]):
    """What was registered with a Typer, by name: its own commands first, then its groups."""

    def __init__(self, parts: typer.Typer) -> None:
        self._parts = parts
        self._registered: dict[str, CommandInfo | TyperInfo] = {}
        self._built: dict[str, TyperCommand | TyperGroup] = {}
        for command in parts.registered_commands:
            self._registered[command.name or get_command_name(cast("Any", command.callback).__name__)] = (
                command
            )
        for group in parts.registered_groups:
            self._registered[str(group.name)] = group

    def __getitem__(self, name: str) -> TyperCommand | TyperGroup:
        if name not in self._built:
            self._built[name] = self._build(self._registered[name])
        return self._built[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._registered)

    def __len__(self) -> int:
        return len(self._registered)

    def _build(self, registered: CommandInfo | TyperInfo) -> TyperCommand | TyperGroup:
        short, markup = self._parts.pretty_exceptions_short, self._parts.rich_markup_mode
        if isinstance(registered, TyperInfo):
            return get_group_from_info(
                registered,
                pretty_exceptions_short=short,
                rich_markup_mode=markup,
                suggest_commands=self._parts.suggest_commands,
            )
        command = get_command_from_info(registered, pretty_exceptions_short=short, rich_markup_mode=markup)
        return cast("TyperCommand", command)


def group_of(parts: typer.Typer) -> type[TyperGroup]:
    """The class of a group (`typer.Typer(cls=...)`) whose commands are those of `parts`."""

    class DeferredGroup(TyperGroup):
        """Has no command of its own."""

        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            self.commands = cast("Any", Commands(parts))

    return DeferredGroup
