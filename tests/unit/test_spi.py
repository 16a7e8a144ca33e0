"""What the contract of plugins does itself: secrets of their settings come from files."""

import pytest

from broker.spi import secrets_from_files


def test_a_secret_comes_from_its_file(tmp_path) -> None:
    """Without the line's end; the rest of the table stays, and the table that was given is not changed."""
    (tmp_path / "token").write_text(" s3cret\n", encoding="utf-8")
    for path in (tmp_path / "token", str(tmp_path / "token")):
        table = {"url": "https://acme.example", "token_file": path}
        expected = {"url": "https://acme.example", "token_file": path, "token": "s3cret"}
        assert expected == secrets_from_files(table, "token", "other")
        assert "token" not in table


@pytest.mark.parametrize(
    "table", [{"token": "x"}, {"token": "x", "token_file": None}, {"token_file": 5}, "x", None]
)
def test_without_a_file_nothing_is_read(table) -> None:
    """What is wrong with it is for the settings' own rules to say."""
    assert table == secrets_from_files(table, "token")


def test_a_secret_is_given_once(tmp_path) -> None:
    """By itself or by its file: which of two were meant, nobody can know."""
    (tmp_path / "token").write_text("y", encoding="utf-8")
    with pytest.raises(ValueError, match="give token or token_file, not both"):
        secrets_from_files({"token": "x", "token_file": tmp_path / "token"}, "token")
    given = {"token": None, "token_file": tmp_path / "token"}
    assert "y" == secrets_from_files(given, "token")["token"]


def test_a_file_that_cannot_be_read_is_named(tmp_path) -> None:
    """By its setting, and why: never by what is in it."""
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for path, why in (
        ("missing", "FileNotFoundError"),
        ("binary", "UnicodeDecodeError"),
        (".", "IsADirectoryError"),
    ):
        with pytest.raises(ValueError, match=f"token_file cannot be read: {why}$"):
            secrets_from_files({"token_file": tmp_path / path}, "token")
