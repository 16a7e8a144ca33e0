"""The instance's table: where the password comes from, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from waypost_grouptexting.settings import GroupTextingSettings

Table = Callable[..., dict[str, Any]]
URL = "http://127.0.0.1:9/api"


def test_a_password_may_be_in_a_file(table: Table, tmp_path: Path) -> None:
    """Without the line's end."""
    file = tmp_path / "password"
    file.write_text("s3cret\n")
    given = table(URL, password_file=str(file))
    del given["password"]
    assert "s3cret" == GroupTextingSettings.model_validate(given).password.get_secret_value()


@pytest.mark.covers("keyword_callback.wait_s")
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"password": ""}, "must not be empty"),
        ({"password_file": "/nowhere/at/all"}, "not both"),
        ({"long_code": "Acme"}, "E.164"),
        ({"url": "ftp://example.org"}, "pattern"),
        ({"method": "PUT"}, "'POST' or 'GET'"),
        ({"reply_in_answer_s": 51}, "less than or equal to 50"),
        ({"country_code": "+1"}, "pattern"),
    ],
)
def test_what_cannot_work_is_refused(table: Table, changes: dict[str, Any], told: str) -> None:
    """At the start, with the rule."""
    with pytest.raises(ValidationError, match=told):
        GroupTextingSettings.model_validate(table(URL, **changes))


def test_a_password_file_that_cannot_be_read_is_named(table: Table) -> None:
    """By its setting."""
    given = table(URL, password_file="/nowhere/at/all")
    del given["password"]
    with pytest.raises(ValidationError, match="password_file cannot be read: FileNotFoundError"):
        GroupTextingSettings.model_validate(given)


def test_every_setting_is_in_the_readme() -> None:
    """With its default beside it."""
    told = (Path(__file__).parents[1] / "README.md").read_text()
    assert [] == [name for name in GroupTextingSettings.model_fields if f"`{name}`" not in told]
