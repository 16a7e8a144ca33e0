"""The options of `waypost broadcast send` that `waypost send` has not, as types for its parameters."""

from pathlib import Path
from typing import Annotated

import typer

Text = Annotated[str | None, typer.Argument(metavar="[TEXT]", help="What to say.")]
File = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Recipients: CSV, TSV, an address a line, or a workbook. The first line names the columns.",
    ),
]
Groups = Annotated[
    list[str] | None,
    typer.Option("--group", metavar="GROUP_ID", help="A group of the directory; repeatable."),
]
KeepGood = Annotated[
    bool, typer.Option("--keep-good", help="Send to the good lines of a file that has bad ones.")
]
Name = Annotated[str, typer.Option(help="For people.")]
PerMinute = Annotated[
    int, typer.Option(metavar="COUNT", min=0, help="The most messages a minute; 0: no limit.")
]
UpstreamProvider = Annotated[
    str, typer.Option(metavar="INSTANCE", help="The provider instance whose upstream is to run it whole.")
]
Draft = Annotated[bool, typer.Option("--draft", help="Keep it until `waypost broadcast start`.")]
Watch = Annotated[bool, typer.Option("--watch", help="Watch until it is over.")]
