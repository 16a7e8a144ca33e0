"""Accounts and keys from the command line."""

import json
import subprocess
import sys
from typing import Any

import pytest

WHO = ("--first-name", "Ada", "--last-name", "Byron", "--contact-number", "020 7946 0000")


def waypost(broker: Any, *arguments: str, key: str | None = None) -> subprocess.CompletedProcess[str]:
    """A run of the command."""
    environment = broker.environment if key is None else {**broker.environment, "WAYPOST_KEY": key}
    return subprocess.run(
        [sys.executable, "-m", "broker", *arguments],
        env={**environment, "COLUMNS": "180"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def lines(broker: Any, *arguments: str) -> list[dict[str, Any]]:
    """What a run prints for programs; it has to succeed."""
    finished = waypost(broker, *arguments, "--json")
    assert 0 == finished.returncode, finished.stderr
    return [json.loads(line) for line in finished.stdout.splitlines()]


def test_an_account_is_made_shown_changed_and_listed(module_broker: Any) -> None:
    """By its id and by its email, for programs and for people."""
    create = ("accounts", "create", *WHO, "--email", "ada@engines.example", "--company", "Engines")
    (made,) = lines(module_broker, *create, "--default-region", "GB", "--allow-country", "GB")
    account_id = made["account_id"]
    assert ("Engines", {"default_region": "GB", "allowed_countries": ["GB"]}) == (
        made["name"],
        made["policy"],
    )
    child = ("accounts", "create", *WHO, "--email", "sub@engines.example", "--parent", account_id)
    (below,) = lines(module_broker, *child)
    assert [below] == lines(module_broker, "accounts", "--below", account_id)
    assert [made] == lines(module_broker, "accounts", "show", "ADA@engines.example")
    change = ("--company", "", "--sandbox-only", "--no-api-access", "--allow-country", "")
    (changed,) = lines(module_broker, "accounts", "update", account_id, *change)
    assert (False, True, {"default_region": "GB"}) == (
        changed["api_access"],
        changed["sandbox_only"],
        changed["policy"],
    )
    assert "company" not in changed
    shown = waypost(module_broker, "accounts", "show", account_id).stdout
    listed = waypost(module_broker, "accounts", "--children").stdout
    assert "no api access, sandbox only" in shown
    assert account_id in listed
    assert below["account_id"] not in listed


def test_a_key_is_made_used_listed_and_revoked(module_broker: Any) -> None:
    """Its secret is printed once."""
    create = ("keys", "create", "read", "--description", "reports", "--expires", "90d", "--rate", "50")
    (made,) = lines(module_broker, *create)
    key_id, secret = made["api_key"]["key_id"], made["secret"]
    assert 0 == waypost(module_broker, "messages", key=secret).returncode
    listed = waypost(module_broker, "keys").stdout
    assert all(word in listed for word in (key_id, "read", "reports", "50"))
    assert secret[-20:] not in listed
    assert f"{key_id} is revoked\n" == waypost(module_broker, "keys", "revoke", key_id).stdout
    assert "KEY_INVALID" in waypost(module_broker, "messages", key=secret).stderr
    assert key_id not in waypost(module_broker, "keys").stdout
    assert key_id in waypost(module_broker, "keys", "--revoked").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("accounts", "show", "nobody@example.org"), "ACCOUNT_NOT_FOUND"),
        (("accounts", "update", "x", "--name", "y"), "ACCOUNT_NOT_FOUND"),
        (("accounts", "create", *WHO, "--email", "none"), "account.email"),
        (("keys", "revoke", "x"), "KEY_NOT_FOUND"),
        (("keys", "create", "send", "--expires", "soon"), "--expires"),
        (("keys", "create", "emperor"), "emperor"),
    ],
)
def test_what_goes_wrong_is_said(module_broker: Any, arguments: tuple[str, ...], said: str) -> None:
    """On stderr, with an exit code."""
    finished = waypost(module_broker, *arguments)
    assert 0 != finished.returncode
    assert said in finished.stderr
