"""Answers of Ogangi's: XML without a root, read so that no answer can do harm.

The answer is read between the tags of a root of our own. So a document type, where entities would be declared, is
an error of its own: it cannot stand within an element. Depth, elements and text are bounded.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.parsers import expat

DEPTH_MAX = 12
ELEMENTS_MAX = 500_000
TEXT_BUFFER_BYTES = 1_048_576
_DECLARATION = b"<?xml"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(slots=True)
class Element:
    """A tag, the text directly in it, and what is below."""

    name: str
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def child(self, name: str) -> "Element | None":
        """The first one below with this name."""
        return next((each for each in self.children if each.name == name), None)

    def said(self, name: str) -> str:
        """The text of the first one below with this name, without spaces around it; empty where there is none."""
        found = self.child(name)
        return "" if found is None else found.text.strip()

    def all(self, *path: str) -> "Sequence[Element]":
        """Those at the end of a path of names; the last may be many."""
        at: Element | None = self
        for name in path[:-1]:
            at = at.child(name) if at is not None else None
        return [] if at is None else [each for each in at.children if each.name == path[-1]]


def read(body: bytes) -> Element | None:
    """The elements of an answer, under a root of our own; None where it is no such XML."""
    text = body.removeprefix(_BYTE_ORDER_MARK).lstrip()
    if text.startswith(_DECLARATION):
        text = text.partition(b"?>")[2]
    reader = _Reader()
    try:
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.buffer_size = TEXT_BUFFER_BYTES
        parser.StartElementHandler = reader.start
        parser.EndElementHandler = reader.end
        parser.CharacterDataHandler = reader.data
        parser.Parse(b"<answer>", False)
        parser.Parse(text, False)
        parser.Parse(b"</answer>", True)
    except (expat.ExpatError, _TooMuch):
        return None
    return _unwrapped(reader.root)


def _unwrapped(answer: Element) -> Element:
    """The answer itself, where somebody has put a root around it after all."""
    if answer.child("status") is None and len(answer.children) == 1:
        return answer.children[0]
    return answer


class _TooMuch(Exception):
    """The answer is deeper or longer than any that makes sense."""


class _Reader:
    def __init__(self) -> None:
        self.root = Element("answer")
        self._open: list[Element] = []
        self._count = 0

    def start(self, name: str, _attributes: object) -> None:
        self._count += 1
        if len(self._open) > DEPTH_MAX or self._count > ELEMENTS_MAX:
            raise _TooMuch
        element = self.root if not self._open else Element(name)
        if self._open:
            self._open[-1].children.append(element)
        self._open.append(element)

    def end(self, _name: str) -> None:
        self._open.pop()

    def data(self, text: str) -> None:
        self._open[-1].text += text
