"""How things that were looked up are laid out."""

import io

from rich.console import Console, RenderableType

from broker.cli.grid import STATUS_STYLES, Column, card, grid


def printed(shown: RenderableType, *, coloured: bool = False) -> str:
    """As a console prints it."""
    file = io.StringIO()
    Console(
        file=file,
        width=80,
        force_terminal=coloured,
        color_system="standard" if coloured else None,
        _environ={},
    ).print(shown)
    return file.getvalue()


def test_a_rare_column_is_there_only_where_it_is_filled() -> None:
    """Width is for what there is."""
    columns = (Column("name"), Column("note", rare=True))
    assert "note" not in printed(grid(columns, [("a", ""), ("b", "")]))
    assert "note" in printed(grid(columns, [("a", ""), ("b", "look")]))


def test_a_cell_is_never_markup_and_never_steers_the_terminal() -> None:
    """It comes from anywhere."""
    table = printed(grid((Column("text"),), [("[red]x[/red]\x1b[2J\ny",)]))
    assert "[red]x[/red]?[2J⏎y" in table


def test_a_status_has_its_colour() -> None:
    """As in every other table."""
    table = printed(grid((Column("status", styles=STATUS_STYLES),), [("DELIVERED",)]), coloured=True)
    assert "\x1b[32mDELIVERED" in table


def test_a_card_leaves_out_what_is_not_known() -> None:
    """A line for each fact that there is."""
    shown = printed(card([("status", "SENT"), ("reason", ""), ("units", "2")], {}))
    assert ["status  SENT", "units   2"] == [line.strip() for line in shown.splitlines()]
