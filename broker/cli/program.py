"""The program `waypost`: its commands, and what becomes of the ways they can fail.

Only what `--help` needs is imported here. A command imports gRPC, the broker or rich when it runs.
"""

import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Annotated, ParamSpec

import typer

from broker.cli.accounts_command import (
    AccountsGroup,
    create_account,
    list_accounts,
    show_account,
    update_account,
)
from broker.cli.analyze_command import analyze
from broker.cli.broadcast_command import (
    delete_broadcast,
    list_broadcasts,
    resume_broadcast,
    send_broadcast,
    show_broadcast,
    start_broadcast,
    stop_broadcast,
    suspend_broadcast,
    watch_broadcast,
)
from broker.cli.contacts_command import (
    create_contact,
    delete_contact,
    import_contacts,
    list_contacts,
    show_contact,
    update_contact,
)
from broker.cli.credits_command import purchase_credits, show_balance, transfer_credits
from broker.cli.deferred import group_of
from broker.cli.doctor_command import doctor
from broker.cli.exit_codes import ExitCode
from broker.cli.explain_command import explain
from broker.cli.failures import CommandFailed
from broker.cli.groups_command import (
    add_members,
    create_group,
    delete_group,
    list_groups,
    remove_members,
    show_group,
    update_group,
)
from broker.cli.keys_command import KeysGroup, create_key, list_keys, revoke_key
from broker.cli.keywords_command import (
    check_keyword,
    configure_keyword,
    list_keywords,
    release_keyword,
    rent_keyword,
)
from broker.cli.message_deeds import cancel_message, delete_message, mark_message, redrive_message
from broker.cli.messages_command import MessagesGroup, list_messages, show_message
from broker.cli.opt_in_command import get_opt_in, list_opt_ins, set_opt_in
from broker.cli.prices_command import PricesGroup, list_prices, replace_prices
from broker.cli.providers_command import (
    ProvidersGroup,
    drain_provider,
    enable_provider,
    list_providers,
    show_upstream_usage,
)
from broker.cli.routes_command import RoutesGroup, list_routes, replace_routes, show_routes
from broker.cli.send_command import send
from broker.cli.senders_command import add_sender, list_senders, remove_sender
from broker.cli.serve_command import serve
from broker.cli.tail_command import tail
from broker.cli.templates_command import (
    TemplatesGroup,
    create_template,
    delete_template,
    list_templates,
    render_template,
    show_template,
    update_template,
)
from broker.cli.usage_command import usage
from broker.cli.webhooks_command import create_webhook, delete_webhook, list_webhooks, rotate_webhook

Parameters = ParamSpec("Parameters")

commands = typer.Typer()
"""Where all commands are registered; `program` builds the one that is called."""

program = typer.Typer(
    name="waypost",
    cls=group_of(commands),
    help="A self-hosted messaging broker: one API, provider plugins, and the truth about every message.",
    no_args_is_help=True,
    # A traceback is for a defect, and then the whole of it as Python writes it, without local values.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        import importlib.metadata

        print(f"waypost {importlib.metadata.version('waypost-broker')}")
        raise typer.Exit


@program.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    del version


def exits(command: Callable[Parameters, int]) -> Callable[Parameters, None]:
    """A command that answers its exit code, as typer calls it; failures become messages on stderr."""

    @wraps(command)
    def run(*arguments: Parameters.args, **options: Parameters.kwargs) -> None:
        raise typer.Exit(_exit_code(lambda: command(*arguments, **options)))

    return run


def _exit_code(command: Callable[[], int]) -> int:
    try:
        return command()
    except CommandFailed as failure:
        print(f"waypost: {failure}", file=sys.stderr)
        return failure.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough. Python would complain once more while closing it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK


commands.command()(exits(serve))
commands.command()(exits(send))
commands.command()(exits(tail))

broadcast = typer.Typer(help="One content to many: send it, watch it go out, hold it, let it go on, end it.")
broadcast.command("send")(exits(send_broadcast))
broadcast.command("watch")(exits(watch_broadcast))
broadcast.command("show")(exits(show_broadcast))
broadcast.command("list")(exits(list_broadcasts))
broadcast.command("start")(exits(start_broadcast))
broadcast.command("suspend")(exits(suspend_broadcast))
broadcast.command("resume")(exits(resume_broadcast))
broadcast.command("stop")(exits(stop_broadcast))
broadcast.command("delete")(exits(delete_broadcast))
commands.add_typer(broadcast, name="broadcast", no_args_is_help=True)

messages = typer.Typer(
    cls=MessagesGroup,
    help="List messages, show one with all that happened to it, cancel, delete, mark or redrive one.\n\n"
    "`waypost messages` alone lists, and `waypost messages MESSAGE_ID` shows.",
)
messages.command("list")(exits(list_messages))
messages.command("show")(exits(show_message))
messages.command("cancel")(exits(cancel_message))
messages.command("delete")(exits(delete_message))
messages.command("mark")(exits(mark_message))
messages.command("redrive")(exits(redrive_message))
commands.add_typer(messages, name="messages")

contacts = typer.Typer(help="The people of the directory: list, show, add, change, remove and import them.")
contacts.command("list")(exits(list_contacts))
contacts.command("show")(exits(show_contact))
contacts.command("create")(exits(create_contact))
contacts.command("update")(exits(update_contact))
contacts.command("delete")(exits(delete_contact))
contacts.command("import")(exits(import_contacts))
commands.add_typer(contacts, name="contacts", no_args_is_help=True)

groups = typer.Typer(help="Groups of contacts: list, show, add, change and remove them, and who is in them.")
groups.command("list")(exits(list_groups))
groups.command("show")(exits(show_group))
groups.command("create")(exits(create_group))
groups.command("update")(exits(update_group))
groups.command("delete")(exits(delete_group))
groups.command("add")(exits(add_members))
groups.command("remove")(exits(remove_members))
commands.add_typer(groups, name="groups", no_args_is_help=True)

templates = typer.Typer(
    cls=TemplatesGroup,
    help="Stored templates: list, show, add, change, remove and preview them.\n\n"
    "`waypost templates` alone lists.",
)
templates.command("list")(exits(list_templates))
templates.command("show")(exits(show_template))
templates.command("create")(exits(create_template))
templates.command("update")(exits(update_template))
templates.command("delete")(exits(delete_template))
templates.command("render")(exits(render_template))
commands.add_typer(templates, name="templates")

opt_in = typer.Typer(help="What recipients want: put it on record, show it with its evidence, list it.")
opt_in.command("set")(exits(set_opt_in))
opt_in.command("get")(exits(get_opt_in))
opt_in.command("list")(exits(list_opt_ins))
commands.add_typer(opt_in, name="opt-in", no_args_is_help=True)
senders = typer.Typer(help="Who an account's messages are from: list, add and remove senders.")
senders.command("list")(exits(list_senders))
senders.command("add")(exits(add_sender))
senders.command("remove")(exits(remove_sender))
commands.add_typer(senders, name="senders", no_args_is_help=True)

commands.command()(exits(analyze))
webhooks = typer.Typer(help="URLs that get an account's events: list, create, rotate a secret, delete.")
webhooks.command("list")(exits(list_webhooks))
webhooks.command("create")(exits(create_webhook))
webhooks.command("rotate")(exits(rotate_webhook))
webhooks.command("delete")(exits(delete_webhook))
commands.add_typer(webhooks, name="webhooks")

accounts = typer.Typer(
    cls=AccountsGroup,
    help="Who sends: list, show, make and change accounts.\n\n`waypost accounts` alone lists.",
)
accounts.command("list")(exits(list_accounts))
accounts.command("show")(exits(show_account))
accounts.command("create")(exits(create_account))
accounts.command("update")(exits(update_account))
commands.add_typer(accounts, name="accounts")

keys = typer.Typer(
    cls=KeysGroup,
    help="The API keys and URL tokens of an account: list, make, revoke.\n\n`waypost keys` alone lists.",
)
keys.command("list")(exits(list_keys))
keys.command("create")(exits(create_key))
keys.command("revoke")(exits(revoke_key))
commands.add_typer(keys, name="keys")

commands.command()(exits(explain))

keywords = typer.Typer(help="Words that people text to a sender: list, check, rent, configure, release.")
keywords.command("list")(exits(list_keywords))
keywords.command("check")(exits(check_keyword))
keywords.command("rent")(exits(rent_keyword))
keywords.command("configure")(exits(configure_keyword))
keywords.command("release")(exits(release_keyword))
commands.add_typer(keywords, name="keywords", no_args_is_help=True)

providers = typer.Typer(
    cls=ProvidersGroup,
    help="List the provider instances, or with --types what is installed; drain one, or enable it again.\n\n"
    "`waypost providers` alone lists.",
)
providers.command("list")(exits(list_providers))
providers.command("drain")(exits(drain_provider))
providers.command("enable")(exits(enable_provider))
commands.add_typer(providers, name="providers")
providers.command("usage")(exits(show_upstream_usage))
program.add_typer(providers, name="providers")

routes = typer.Typer(
    cls=RoutesGroup,
    help="List the routes, show a version of them, or replace them all.\n\n`waypost routes` alone lists.",
)
routes.command("list")(exits(list_routes))
routes.command("show")(exits(show_routes))
routes.command("replace")(exits(replace_routes))
commands.add_typer(routes, name="routes")

prices = typer.Typer(
    cls=PricesGroup,
    help="List what messages cost, or replace all prices.\n\n`waypost prices` alone lists.",
)
prices.command("list")(exits(list_prices))
prices.command("replace")(exits(replace_prices))
commands.add_typer(prices, name="prices")

account_credits = typer.Typer(
    help="What an account can spend, buying more, and moving it to another account."
)
account_credits.command("balance")(exits(show_balance))
account_credits.command("purchase")(exits(purchase_credits))
account_credits.command("transfer")(exits(transfer_credits))
commands.add_typer(account_credits, name="credits", no_args_is_help=True)

commands.command()(exits(usage))
commands.command()(exits(doctor))
