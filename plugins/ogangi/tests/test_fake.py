"""The fake is as strict as the document."""

import subprocess
import sys

import aiohttp
import pytest
from yarl import URL

from waypost_ogangi.fake import FakeOgangi
from waypost_ogangi.settings import OgangiSettings
from waypost_ogangi.signing import address

TABLE = {
    "base_url": "http://127.0.0.1",
    "instance_id": "1234",
    "user_name": "ada",
    "public_key": "PUB",
    "private_key": "PRIV",
}
FILE = b"18133210984,Hi\r\n"


def settings(**changes):
    return OgangiSettings.model_validate({**TABLE, **changes})


async def sent(upstream, url, file=FILE):
    async with (
        aiohttp.ClientSession() as session,
        session.post(URL(url, encoded=True), data={"file": file.decode()}) as answer,
    ):
        return answer.status, await answer.text()


@pytest.mark.covers("send.instanceId", "send.publicKey", "send.signature")
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"private_key": "other"}, "Invalid signature"),
        ({"signature_order": "name"}, "Invalid signature"),
        ({"public_key": "other"}, "Unknown public key"),
        ({"instance_id": "1235"}, "Unknown instance"),
    ],
    ids=str,
)
async def test_a_call_that_was_not_signed_for_this_workspace_is_refused(upstream, changes, why):
    """With 403, before anything is taken."""
    upstream.answer = fake = FakeOgangi(settings())
    asked = settings(base_url=upstream.url, **changes)
    parameters = [("instanceId", asked.instance_id)]
    url = address(asked, "tools/sendSMSByFile", parameters, {"file": FILE})
    status, text = await sent(upstream, url)
    assert (403, True) == (status, why in text)
    assert [] == fake.sent


async def test_a_signature_is_for_one_file(upstream):
    """It covers what is posted."""
    upstream.answer = FakeOgangi(settings())
    url = address(
        settings(base_url=upstream.url), "tools/sendSMSByFile", [("instanceId", "1234")], {"file": FILE}
    )
    assert 200 == (await sent(upstream, url))[0]
    assert 403 == (await sent(upstream, url, b"13056708084,Hi\r\n"))[0]


@pytest.mark.covers("answer.input", "answer.status", "answer.description", "answer.result", "message.from")
async def test_an_answer_is_as_it_is_printed(upstream):
    """No root; ids of both signs; who sent it and who gets it."""
    upstream.answer = FakeOgangi(settings(shortcode="70555"))
    url = address(
        settings(base_url=upstream.url), "tools/sendSMSByFile", [("instanceId", "1234")], {"file": FILE}
    )
    _, text = await sent(upstream, url)
    assert text.startswith(
        "<input>sendSMS</input> <status>OK</status> <description>Completed</description> <result><messages>"
        "<message> <id>-6710228708174720670</id> <carrier>carrierName</carrier> <from>70555</from> <to>18133210984</to>"
        " <text>Hi</text> <status>SENT_TO_CARRIER</status>"
    )


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_other_calls_are_not_there(upstream, method):
    """By method and by name."""
    upstream.answer = FakeOgangi(settings())
    url = f"{upstream.url}/rest/api/tools/sendSMSByFile/1234/PUB/x"
    async with aiohttp.ClientSession() as session, session.request(method, url) as answer:
        assert 404 == answer.status


def test_it_runs_by_itself_and_tells_how_to_reach_it():
    """`python -m waypost_ogangi.fake` prints the broker's table first."""
    command = [sys.executable, "-m", "waypost_ogangi.fake", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline() for _ in range(3)]
        process.terminate()
    assert ["[providers.ogangi]\n", 'type = "ogangi"\n'] == lines[:2]
    assert lines[2].startswith('base_url = "http://127.0.0.1:')
