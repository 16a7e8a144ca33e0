"""The program `waypost-zoomconnect` and its options."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from waypost_zoomconnect.commands.failures import CommandFailed, ExitCode
from waypost_zoomconnect.settings import ZoomConnectSettings

app = typer.Typer(
    help="Bring contacts, groups and templates from ZoomConnect into Waypost, and contacts and groups back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
messages = typer.Typer(help="ZoomConnect's own list of messages.", no_args_is_help=True)
app.add_typer(messages, name="messages")


class Kind(StrEnum):
    """What is brought over."""

    CONTACTS = "contacts"
    GROUPS = "groups"
    TEMPLATES = "templates"


class Side(StrEnum):
    """Below whose path memberships are changed."""

    CONTACT = "contact"
    GROUP = "group"


Kinds = Annotated[list[Kind] | None, typer.Argument(help="Contacts, groups, templates; none named: all.")]
Config = Annotated[
    Path, typer.Option("--config", envvar="WAYPOST_CONFIG", help="The broker's settings file.")
]
Instance = Annotated[str, typer.Option("--instance", help="Which of its providers is ZoomConnect.")]
Target = Annotated[str, typer.Option("--target", envvar="WAYPOST_TARGET", help="The broker, host:port.")]
Key = Annotated[
    str, typer.Option("--key", envvar="WAYPOST_KEY", show_default=False, help="An API key of the account.")
]
Account = Annotated[str, typer.Option("--account", help="The account; left out: the key's own.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell what would be done, and change nothing.")]
Json = Annotated[bool, typer.Option("--json", help="One line of JSON.")]


@app.command(name="import")
def import_(
    kinds: Kinds = None,
    *,
    config: Config = Path("waypost.toml"),
    instance: Instance = "zoomconnect",
    target: Target = "127.0.0.1:7070",
    key: Key = "",
    account: Account = "",
    project: Annotated[str, typer.Option(help="The project that templates go to.")] = "zoomconnect",
    locale: Annotated[str, typer.Option(help="The language of templates, as en-ZA.")] = "en",
    move: Annotated[
        bool, typer.Option("--move", help="Delete templates at ZoomConnect once stored.")
    ] = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Bring what ZoomConnect has into the directory and the templates of an account."""
    from waypost_zoomconnect.commands.broker import connected
    from waypost_zoomconnect.commands.importing import Importer
    from waypost_zoomconnect.commands.tally import Tally
    from waypost_zoomconnect.commands.upstream import Upstream

    tally, wanted = Tally(), kinds or list(Kind)

    async def bring(upstream: Upstream) -> None:
        async with connected(target, key, account, dry=dry_run) as broker:
            importer = Importer(upstream, broker, tally)
            if Kind.CONTACTS in wanted:
                await importer.contacts()
            if Kind.GROUPS in wanted:
                await importer.groups()
            if Kind.TEMPLATES in wanted:
                await importer.templates(project, locale, move=move)

    run(config, instance, bring, dry=dry_run)
    finish(tally.json() if json else "\n".join(tally.lines()), refused=bool(tally.refused))


@app.command()
def export(
    kinds: Kinds = None,
    *,
    config: Config = Path("waypost.toml"),
    instance: Instance = "zoomconnect",
    target: Target = "127.0.0.1:7070",
    key: Key = "",
    account: Account = "",
    side: Annotated[
        Side, typer.Option(help="Change memberships below the contact's path or the group's.")
    ] = Side.CONTACT,
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete at ZoomConnect whatever the account does not have.")
    ] = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Bring an account's contacts and groups to ZoomConnect."""
    from waypost_zoomconnect.commands.broker import connected
    from waypost_zoomconnect.commands.exporting import Exporter
    from waypost_zoomconnect.commands.tally import Tally
    from waypost_zoomconnect.commands.upstream import Upstream

    tally, wanted = Tally(), kinds or [Kind.CONTACTS, Kind.GROUPS]

    async def bring(upstream: Upstream) -> None:
        async with connected(target, key, account, dry=dry_run) as broker:
            exporter = Exporter(upstream, broker, tally, side.value, prune)
            if Kind.CONTACTS in wanted:
                await exporter.contacts()
            if Kind.GROUPS in wanted:
                await exporter.groups()

    if Kind.TEMPLATES in wanted:
        fail(CommandFailed("templates: ZoomConnect has no call that creates one", ExitCode.USAGE))
    run(config, instance, bring, dry=dry_run)
    finish(tally.json() if json else "\n".join(tally.lines()), refused=bool(tally.refused))


@app.command()
def analyse(
    text: Annotated[str, typer.Argument(help="What would be sent.")],
    *,
    to: Annotated[str, typer.Option(help="To whom: the cost may depend on it.")] = "",
    config: Config = Path("waypost.toml"),
    instance: Instance = "zoomconnect",
    each: Annotated[bool, typer.Option("--each", help="Ask for each figure by itself.")] = False,
) -> None:
    """What ZoomConnect makes of a text. `waypost analyze` tells it without asking anybody."""
    from waypost_zoomconnect.commands.inspecting import analysis
    from waypost_zoomconnect.commands.upstream import Upstream

    told: list[str] = []

    async def ask(upstream: Upstream) -> None:
        told.extend(await analysis(upstream, text, to, each=each))

    run(config, instance, ask)
    finish("\n".join(told))


@messages.command(name="list")
def list_messages(
    *,
    inbound: Annotated[bool, typer.Option("--inbound", help="Replies only.")] = False,
    unread: Annotated[bool, typer.Option("--unread", help="Unread ones only.")] = False,
    page: Annotated[int, typer.Option(min=1)] = 1,
    config: Config = Path("waypost.toml"),
    instance: Instance = "zoomconnect",
) -> None:
    """A page of messages, a line of JSON each."""
    from waypost_zoomconnect.commands.inspecting import page_of_messages
    from waypost_zoomconnect.commands.upstream import Upstream

    told: list[str] = []

    async def ask(upstream: Upstream) -> None:
        told.extend(await page_of_messages(upstream, page, inbound=inbound, unread=unread))

    run(config, instance, ask)
    finish("\n".join(told))


class Deed(StrEnum):
    """What is done to a message."""

    SHOW = "show"
    DELETE = "delete"
    MARK_READ = "mark-read"
    MARK_UNREAD = "mark-unread"


def _register(deed: Deed, help_text: str) -> None:
    @messages.command(name=deed.value, help=help_text)
    def do(
        message_id: Annotated[str, typer.Argument(help="ZoomConnect's id of it.")],
        *,
        config: Config = Path("waypost.toml"),
        instance: Instance = "zoomconnect",
    ) -> None:
        from waypost_zoomconnect.commands.inspecting import done_to_message
        from waypost_zoomconnect.commands.upstream import Upstream

        told: list[str] = []

        async def ask(upstream: Upstream) -> None:
            told.append(await done_to_message(upstream, deed.value, message_id))

        run(config, instance, ask)
        finish("\n".join(told))


_register(Deed.SHOW, "One message, as ZoomConnect has it.")
_register(Deed.DELETE, "Delete a message there. Waypost keeps its own.")
_register(Deed.MARK_READ, "Mark a reply there as read.")
_register(Deed.MARK_UNREAD, "Mark it as unread: where replies are polled, it is polled again.")


def run(config: Path, instance: str, work: Callable[..., Awaitable[None]], *, dry: bool = False) -> None:
    """Do the work with the account that the settings name; ends the program where it cannot go on."""
    from waypost_zoomconnect.commands.upstream import opened, read_settings

    async def do(settings: ZoomConnectSettings) -> None:
        async with opened(settings, dry=dry) as upstream:
            await work(upstream)

    try:
        asyncio.run(do(read_settings(config, instance)))
    except CommandFailed as failed:
        fail(failed)


def fail(failed: CommandFailed) -> None:
    """End the program, with the reason on standard error."""
    typer.echo(f"waypost-zoomconnect: {failed}", err=True)
    raise typer.Exit(failed.code)


def finish(told: str, *, refused: bool = False) -> None:
    """Print what there is to tell, and end with 1 where something was refused."""
    if told:
        typer.echo(told)
    if refused:
        raise typer.Exit(ExitCode.REFUSED)


def main() -> None:
    """Run the program."""
    app(prog_name="waypost-zoomconnect")


if __name__ == "__main__":
    main()
