"""Clients that have nothing of ours but the protos, or not even those."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha import reflection_pb2

ROOT = Path(__file__).resolve().parents[2]
CLIENT_S_MAX = 60
REFLECTIONS = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")

# What a stranger would write, with protoc's own output and grpcio and nothing else.
CLIENT = """
import sys

import grpc
from google.protobuf.empty_pb2 import Empty
from waypost.v1 import broker_service_pb2_grpc, content_pb2, recipient_pb2, send_pb2, status_pb2, subscribe_pb2

address, key = sys.argv[1:]
metadata = [("authorization", "Bearer " + key)]
with grpc.insecure_channel(address) as channel:
    broker = broker_service_pb2_grpc.BrokerServiceStub(channel)
    request = send_pb2.SendRequest(
        recipients=[recipient_pb2.Recipient(phone_number="+447700900000")],
        content=content_pb2.Content(sms=content_pb2.SmsContent(text="Hello from a stranger")),
    )
    (result,) = broker.Send(request, metadata=metadata, timeout=10).results
    print(status_pb2.MessageStatus.Name(result.status))
    wish = subscribe_pb2.SubscribeRequest(
        from_beginning=Empty(), filter=subscribe_pb2.EventFilter(message_ids=[result.message_id])
    )
    for frame in broker.Subscribe(wish, metadata=metadata, timeout=30):
        for event in frame.events:
            print(status_pb2.MessageStatus.Name(event.message.status), send_pb2.__file__)
            if event.message.end:
                sys.exit(0)
"""


def run_alone(command: list[str], directory: Path, **environment: str) -> str:
    """What a command prints; it must succeed."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    finished = subprocess.run(
        command,
        cwd=directory,
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=CLIENT_S_MAX,
        check=False,
    )
    assert 0 == finished.returncode, finished.stderr
    return finished.stdout


def stubs_of_the_protos(directory: Path) -> Path:
    """Stubs that protoc makes of a copy of protos/."""
    protos = shutil.copytree(ROOT / "protos", directory / "protos")
    target = directory / "stubs"
    target.mkdir()
    sources = sorted(path.relative_to(protos).as_posix() for path in protos.rglob("*.proto"))
    outputs = [f"--python_out={target}", f"--grpc_python_out={target}"]
    run_alone([sys.executable, "-m", "grpc_tools.protoc", "--proto_path=.", *outputs, *sources], protos)
    return target


def libraries_of_others(directory: Path) -> Path:
    """A directory with grpcio and protobuf, and none of our packages."""
    site_packages = Path(grpc.__file__).resolve().parents[1]
    target = directory / "libraries"
    target.mkdir()
    for name in ("google", "grpc", "typing_extensions.py"):
        target.joinpath(name).symlink_to(site_packages / name)
    return target


def test_a_client_made_of_the_protos_alone_sends_and_follows(broker: Any, tmp_path: Path) -> None:
    """Its process has no package of ours, and still sees its message from ACCEPTED to DELIVERED."""
    stubs, libraries = stubs_of_the_protos(tmp_path), libraries_of_others(tmp_path)
    # -S leaves site-packages out, and with it the way to the real waypost package.
    printed = run_alone(
        [sys.executable, "-S", "-c", CLIENT, broker.address, broker.key],
        tmp_path,
        PYTHONPATH=os.pathsep.join([str(stubs), str(libraries)]),
    )
    sent, *followed = printed.splitlines()
    assert "MESSAGE_STATUS_ACCEPTED" == sent
    source = str(stubs / "waypost" / "v1" / "send_pb2.py")
    statuses = ["ACCEPTED", "PROCESSING", "SENT", "DELIVERED"]
    assert [f"MESSAGE_STATUS_{status} {source}" for status in statuses] == followed


class ReflectionClient:
    """Knows an address, and learns everything else over reflection; the pool is its own."""

    def __init__(self, channel: grpc.Channel, service: str) -> None:
        self._channel = channel
        # v1 and v1alpha differ in their name alone; the stubs on hand are those of v1alpha.
        self._ask = channel.stream_stream(
            f"/{service}/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )
        self._pool = DescriptorPool()
        self._known: set[str] = set()

    def ask(self, **question: str) -> reflection_pb2.ServerReflectionResponse:
        """One question, one answer."""
        request = reflection_pb2.ServerReflectionRequest(**question)
        (answer,) = self._ask(iter([request]), timeout=10)
        assert "error_response" != answer.WhichOneof("message_response"), answer
        return answer

    def services(self) -> set[str]:
        """The services there are."""
        return {service.name for service in self.ask(list_services="").list_services_response.service}

    def call(self, service: str, method: str, key: str, **fields: Any) -> Any:
        """Call a unary method with classes that are made of what reflection tells."""
        self._learn(self.ask(file_containing_symbol=service))
        described = self._pool.FindServiceByName(service).methods_by_name[method]
        request = GetMessageClass(described.input_type)(**fields)
        send = self._channel.unary_unary(
            f"/{service}/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=GetMessageClass(described.output_type).FromString,
        )
        return send(request, metadata=[("authorization", f"Bearer {key}")], timeout=10)

    def _learn(self, answer: reflection_pb2.ServerReflectionResponse) -> None:
        """Add the files to the pool, what they import before them."""
        for serialised in answer.file_descriptor_response.file_descriptor_proto:
            file = FileDescriptorProto.FromString(serialised)
            if file.name in self._known:
                continue
            self._known.add(file.name)
            for imported in file.dependency:
                if imported not in self._known:
                    self._learn(self.ask(file_by_filename=imported))
            self._pool.Add(file)


@pytest.mark.parametrize("reflection", REFLECTIONS)
def test_a_reflection_client_lists_the_services_and_sends(broker: Any, reflection: str) -> None:
    """With no proto and no stub of ours, as grpcurl would."""
    with grpc.insecure_channel(broker.address) as channel:
        client = ReflectionClient(channel, reflection)
        names = ("BrokerService", "MessageService", "DirectoryService", "TemplateService", "ProviderService")
        ours = {f"waypost.v1.{name}" for name in names}
        assert {*ours, "grpc.health.v1.Health"} <= client.services()
        answer = client.call(
            "waypost.v1.BrokerService",
            "Send",
            broker.key,
            recipients=[{"phone_number": "+447700900000"}],
            content={"sms": {"text": "Hello by reflection"}},
        )
        (result,) = answer.results
        assert "MESSAGE_STATUS_ACCEPTED" == status_name(result)
        assert "+447700900000" == result.recipient


@pytest.mark.parametrize("reflection", REFLECTIONS)
def test_every_listed_service_is_described(broker: Any, reflection: str) -> None:
    """Whatever the list names, a generic client can look up."""
    with grpc.insecure_channel(broker.address) as channel:
        client = ReflectionClient(channel, reflection)
        for service in client.services():
            files = client.ask(file_containing_symbol=service).file_descriptor_response
            assert files.file_descriptor_proto, service


def status_name(result: Any) -> str:
    """The status by the names that came with its own descriptor."""
    statuses = result.DESCRIPTOR.fields_by_name["status"].enum_type.values_by_number
    name: str = statuses[result.status].name
    return name
