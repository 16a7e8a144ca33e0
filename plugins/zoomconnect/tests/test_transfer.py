"""`waypost-zoomconnect import` and `export` between the fake and a real broker."""

import asyncio
import itertools
import json

import pytest
from typer.testing import CliRunner

import waypost
from broker.testing.broker_process import BrokerProcess, toml_of
from broker.testing.upstream import Answer, Say
from waypost.v1 import directory_pb2
from waypost_zoomconnect.commands.broker import connected
from waypost_zoomconnect.commands.importing import MEMBERS_UNTOLD
from waypost_zoomconnect.commands.program import app

NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """One broker for all tests of this file; each has an account of its own."""
    told = {
        "type": "zoomconnect",
        "email": "me@example.org",
        "token": "t",
        "receipts": "none",
        "replies": "none",
    }
    with BrokerProcess(tmp_path_factory.mktemp("broker"), {"zoomconnect": told}, {}) as process:
        yield process


@pytest.fixture
def account(running):
    """The id of a new account."""

    async def made():
        async with running.client() as client:
            person = {"first_name": "Ada", "last_name": "Lovelace", "contact_number": "+27820000000"}
            new = await client.accounts.create(email=f"ada{next(NUMBERS)}@example.org", **person)
            return new.account_id

    return asyncio.run(made())


@pytest.fixture
def run(running, account, fake, table, tmp_path):
    """Run the program; answers exit code and output, read as JSON where the command prints some."""
    config = tmp_path / "waypost.toml"
    config.write_text(toml_of({"providers": {"zoomconnect": {"type": "zoomconnect", **table(page_size=2)}}}))

    def invoke(*arguments, exit_code=0):
        command = [*arguments, "--config", str(config)]
        if arguments[0] in {"import", "export"}:
            command += ["--target", running.address, "--key", running.key, "--account", account, "--json"]
        result = CliRunner().invoke(app, command, catch_exceptions=False)
        assert exit_code == result.exit_code, result.output
        return json.loads(result.stdout) if arguments[0] in {"import", "export"} else result.stdout

    return invoke


@pytest.fixture
def ask(running, account):
    """What the broker answers to the program's own client: `ask(lambda broker: broker.contact("zoomconnect:7"))`."""

    def asked(question):
        async def do():
            async with connected(running.address, running.key, account, dry=False) as broker:
                found = question(broker)
                return [each async for each in found] if hasattr(found, "__aiter__") else await found

        return asyncio.run(do())

    return asked


def add_people(fake, *people):
    """Contacts at ZoomConnect: pairs of a first name and a number. Answers their ids."""
    documents = [{"firstName": name, "contactNumber": number} for name, number in people]
    return [fake.directory.add_contact(each)["contactId"] for each in documents]


def keep(ask, *contacts):
    """Contacts in Waypost."""
    for each in contacts:
        ask(lambda broker, each=each: broker.create_contact(each))


def contact(first_name, *numbers, **fields):
    return directory_pb2.Contact(first_name=first_name, phone_numbers=numbers, **fields)


@pytest.mark.covers(
    *("contacts.all", "groups.all", "groups.get", "templates.all", "groups.name", "groups.groupId"),
    *("contacts.contactId", "contacts.firstName", "contacts.contactNumber"),
)
def test_everything_is_imported_and_a_second_time_nothing_changes(run, fake, ask):
    """Contacts over several pages, groups with their members, templates word for word."""
    ada, ben, _ = add_people(fake, ("Ada", "0820000001"), ("Ben", "+27820000002"), ("Cy", "27820000003"))
    staff = fake.directory.add_group({"name": "Staff"})["groupId"]
    for each in (ada, ben):
        fake.directory.join(each, staff)
    fake.directory.add_template("Welcome back", "You owe $5")
    first, second = run("import"), run("import")
    assert {
        "contacts": {"created": 3},
        "groups": {"created": 1},
        "members": {"added": 2},
        "templates": {"created": 1},
    } == first["counts"]
    assert {
        "contacts": {"unchanged": 3},
        "groups": {"found": 1},
        "members": {"added": 0},
        "templates": {"unchanged": 1},
    } == second["counts"]
    found = ask(lambda broker: broker.contact(f"zoomconnect:{ada}"))
    assert ("Ada", ["+27820000001"]) == (found.first_name, list(found.phone_numbers))
    (group,) = ask(lambda broker: broker.groups())
    assert {"Ada", "Ben"} == {each.first_name for each in ask(lambda broker: broker.members(group.group_id))}
    template = ask(lambda broker: broker.template("zoomconnect", "Welcome-back"))
    assert "You owe $$5" == template.locales["en"].sms.text


@pytest.mark.covers("contacts.all", "templates.all")
def test_what_changed_at_zoomconnect_is_changed_here(run, fake, ask):
    """And what Waypost alone knows stays."""
    (ada,) = add_people(fake, ("Ada", "0820000001"))
    template = fake.directory.add_template("Hello", "Hello")
    run("import")
    kept = ask(lambda broker: broker.contact(f"zoomconnect:{ada}"))
    kept.emails.append("ada@example.org")
    ask(lambda broker: broker.update_contact(kept, ("emails",)))
    fake.directory.update_contact(ada, {"contactNumber": "0820000009", "title": "Dr"})
    fake.directory.templates[template]["data"] = "Hello again"
    assert {"contacts": {"changed": 1}, "templates": {"changed": 1}} == run(
        "import", "contacts", "templates"
    )["counts"]
    found = ask(lambda broker: broker.contact(f"zoomconnect:{ada}"))
    assert (["+27820000009"], ["ada@example.org"], "Dr") == (
        list(found.phone_numbers),
        list(found.emails),
        found.title,
    )
    assert 2 == ask(lambda broker: broker.template("zoomconnect", "Hello")).version


@pytest.mark.covers("contacts.get", "templates.get", "templates.delete")
def test_records_that_lists_tell_too_little_of_are_asked_for(run, fake, ask, upstream):
    """And templates that are moved are deleted once they are stored."""
    (ada,) = add_people(fake, ("Ada", "0820000001"))
    fake.directory.add_template("Hello", "Hello")
    lists = {
        "contacts": {"webServiceContacts": [{"contactId": ada}]},
        "templates": {"webServiceTemplates": [{"templateId": 1002, "name": "Hello"}]},
    }
    for kind, page in lists.items():
        said = Say(Answer.of_json(page))
        upstream.fail(said, when=lambda request, kind=kind: request.path.endswith(f"{kind}/all"))
    assert {"contacts": {"created": 1}} == run("import", "contacts")["counts"]
    moved = run("import", "templates", "--move")
    assert {"templates": {"created": 1, "deleted there": 1}} == moved["counts"]
    assert {} == fake.directory.templates
    assert "Ada" == ask(lambda broker: broker.contact(f"zoomconnect:{ada}")).first_name


def test_what_is_refused_is_told_and_the_rest_comes_over(run, fake, ask):
    """A number that is none stops neither the others nor its group."""
    odd, ada = add_people(fake, ("Odd", "12"), ("Ada", "0820000001"))
    group = fake.directory.add_group({"name": "All"})["groupId"]
    for each in (odd, ada):
        fake.directory.join(each, group)
    told = run("import", exit_code=1)
    assert [("contacts", odd)] == [(each["kind"], each["id"]) for each in told["refused"]]
    assert ({"created": 1, "refused": 1}, {"not in the directory": 1, "added": 1}) == (
        told["counts"]["contacts"],
        told["counts"]["members"],
    )


def test_groups_whose_members_are_not_told_come_without_them(run, fake):
    """And the command says so."""
    fake.directory.add_group({"name": "Staff"})
    fake.directory.tells_members = False
    told = run("import", "groups")
    assert ({"groups": {"created": 1}}, {MEMBERS_UNTOLD: 1}) == (told["counts"], told["remarks"])


@pytest.mark.parametrize("side", ["contact", "group"])
@pytest.mark.covers(
    *("contacts.create", "contacts.addToGroup", "contacts.addFromGroup", "contacts.delete"),
    *("groups.create", "groups.addContact", "groups.removeContact", "groups.delete"),
)
def test_everything_is_exported_and_pruned(run, fake, ask, side):
    """Contacts get their ids, groups their members; what the account does not have goes, and not without --prune."""
    keep(ask, contact("Ada", "+27820000001"), contact("Ben", "+27820000002", emails=["ben@example.org"]))
    staff = ask(lambda broker: broker.create_group("Staff"))
    first = run("export", "contacts", "--side", side)
    ask(lambda broker: broker.add_members(staff.group_id, ["zoomconnect:1001", "zoomconnect:1002"]))
    (stranger,) = add_people(fake, ("Odd", "0820000009"))
    old = fake.directory.add_group({"name": "Old"})["groupId"]
    second = run("export", "--side", side)
    (group,) = [each for each in fake.directory.groups if each != old]
    fake.directory.join(stranger, group)
    assert {"contacts": {"created": 2}} == first["counts"]
    assert {"contacts came without their emails, which ZoomConnect does not have": 1} == first["remarks"]
    assert {
        "contacts": {"unchanged": 2},
        "groups": {"created": 1},
        "members": {"not at ZoomConnect": 0, "added": 2},
    } == second["counts"]
    fake.directory.contacts["1003"]["contactNumber"] = "0820000009"
    run("export", "groups", "--prune", "--side", side)
    assert ([group], {"1001", "1002"}) == ([*fake.directory.groups], set(fake.directory.members[group]))
    run("export", "contacts", "--prune")
    assert {"Ada", "Ben"} == {each["firstName"] for each in fake.directory.contacts.values()}


@pytest.mark.covers("contacts.update", "contacts.get", "contacts.title", "contacts.lastName", "groups.update")
def test_what_changed_here_is_changed_at_zoomconnect(run, fake, ask, upstream):
    """Also a contact that its list lacks for the moment, and the case of a group's name."""
    keep(ask, contact("Ada", "+27820000001"))
    run("export", "contacts")
    kept = ask(lambda broker: broker.contact("zoomconnect:1001"))
    kept.title, kept.last_name = "Dr", "Lovelace"
    ask(lambda broker: broker.update_contact(kept, ("title", "last_name")))
    fake.directory.add_group({"name": "staff"})
    ask(lambda broker: broker.create_group("Staff"))
    empty = Say(Answer.of_json({"webServiceContacts": []}))
    upstream.fail(empty, when=lambda request: request.path.endswith("contacts/all"))
    told = run("export")
    assert ({"changed": 1}, {"renamed": 1}) == (told["counts"]["contacts"], told["counts"]["groups"])
    (record,) = fake.directory.contacts.values()
    assert ("Dr", "Lovelace") == (record["title"], record["lastName"])
    assert ["Staff"] == [each["name"] for each in fake.directory.groups.values()]


def test_a_contact_that_is_there_already_is_found_by_its_number(run, fake, ask):
    """As after an export that broke off before it kept the id: no second one is made."""
    (ada,) = add_people(fake, ("Ada", "0820000001"))
    keep(ask, contact("Ada", "+27820000001"), contact("Nobody"))
    told = run("export", "contacts", exit_code=1)
    assert {"contacts": {"unchanged": 1, "refused": 1}} == told["counts"]
    assert "Ada" == ask(lambda broker: broker.contact(f"zoomconnect:{ada}")).first_name


def test_a_contact_that_was_deleted_there_is_made_again(run, fake, ask):
    """Under its new id."""
    keep(ask, contact("Ada", "+27820000001", external_ids=["PL-1", "zoomconnect:7"]))
    assert {"contacts": {"created": 1}} == run("export", "contacts")["counts"]
    assert ["PL-1", "zoomconnect:1001"] == list(ask(lambda broker: broker.contact("PL-1")).external_ids)


def test_an_account_without_contacts_prunes_nothing(run, fake):
    """It is the wrong account, most likely."""
    add_people(fake, ("Ada", "0820000001"))
    fake.directory.add_group({"name": "Staff"})
    run("export", "--prune")
    assert (1, 1) == (len(fake.directory.contacts), len(fake.directory.groups))


@pytest.mark.parametrize("command", [["import", "--move"], ["export", "--prune"]])
def test_a_dry_run_changes_nothing_on_either_side(run, fake, ask, upstream, command):
    """It tells what would be done."""
    add_people(fake, ("Ada", "0820000001"))
    fake.directory.add_group({"name": "Staff"})
    fake.directory.add_template("Hello", "Hello")
    keep(ask, contact("Ben", "+27820000002"))
    ask(lambda broker: broker.create_group("Friends"))
    told = run(*command, "--dry-run")
    assert 1 == told["counts"]["contacts"]["created"]
    assert {"GET"} == {each.method for each in upstream.requests}
    assert (1, 1) == (len(ask(lambda broker: broker.contacts())), len(ask(lambda broker: broker.groups())))


@pytest.mark.covers("rate-limit")
def test_a_limited_rate_is_waited_for(run, fake, upstream):
    """As long as ZoomConnect asks for."""
    add_people(fake, ("Ada", "0820000001"))
    upstream.fail(Say(Answer(429, b"", {"retry-after": "0"})))
    assert {"contacts": {"created": 1}} == run("import", "contacts")["counts"]


def test_the_rate_of_a_key_is_waited_for_too(running, account, run, fake, tmp_path, ask):
    """The broker's own limit."""

    async def made():
        async with running.client() as client:
            _, secret = await client.keys.create(waypost.Role.SEND, account_id=account, calls_per_second=4)
            return secret

    add_people(fake, *((f"Ada{each}", f"082000000{each}") for each in range(4)))
    arguments = ["--config", str(tmp_path / "waypost.toml"), "--target", running.address]
    result = CliRunner().invoke(app, ["import", "contacts", *arguments, "--key", asyncio.run(made())])
    assert (0, "contacts: 4 created") == (result.exit_code, result.stdout.strip())
    assert 4 == len(ask(lambda broker: broker.contacts()))


@pytest.mark.parametrize(
    ("answer", "exit_code", "words"),
    [
        (Answer(401), 3, "credentials"),
        (Answer(500), 1, "http_500"),
        (Answer.of_json({}), 1, "no page of contacts"),
    ],
)
def test_a_list_that_cannot_be_read_ends_the_command(
    run, running, tmp_path, upstream, fake, answer, exit_code, words
):
    """With nothing changed, and no secret told."""
    upstream.fail(Say(answer))
    arguments = ["export", "--prune", "--config", str(tmp_path / "waypost.toml"), "--target", running.address]
    result = CliRunner().invoke(app, [*arguments, "--key", running.key])
    assert (exit_code, True) == (result.exit_code, words in result.stderr)
    assert [] == [each for each in ("rest-token-4711", running.key) if each in result.output]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (["import", "--key", "k", "--target", "127.0.0.1:1"], 3, "UNAVAILABLE"),
        (["import", "--key", ""], 2, "WAYPOST_KEY"),
        (["import", "--instance", "other"], 2, "[providers.other]"),
        (["export", "templates"], 2, "no call that creates one"),
    ],
)
def test_what_cannot_begin_says_why(run, fake, tmp_path, arguments, exit_code, words):
    """On standard error, with a code of its own."""
    result = CliRunner().invoke(app, [*arguments, "--config", str(tmp_path / "waypost.toml")])
    assert (exit_code, True) == (result.exit_code, words in result.stderr)


FIGURES = [
    "messageCreditCost: 2.0",
    "messageEncoding: GSM7",
    "messageLength: 161",
    "messageLengthWithinMaximumAllowed: true",
    "numberOfMessages: 2",
]


@pytest.mark.parametrize("each", [[], ["--each"]])
@pytest.mark.covers(
    *("messages.analyse.full", "messages.analyse.message-credit-cost", "messages.analyse.message-encoding"),
    *("messages.analyse.message-length", "messages.analyse.message-length-within-max-allowed"),
    *("messages.analyse.number-of-messages", "messages.analyse.message", "messages.analyse.recipientNumber"),
)
def test_zoomconnects_own_analysis_is_told(run, upstream, each):
    """All at once, or figure by figure."""
    assert FIGURES == run("analyse", "a" * 161, "--to", "+27821234567", *each).splitlines()
    assert {"+27821234567"} == {request.json["recipientNumber"] for request in upstream.requests}


@pytest.mark.covers(*(
    "messages.all",
    "messages.get",
    "messages.markRead",
    "messages.markUnread",
    "messages.delete",
))
def test_zoomconnects_own_messages_can_be_looked_at_and_marked(run, fake):
    """Replies are found, read, unread again, and deleted."""
    sent = fake.messages.send({"recipientNumber": "+27821234567", "message": "Hello"})
    reply = fake.messages.reply(sent, "Hello yourself")
    (listed,) = [json.loads(each) for each in run("messages", "list", "--inbound", "--unread").splitlines()]
    assert (reply, listed) == (listed["messageId"], json.loads(run("messages", "show", reply)))
    assert json.loads(run("messages", "mark-read", reply))["read"]
    assert not json.loads(run("messages", "mark-unread", reply))["read"]
    assert "" == run("messages", "delete", reply)
    assert fake.messages.by_id[reply]["deleted"]
    run("messages", "show", "nothing", exit_code=1)
    run("messages", "show", "../account/balance", exit_code=1)


def test_a_setting_can_come_from_the_environment(run, fake, monkeypatch):
    """As for the broker."""
    monkeypatch.setenv("WAYPOST_PROVIDERS__ZOOMCONNECT__TOKEN", "wrong")
    run("messages", "list", exit_code=3)
