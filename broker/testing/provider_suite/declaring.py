"""Cases of what a provider declares: its type, its capabilities, its settings."""

import re
from typing import Any, get_args

import pytest
from pydantic import BaseModel, SecretBytes, SecretStr, ValidationError

from broker.spi import Channel, Idempotency, IdSpelling, Provider, ReceiptMode, TextProfile
from broker.testing.provider_suite.asked import Asked
from broker.testing.provider_suite.case import case

NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
SECRET_NAME = re.compile(
    r"(^|_)(password|passwd|secret|token|credentials?|(api|access|private|signing|partner|auth)_?key)$",
    re.IGNORECASE,
)


class DeclaringCases(Asked):
    """What the broker reads before anything is sent."""

    def test_the_type_has_a_plain_name_and_channels(self) -> None:
        """It stands in settings files and metrics: lower case letters, digits, hyphens."""
        assert NAME.fullmatch(self.provider_type.name), self.provider_type.name
        assert self.provider_type.channels
        assert all(isinstance(each, Channel) for each in self.provider_type.channels)
        assert issubclass(self.provider_type.settings, BaseModel)

    @case
    async def test_capabilities_never_change(self) -> None:
        """The broker reads them once: they are the same when built, started, used and stopped."""
        at_first = self.built().capabilities
        async with self.whole_upstream() as (running, _):
            assert at_first == running.provider.capabilities
            await running.submit(self.message())
            assert at_first == running.provider.capabilities
            await running.stop()
            assert at_first == running.provider.capabilities

    def test_capabilities_are_of_their_types(self) -> None:
        """A batch holds at least one message."""
        found = self.built().capabilities
        assert type(found.batch_max) is int
        assert found.batch_max >= 1
        assert isinstance(found.receipts, ReceiptMode)
        assert isinstance(found.idempotency, Idempotency)
        assert isinstance(found.text_profile, TextProfile)
        assert isinstance(found.receipt_ids, IdSpelling)
        flags = (
            found.query,
            found.callback,
            found.opt_in,
            found.balance,
            found.usage,
            found.senders,
            found.broadcast,
        )
        assert {type(each) for each in flags} == {bool}

    def test_an_instance_serves_channels_of_its_type(self) -> None:
        """Settings may narrow what the type can do, and not widen it."""
        channels = self.built().capabilities.channels
        assert isinstance(channels, frozenset)
        assert channels
        assert channels <= self.provider_type.channels

    def test_content_names_fields_of_the_protos(self) -> None:
        """As "sms.text", and only of channels that it serves; a misspelt field would never be routed."""
        found = self.built().capabilities
        if found.content is None:
            return
        assert isinstance(found.content, frozenset)
        assert set() == set(found.content) - vocabulary(found.channels)

    def test_what_is_declared_is_there(self) -> None:
        """Each flag needs its methods; POLL and QUERY need `query`."""
        found, kind = self.built().capabilities, type(self.built())
        assert not found.query or kind.query is not Provider.query, "query is declared and not written"
        assert not found.callback or kind.callback is not Provider.callback, (
            "callback is declared and not written"
        )
        assert not found.opt_in or Provider.set_opt_in is not kind.set_opt_in, (
            "opt_in is declared and not written"
        )
        assert not found.opt_in or Provider.get_opt_in is not kind.get_opt_in, (
            "opt_in is declared and not written"
        )
        assert not found.balance or kind.balance is not Provider.balance, (
            "balance is declared and not written"
        )
        assert not found.usage or kind.usage is not Provider.usage, "usage is declared and not written"
        for name in ("check_keyword", "rent_keyword", "set_up_keyword"):
            assert found.keywords is None or getattr(kind, name) is not getattr(Provider, name), (
                f"keywords is declared and {name} is not written"
            )
        assert not found.senders or kind.senders is not Provider.senders, (
            "senders is declared and not written"
        )
        for call in ("create", "get", "suspend", "resume", "stop", "delete"):
            written = getattr(kind, f"broadcast_{call}") is not getattr(Provider, f"broadcast_{call}")
            assert written or not found.broadcast, f"broadcast is declared and broadcast_{call} not written"
        assert type(found.broadcast_recipients_max) is int
        assert found.broadcast_recipients_max >= 1
        assert found.query or found.receipts is not ReceiptMode.POLL, "receipts are polled by query"
        assert found.query or found.idempotency is not Idempotency.QUERY

    def test_an_unknown_setting_is_refused_by_name(self) -> None:
        """A misspelt setting must not be ignored: `extra="forbid"`."""
        assert "misspelt_setting" in refused_fields(self, {"misspelt_setting": 1})

    def test_a_setting_of_the_wrong_type_is_refused_by_name(self) -> None:
        """Whatever the field, nothing can be made of an object that no settings file can hold."""
        for name, field in self.provider_type.settings.model_fields.items():
            if field.annotation is not Any:
                assert (field.alias or name) in refused_fields(self, {field.alias or name: object()})

    def test_a_missing_setting_is_refused_by_name(self) -> None:
        """Rather than found out with the first message."""
        for name, field in self.provider_type.settings.model_fields.items():
            if field.is_required():
                assert (field.alias or name) in refused_fields(self, {}, without=field.alias or name)

    def test_secrets_are_secret(self) -> None:
        """A field that is called a password, a token or a key is a `SecretStr`: no log or traceback shows it."""
        shown = [
            name
            for name, field in self.provider_type.settings.model_fields.items()
            if SECRET_NAME.search(name) and not _is_secret(field.annotation)
        ]
        assert [] == shown, "these should be SecretStr"

    def test_a_refused_setting_does_not_show_secrets(self) -> None:
        """The message of a refusal goes to a terminal and a log."""
        secrets = secrets_of(self.provider_type.settings.model_validate(self.settings("http://127.0.0.1:9")))
        if not secrets:
            pytest.skip("the settings hold no secrets")
        try:
            self.provider_type.settings.model_validate({**self.settings(""), "misspelt_setting": 1})
        except ValidationError as error:
            told = "\n".join(f"{each['loc']} {each['msg']}" for each in error.errors(include_input=False))
            assert [] == [secret for secret in secrets if secret in told]


def refused_fields(asked: Asked, changes: dict[str, Any], without: str = "") -> set[str]:
    """The fields that a changed table is refused for."""
    table = {**asked.settings("http://127.0.0.1:9"), **changes}
    table.pop(without, None)
    try:
        asked.provider_type.settings.model_validate(table)
    except ValidationError as error:
        return {str(each["loc"][0]) for each in error.errors() if each["loc"]}
    return set()


def vocabulary(channels: frozenset[Channel]) -> set[str]:
    """The fields of the channels' content, as the protos name them."""
    from waypost.v1 import content_pb2

    fields = content_pb2.Content.DESCRIPTOR.fields_by_name
    return {
        f"{channel.name.lower()}.{field.name}"
        for channel in channels
        for field in fields[channel.name.lower()].message_type.fields
    }


def secrets_of(settings: object) -> set[str]:
    """Every secret in a settings model, however deep."""
    if isinstance(settings, SecretStr | SecretBytes):
        value = settings.get_secret_value()
        return {value if isinstance(value, str) else value.decode(errors="replace")} - {""}
    if isinstance(settings, BaseModel):
        return set().union(*(secrets_of(getattr(settings, name)) for name in type(settings).model_fields))
    if isinstance(settings, dict):
        return set().union(*(secrets_of(each) for each in settings.values()))
    if isinstance(settings, list | tuple | set | frozenset):
        return set().union(*(secrets_of(each) for each in settings))
    return set()


def _is_secret(annotation: Any) -> bool:
    if isinstance(annotation, type):
        return not issubclass(annotation, str | bytes)
    return all(_is_secret(each) for each in get_args(annotation))
