"""Answers without a root, and answers that want to do harm."""

import pytest

from waypost_ogangi.reading import ELEMENTS_MAX, read

PRINTED = b"<input>sendSMS</input> <status>OK</status> <description>Completed</description> <result> <a> <b>1</b> </a> </result>"


@pytest.mark.covers("answer.input", "answer.status", "answer.description", "answer.result")
def test_elements_stand_side_by_side():
    """As they are printed: no root, and spaces between them."""
    answer = read(PRINTED)
    said = (answer.said("input"), answer.said("status"), answer.said("description"))
    assert ("sendSMS", "OK", "Completed") == said
    assert ["1"] == [each.text for each in answer.all("result", "a", "b")]


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + PRINTED,
        b'<?xml version="1.0" encoding="UTF-8"?>\n' + PRINTED,
        b"<r>" + PRINTED + b"</r>",
    ],
    ids=["mark", "declaration", "root"],
)
def test_what_a_server_puts_around_it_does_no_harm(body):
    """A byte order mark, a declaration, or a root after all."""
    assert "OK" == read(body).said("status")


BOMB = b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><status>&c;</status>'
OUTSIDE = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><status>&b;</status>'


@pytest.mark.parametrize(
    "body",
    [
        BOMB,
        OUTSIDE,
        b'<?xml version="1.0"?>' + BOMB,
        b"<status>&b;</status>",
        b"</answer><answer><status>OK</status>",
        b"<a>" * 1_000,
        b"<a/>" * (ELEMENTS_MAX + 1),
        b"<status>OK",
        b"\xff\xfe<status/>",
        b"<status>\xff</status>",
    ],
    ids=["bomb", "file", "declared bomb", "entity", "own root", "deep", "many", "cut", "utf-16", "bytes"],
)
def test_what_could_do_harm_is_no_answer(body):
    """Document types, entities, depths and numbers that no answer needs, and what is no XML."""
    assert None is read(body)
