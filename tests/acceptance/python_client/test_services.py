"""The Python client against real brokers: accounts, keys, files of recipients and broadcasts."""

from datetime import UTC, datetime, timedelta

import pytest

import waypost
from tests.acceptance.python_client.conftest import NUMBER


async def test_accounts_are_made_found_changed_and_listed(broker):
    """Each as it stands."""
    who = {"first_name": "Ada", "last_name": "Byron", "contact_number": "1234"}
    async with waypost.Client(broker.address, key=broker.key) as client:
        made = await client.accounts.create(
            **who,
            email="client@Engines.example",
            sandbox_only=True,
            policy=waypost.AccountPolicy(default_region="GB", allowed_countries=("GB",)),
        )
        below = await client.accounts.create(
            **who, email="below@engines.example", parent_account_id=made.account_id
        )
        assert ("Ada Byron", True, True) == (made.name, made.api_access, below.sandbox_only)
        assert made == await client.accounts.get(made.account_id)
        assert made == await client.accounts.find("CLIENT@engines.example")
        assert [below] == [each async for each in client.accounts.list(made.account_id)]
        changed = await client.accounts.update(
            made.account_id, company="C", api_access=False, policy=waypost.AccountPolicy()
        )
        assert ("C", False, waypost.AccountPolicy()) == (changed.company, changed.api_access, changed.policy)
        with pytest.raises(waypost.AlreadyExists):
            await client.accounts.create(**who, email="client@engines.example")
        with pytest.raises(waypost.NotFound):
            await client.accounts.find("nobody@engines.example")
        with pytest.raises(TypeError, match="email cannot be changed"):
            await client.accounts.update(made.account_id, email="x@engines.example")


async def test_a_key_is_made_used_and_revoked(broker):
    """Its secret is told once."""
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    async with waypost.Client(broker.address, key=broker.key) as client:
        key, secret = await client.keys.create(
            waypost.Role.READ, description="till", expire_time=end, calls_per_second=9
        )
        assert (waypost.Role.READ, "till", 9, end, None) == (
            key.role,
            key.description,
            key.calls_per_second,
            key.expire_time,
            key.revoke_time,
        )
        async with waypost.Client(broker.address, key=secret) as reader:
            assert key.account_id == (await reader.accounts.get()).account_id
            with pytest.raises(waypost.PermissionDenied):
                await reader.keys.create(waypost.Role.READ)
        assert key in [each async for each in client.keys.list()]
        revoked = await client.keys.revoke(key.key_id)
        assert revoked.revoke_time is not None
        assert key.key_id not in [each.key_id async for each in client.keys.list()]
        assert revoked in [each async for each in client.keys.list(include_revoked=True)]


async def parts_of(data: bytes):
    """Bytes that come bit by bit, and at last many at once."""
    yield data[:5]
    yield b""
    yield data[5:]


@pytest.mark.parametrize("kind", ["path", "bytes", "open file", "parts"])
async def test_a_file_of_recipients_comes_from_anywhere(client, tmp_path, kind) -> None:
    """In parts that the broker takes; progress tells how much was sent, up to all of it."""
    lines = [f"+447700{at:06},{'x' * 40}" for at in range(15_000)]
    data = "\n".join(["phone,name", "nobody,Eve", *lines]).encode()
    path = tmp_path / "people.csv"
    path.write_bytes(data)
    sent: list[int] = []
    with path.open("rb") as opened:
        files = {"path": path, "bytes": data, "open file": opened, "parts": parts_of(data)}
        upload = await client.broadcasts.upload(files[kind], keep_good=True, progress=sent.append)
    assert (15_000, 1, True) == (upload.recipients, upload.refused, upload.usable)
    assert sent == sorted(sent)
    assert (len(data), True) == (sent[-1], len(sent) > 1)
    assert list(upload.refused_lines) == [
        each async for each in client.broadcasts.refused_lines(upload.upload_id)
    ]


async def test_a_file_that_is_refused_says_why(client) -> None:
    """A bad line refuses all of it unless the good ones are to be kept; what is no file of recipients is an error."""
    upload = await client.broadcasts.upload(b"phone\n+447700900123\nnobody\n")
    assert (False, 0, 1) == (upload.usable, upload.recipients, upload.refused)
    with pytest.raises(waypost.InvalidArgument):
        await client.broadcasts.upload(b"name\nAda\n")


async def test_a_move_that_was_made_already_is_no_failure(client) -> None:
    """Any other one tells the state."""
    later = datetime.now(UTC) + timedelta(hours=1)
    made = await client.broadcasts.send("Hello", to=NUMBER, schedule_time=later)
    for move, state in (
        (client.broadcasts.suspend, waypost.BroadcastState.SUSPENDED),
        (client.broadcasts.stop, waypost.BroadcastState.STOPPED),
        (client.broadcasts.delete, waypost.BroadcastState.DELETED),
    ):
        assert [state] * 2 == [(await move(made.broadcast_id)).state for _ in range(2)]
    with pytest.raises(waypost.FailedPrecondition) as refused:
        await client.broadcasts.resume(made.broadcast_id)
    assert refused.value.metadata["state"] == waypost.BroadcastState.DELETED
