"""Files of recipients for broadcasts: a number, a name and a town a line."""

from collections.abc import Iterator

HEADER = b"phone,name,town\n"
TEXT = (
    "Hi $name$, your parcel is on its way to $town$ and comes between 9 and 11. Answer STOP to hear no more."
)
CHUNK_LINES = 10_000


def number_of(at: int) -> str:
    """A running recipient's. None ends in digits that the sandbox treats specially."""
    return f"+49151{at:07d}5"


def values_of(at: int) -> dict[str, str]:
    """A running recipient's values for placeholders."""
    return {"name": f"Name {at}", "town": "Town"}


def chunks_of(lines: int) -> Iterator[bytes]:
    """A file of so many recipients, in parts of less than a megabyte."""
    yield HEADER
    for start in range(0, lines, CHUNK_LINES):
        some = range(start, min(start + CHUNK_LINES, lines))
        yield b"".join(b"%s,Name %d,Town\n" % (number_of(at).encode(), at) for at in some)
