"""The directory from the command line: contacts, groups, an import, and sending to them.

A broker in a process of its own; the commands run in this one, since there are many of them.
"""

import json
from pathlib import Path
from typing import Any

from click.testing import Result
from typer.testing import CliRunner

from broker.cli.exit_codes import ExitCode
from broker.cli.program import program


def waypost(broker: Any, *arguments: str) -> Result:
    """Run a command as the broker's operator."""
    environment = {
        "WAYPOST_TARGET": broker.address,
        "WAYPOST_KEY": broker.key,
        "COLUMNS": "180",
    }
    return CliRunner().invoke(program, arguments, env=environment)


def lines(broker: Any, *arguments: str) -> list[dict[str, Any]]:
    """What a command that succeeds prints as JSON."""
    ran = waypost(broker, *arguments, "--json")
    assert (ExitCode.OK, "") == (ran.exit_code, ran.stderr)
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_a_contact_from_its_first_day_to_its_last(broker_factory) -> None:
    """Added, shown, changed, found, and gone."""
    broker = broker_factory()
    mother = waypost(broker, "contacts", "create", "--external-id", "PC-1", "--phone", "+44 7700 904711")
    assert (ExitCode.OK, "") == (mother.exit_code, mother.stderr)
    assert mother.stdout.endswith(" is added\n")
    (added,) = lines(
        broker,
        *("contacts", "create", "--external-id", "PL-1", "--first-name", "Ada", "--last-name", "Lovelace"),
        *("--delegate", "PC-1=mother", "--priority", "PC-1", "--property", "Form=7B", "--channel", "sms"),
    )
    contact_id = added["contact"]["contact_id"]
    waypost(broker, "groups", "create", "Year 7", "--description", "Everyone")
    joined = waypost(broker, "groups", "add", "year 7", "PL-1", contact_id)
    assert joined.stdout.endswith("Year 7 has 1 members, 1 more\n")
    (shown,) = lines(broker, "contacts", "show", "PL-1")
    assert (["Year 7"], "mother") == (
        [each["name"] for each in shown["groups"]],
        shown["contact"]["delegates"][0]["relation"],
    )
    card = waypost(broker, "contacts", "show", contact_id).stdout
    for told in ("Ada Lovelace", "(mother, priority)", "property Form", "Year 7"):
        assert told in card
    changed = waypost(broker, "contacts", "update", "PL-1", "--title", "Miss", "--clear", "properties")
    assert f"{contact_id} Miss Ada Lovelace is changed\n" == changed.stdout
    table = waypost(broker, "contacts", "list", "--name", "lovelace", "--group", "Year 7").stdout
    assert "Miss Ada Lovelace" in table
    assert table.endswith("1 contact\n")
    assert "no contact matches\n" == waypost(broker, "contacts", "list", "--name", "x").stdout
    sent = lines(broker, "send", "--contact", "PL-1", "--delegation", "all_contacts", "Hello")
    assert ["+447700904711"] == [each["result"]["recipient"] for each in sent]
    assert "PL-1 is deleted\n" == waypost(broker, "contacts", "delete", "PL-1").stdout
    gone = waypost(broker, "contacts", "show", "PL-1")
    assert (ExitCode.REFUSED, "waypost: CONTACT_NOT_FOUND: there is no such contact\n") == (
        gone.exit_code,
        gone.stderr,
    )


def test_a_group_from_its_first_day_to_its_last(broker_factory) -> None:
    """By its name or its id."""
    broker = broker_factory()
    (added,) = lines(broker, "groups", "create", "Year 7")
    group_id = added["group"]["group_id"]
    waypost(broker, "contacts", "create", "--external-id", "PL-1")
    (joined,) = lines(broker, "groups", "add", group_id, "PL-1")
    assert "1" == joined["group"]["member_count"]
    assert [group_id] == [each["group_id"] for each in lines(broker, "groups", "list", "--contact", "PL-1")]
    (left,) = lines(broker, "groups", "remove", "Year 7", "PL-1", "PL-2")
    assert "member_count" not in left["group"]
    renamed = waypost(broker, "groups", "update", "Year 7", "--name", "Year 8")
    assert f"{group_id} Year 8 is changed\n" == renamed.stdout
    assert "Year 8" in waypost(broker, "groups", "show", group_id).stdout
    assert waypost(broker, "groups", "list").stdout.endswith("1 group\n")
    assert ExitCode.REFUSED == waypost(broker, "groups", "show", "Year 7").exit_code
    assert "Year 8 is deleted\n" == waypost(broker, "groups", "delete", "Year 8").stdout
    assert "no group matches\n" == waypost(broker, "groups", "list").stdout


def test_a_file_is_brought_in_again_and_again(broker_factory, tmp_path: Path) -> None:
    """Good lines are taken, bad ones told by their number; a second time it changes what is there."""
    broker = broker_factory()
    path = tmp_path / "people.csv"
    path.write_text(
        "external_id,first_name,phone_number,delegates,priority_delegate,Form\n"
        "PL-1,Ada,,PC-1=mother;PC-2,PC-2,7B\n"
        "PC-1,Grace,+447700904711,,,\n"
        "PC-2,Vincent,+447700904712,,,\n"
        "PL-2,Bob,0770,,,\n"
        "PL-3,Eve,,PC-9,,\n",
    )
    brought = waypost(broker, "contacts", "import", str(path))
    assert (ExitCode.REFUSED, "3 taken, 2 refused\n") == (brought.exit_code, brought.stdout)
    bad, missing = brought.stderr.split("waypost: ")[1:]
    assert bad.startswith("line 5: INVALID_REQUEST")
    assert "contact.phone_numbers[0]" in bad
    assert missing.startswith("line 6: INVALID_REQUEST")
    sent = lines(broker, "send", "--contact", "PL-1", "--delegation", "priority_contact", "Hello")
    assert ["+447700904712"] == [each["result"]["recipient"] for each in sent]
    path.write_text("external_id,first_name\nPL-1,Augusta\n")
    assert [{"taken": 1, "refused": 0}] == lines(broker, "contacts", "import", str(path))
    (shown,) = lines(broker, "contacts", "show", "PL-1")
    assert ("Augusta", {"Form": "7B"}) == (shown["contact"]["first_name"], shown["contact"]["properties"])


def test_a_broker_that_is_not_there_is_told_once(tmp_path: Path, broker_factory) -> None:
    """However many lines the file has."""
    broker = broker_factory()
    path = tmp_path / "people.csv"
    path.write_text("external_id\n" + "\n".join(f"PL-{number}" for number in range(200)) + "\n")
    broker.stop()
    ran = waypost(broker, "contacts", "import", str(path))
    assert (ExitCode.UNREACHABLE, 1) == (ran.exit_code, len(ran.stderr.splitlines()))
    assert "no broker answers" in ran.stderr
