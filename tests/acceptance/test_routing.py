"""Routes, draining and Explain through a real broker with three instances."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf import timestamp_pb2
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from waypost.v1 import (
    broker_service_pb2_grpc,
    content_pb2,
    explain_pb2,
    message_pb2,
    message_service_pb2,
    message_service_pb2_grpc,
    provider_pb2,
    provider_service_pb2,
    provider_service_pb2_grpc,
    recipient_pb2,
    route_pb2,
    send_pb2,
)

INSTANCES = "".join(f'[providers.{name}]\ntype = "sandbox"\n' for name in ("cheap", "good", "spare"))
BRITISH, FRENCH = "+447400123456", "+33612345678"
TABLE = [
    {"name": "uk", "provider": "spare", "prefixes": ["44"], "priority": 1},
    {"name": "uk-first", "provider": "good", "prefixes": ["44"], "cost_micros": 30_000},
    {"name": "any", "provider": "cheap"},
]


class Client:
    """The services of one broker, by an admin."""

    def __init__(self, broker: Any) -> None:
        self.broker = broker
        self._channel = grpc.insecure_channel(broker.address)
        self._metadata = [("authorization", f"Bearer {broker.key}")]
        self._services = {
            "broker": broker_service_pb2_grpc.BrokerServiceStub(self._channel),
            "messages": message_service_pb2_grpc.MessageServiceStub(self._channel),
            "providers": provider_service_pb2_grpc.ProviderServiceStub(self._channel),
        }

    def close(self) -> None:
        """Let go of the connection."""
        self._channel.close()

    def call(self, service: str, method: str, request: Any) -> Any:
        """One call."""
        return getattr(self._services[service], method)(
            request, metadata=self._metadata, timeout=10, wait_for_ready=True
        )

    def refusal(self, service: str, method: str, request: Any) -> tuple[grpc.StatusCode, str, list[str]]:
        """Code, reason and field paths of a call that fails."""
        with pytest.raises(grpc.RpcError) as refused:
            self.call(service, method, request)
        reason, fields = "", []
        for detail in rpc_status.from_call(refused.value).details:
            info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
            if detail.Unpack(info):
                reason = info.reason
            elif detail.Unpack(bad):
                fields = [each.field for each in bad.field_violations]
        return refused.value.code(), reason, fields

    def replace(self, *routes: dict[str, Any]) -> int:
        """Put routes in force; the version that they are."""
        request = provider_service_pb2.ReplaceRoutesRequest(routes=routes, expected_version=self.version())
        return self.call("providers", "ReplaceRoutes", request).table.version

    def version(self) -> int:
        """Of the routes in force."""
        listed = self.call("providers", "ListRoutes", provider_service_pb2.ListRoutesRequest())
        return listed.table.version

    def drain(self, name: str, state: int = provider_pb2.PROVIDER_STATE_DRAINED) -> provider_pb2.Provider:
        """Drain an instance, or enable it."""
        request = provider_service_pb2.UpdateProviderRequest(name=name, state=state)
        return self.call("providers", "UpdateProvider", request).provider

    def send(self, *numbers: str, **fields: Any) -> list[send_pb2.SendResult]:
        """What becomes of each number."""
        return list(self.call("broker", "Send", text_to(*numbers, **fields)).results)

    def message(self, message_id: str) -> message_pb2.Message:
        """A message as it stands."""
        request = message_service_pb2.GetMessageRequest(message_id=message_id)
        return self.call("messages", "GetMessage", request).message

    def candidates(self, number: str, **fields: Any) -> list[str]:
        """Of a message that is sent."""
        (result,) = self.send(number, **fields)
        return list(self.message(result.message_id).candidates)

    def ended(self, results: list[send_pb2.SendResult]) -> list[message_pb2.Message]:
        """The messages once all of them have ended."""
        deadline = time.monotonic() + 30
        while True:
            messages = [self.message(each.message_id) for each in results]
            if all(each.end for each in messages):
                return messages
            assert time.monotonic() < deadline, messages
            time.sleep(0.05)

    def explain(self, *numbers: str, **fields: Any) -> list[explain_pb2.Explanation]:
        """What would become of each number."""
        request = explain_pb2.ExplainRequest(request=text_to(*numbers, **fields))
        return list(self.call("broker", "Explain", request).results)


def text_to(*numbers: str, **fields: Any) -> send_pb2.SendRequest:
    content = content_pb2.Content(sms=content_pb2.SmsContent(text="Hello"))
    recipients = [recipient_pb2.Recipient(phone_number=each) for each in numbers]
    return send_pb2.SendRequest(**({"recipients": recipients, "content": content} | fields))


@pytest.fixture
def client_of() -> Iterator[Any]:
    """Clients that are closed at the end."""
    clients: list[Client] = []

    def client(broker: Any) -> Client:
        clients.append(Client(broker))
        return clients[-1]

    yield client
    for each in clients:
        each.close()


@pytest.fixture
def client(paused_broker_of_three: Any, client_of: Any) -> Client:
    """Of a broker with three instances that hands nothing over; all of them are enabled, without routes."""
    made = client_of(paused_broker_of_three)
    made.replace()
    for name in ("cheap", "good", "spare"):
        made.drain(name, provider_pb2.PROVIDER_STATE_ENABLED)
    return made


def test_routes_replace_each_other_and_messages_keep_theirs(client: Client) -> None:
    """Over a restart; the longest prefix wins, and a message that was accepted before is not planned anew."""
    (before,) = client.send(BRITISH)
    version = client.replace(*TABLE)
    assert [["good", "spare"], ["cheap"]] == [client.candidates(each) for each in (BRITISH, FRENCH)]
    (first,) = client.send(BRITISH)
    assert version + 1 == client.replace(TABLE[2])
    client.broker.restart()
    assert ["cheap"] == client.candidates(BRITISH)
    kept = [client.message(each.message_id) for each in (before, first)]
    assert [(version - 1, ["cheap", "good", "spare"]), (version, ["good", "spare"])] == [
        (each.route_version, list(each.candidates)) for each in kept
    ]
    request = provider_service_pb2.ListRoutesRequest(version=version)
    listed = client.call("providers", "ListRoutes", request)
    assert ["uk", "uk-first", "any"] == [each.name for each in listed.routes]


def test_a_table_that_breaks_a_rule_or_comes_late_changes_nothing(client: Client) -> None:
    """Each violation has its path."""
    version = client.replace(*TABLE)
    wrong = [{"name": "uk", "provider": "nobody", "prefixes": ["044"]}, {"name": "uk", "provider": "good"}]
    request = provider_service_pb2.ReplaceRoutesRequest(routes=wrong, expected_version=version)
    assert (
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_REQUEST",
        ["routes[0].provider", "routes[0].prefixes[0]", "routes[1].name"],
    ) == client.refusal("providers", "ReplaceRoutes", request)
    late = provider_service_pb2.ReplaceRoutesRequest(routes=TABLE[:1], expected_version=version - 1)
    assert (grpc.StatusCode.FAILED_PRECONDITION, "ROUTES_CHANGED", []) == client.refusal(
        "providers", "ReplaceRoutes", late
    )
    assert ["good", "spare"] == client.candidates(BRITISH)


def test_a_drained_instance_gets_nothing_new(client: Client) -> None:
    """Also after a restart; with nobody left a recipient is refused, and enabled it is as before."""
    client.replace(*TABLE)
    assert provider_pb2.PROVIDER_STATE_DRAINED == client.drain("cheap").state
    client.drain("good")
    client.broker.restart()
    assert ["spare"] == client.candidates(BRITISH)
    (refused,) = client.send(FRENCH)
    assert (8, 4) == (refused.status, refused.reason)
    listed = client.call("providers", "ListProviders", provider_service_pb2.ListProvidersRequest())
    assert [2, 2, 1] == [each.state for each in listed.providers]
    client.drain("cheap", provider_pb2.PROVIDER_STATE_ENABLED)
    assert ["cheap"] == client.candidates(FRENCH)


def test_explain_tells_what_send_does(client: Client) -> None:
    """The same candidates, units, refusals and versions; every loser has its reason, and nothing is stored."""
    version = client.replace(*TABLE)
    explained = client.explain(BRITISH, FRENCH, "12", client_reference="explained")
    sent = client.send(BRITISH, FRENCH, "12")
    assert [(each.status, each.reason, each.units, each.recipient, each.channel) for each in sent] == [
        (each.status, each.reason, each.units, each.recipient, each.channel) for each in explained
    ]
    tried = [[one.provider for one in each.candidates if one.verdict in {1, 2}] for each in explained]
    assert [list(client.message(each.message_id).candidates) for each in sent] == tried
    assert [
        ("uk-first", "good", route_pb2.ROUTE_VERDICT_CHOSEN, 30_000),
        ("uk", "spare", route_pb2.ROUTE_VERDICT_STANDBY, 0),
        ("any", "cheap", route_pb2.ROUTE_VERDICT_LESS_SPECIFIC, 0),
    ] == [(one.route, one.provider, one.verdict, one.cost_micros) for one in explained[0].candidates]
    assert [version] * 3 == [each.route_version for each in explained]
    listed = client.call("messages", "ListMessages", message_service_pb2.ListMessagesRequest())
    assert "explained" not in {each.client_reference for each in listed.messages}
    code, _, fields = client.refusal(
        "broker", "Explain", explain_pb2.ExplainRequest(request=text_to(BRITISH, provider="nobody"))
    )
    assert (grpc.StatusCode.INVALID_ARGUMENT, ["request.provider"]) == (code, fields)


def test_routes_of_the_settings_are_theirs_alone(broker_factory, client_of) -> None:
    """They are a version like others, stored once; ReplaceRoutes is refused with the reason."""
    routes = '[[routes]]\nname = "all"\nprovider = "good"\nchannels = ["sms"]\ncountries = ["gb", "FR"]\n'
    client = client_of(broker_factory("[delivery]\npaused = true\n" + routes + INSTANCES))
    client.broker.restart()
    assert [["good"], ["good"]] == [client.candidates(each) for each in (BRITISH, FRENCH)]
    listed = client.call("providers", "ListRoutes", provider_service_pb2.ListRoutesRequest())
    assert (1, True, "", ["GB", "FR"]) == (
        listed.table.version,
        listed.table.owned_by_settings,
        listed.table.key_id,
        list(listed.routes[0].countries),
    )
    request = provider_service_pb2.ReplaceRoutesRequest(routes=TABLE, expected_version=1)
    assert (grpc.StatusCode.FAILED_PRECONDITION, "ROUTES_OWNED_BY_SETTINGS", []) == client.refusal(
        "providers", "ReplaceRoutes", request
    )


def test_a_route_of_the_settings_that_breaks_a_rule_stops_the_start(tmp_path) -> None:
    """With every rule and its field."""
    path = tmp_path / "waypost.toml"
    path.write_text(INSTANCES + '[[routes]]\nname = ""\nprovider = "nobody"\nprefixes = ["x"]\n')
    ran = subprocess.run(
        [sys.executable, "-m", "broker", "serve", "--ephemeral", "--config", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert 0 != ran.returncode
    assert "Traceback" not in ran.stderr
    for field in ("routes[0].name", "routes[0].provider", "routes[0].prefixes[0]"):
        assert f"{field}: " in ran.stderr


def test_an_operator_works_from_the_command_line(client: Client, tmp_path) -> None:
    """Routes from a file and back, drained and enabled, explained."""

    def waypost(*words: str) -> tuple[int, str, str]:
        ran = subprocess.run(
            [sys.executable, "-m", "broker", *words],
            env={**client.broker.environment, "COLUMNS": "160"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return ran.returncode, ran.stdout, ran.stderr

    version = client.version()
    file = tmp_path / "routes.toml"
    file.write_text(
        '[[routes]]\nname = "uk"\nprovider = "good"\nprefixes = ["44"]\ntraffic = ["passcode"]\n'
        '[[routes]]\nname = "any"\nprovider = "cheap"\ncost_micros = 1500\n'
    )
    checked = waypost("routes", "replace", str(file), "--validate-only")
    assert (0, f"2 routes could replace version {version}\n", "") == checked
    replaced = waypost("routes", "replace", str(file))
    assert (0, f"version {version + 1} is in force: 2 routes\n", "") == replaced
    _, toml, _ = waypost("routes", "list", "--toml")
    file.write_text(toml)
    code, _, error = waypost("routes", "replace", str(file), "--expect", str(version))
    assert (1, True) == (code, "ROUTES_CHANGED" in error)
    assert 0 == waypost("routes", "replace", str(file))[0]
    assert toml == waypost("routes", "show", str(version + 2), "--toml")[1]
    table, *routes = map(json.loads, waypost("routes", "--json")[1].splitlines())
    assert (str(version + 2), ["uk", "any"]) == (
        table["table"]["version"],
        [each["route"]["name"] for each in routes],
    )
    code, shown, _ = waypost("providers", "drain", "cheap")
    assert (0, True) == (code, "drained" in shown)
    code, shown, _ = waypost("explain", BRITISH, "Hello")
    assert (1, True, True) == (code, "the provider is drained" in shown, "other traffic" in shown)
    assert 0 == waypost("providers", "enable", "cheap")[0]
    code, shown, _ = waypost("explain", BRITISH, "Hello", "--traffic", "passcode", "--json")
    (explanation,) = map(json.loads, shown.splitlines())
    assert (0, "good") == (code, explanation["candidates"][0]["provider"])


def test_messages_travel_by_their_routes(broker_factory, client_of) -> None:
    """The provider of the attempt is the chosen one, also for what was accepted before it was drained."""
    client = client_of(broker_factory(INSTANCES))
    client.replace(*TABLE)
    soon = timestamp_pb2.Timestamp()
    soon.FromMilliseconds(round((time.time() + 1.5) * 1_000))
    (waiting,) = client.send(FRENCH, schedule_time=soon)
    client.drain("cheap")
    by_route = client.send(BRITISH)
    pinned = client.send(BRITISH, provider="spare")
    ended = client.ended([*by_route, *pinned])
    assert [("good", [], 1), ("spare", [], 1)] == [
        (each.provider, list(each.candidates), each.route_version) for each in ended
    ]
    time.sleep(max(0.0, soon.ToMilliseconds() / 1_000 + 0.5 - time.time()))
    held = client.message(waiting.message_id)
    assert (0, ["cheap"]) == (held.attempts, list(held.candidates))
    client.drain("cheap", provider_pb2.PROVIDER_STATE_ENABLED)
    assert ["cheap"] == [each.provider for each in client.ended([waiting])]
