"""Groups of commands that list when no command is named."""

import typer


def with_list(ctx: typer.Context, args: list[str]) -> list[str]:
    """The words with `list` before them where they begin with no command. One to be completed may still become one."""
    if not args:
        return [] if ctx.resilient_parsing else ["list"]
    if args[0].startswith("-") and args[0] not in ctx.help_option_names:
        return ["list", *args]
    return args
