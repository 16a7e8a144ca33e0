"""Where the broker listens."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from broker.settings.spans import Seconds


class ServerSettings(BaseModel):
    """Where the broker listens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    listen: str = Field(default="127.0.0.1:7070", description="gRPC, host:port; port 0 picks a free one")
    http_listen: str = Field(
        default="", description="health, metrics, callbacks and short links over HTTP, host:port; empty: none"
    )
    public_url: str = Field(
        default="",
        description="what upstreams see of http_listen, as https://host/path; empty: http_listen itself",
    )
    callbacks_max: int = Field(
        default=256, ge=1, le=10_000, description="callbacks of upstreams at once, each of up to 1 MiB"
    )
    link_requests_max: int = Field(
        default=256, ge=1, le=10_000, description="requests for short links at once; more get 503"
    )
    tls_certificate: Path | None = Field(default=None, description="PEM chain; with tls_key")
    tls_key: Path | None = Field(default=None, description="PEM key; with tls_certificate")
    tls_client_ca: Path | None = Field(
        default=None, description="PEM authorities; with it clients need a certificate of one of them"
    )
    metadata_bytes_max: int = Field(
        default=16_384, ge=4_096, le=1_048_576, description="size of the metadata of one call"
    )
    connection_streams_max: int = Field(
        default=10_000, ge=1, le=1_000_000, description="calls and streams of one connection at once"
    )
    connection_age_s: float = Field(
        default=3_600.0, ge=0, le=31_536_000, description="a connection takes calls for so long; 0: for ever"
    )
    connection_idle_s: float = Field(
        default=1_800.0,
        ge=0,
        le=31_536_000,
        description="a connection without calls ends after this; 0: never",
    )
    url_sending: bool = Field(
        default=False, description="send an SMS for each request to /send-url/<URL token> over HTTP"
    )
    reflection_needs_key: bool = Field(default=False, description="answer gRPC reflection to keys alone")
    allow_plaintext: bool = Field(default=False, description="serve other hosts without TLS")
    drain_s: Seconds = Field(default=20.0, description="how long SIGTERM lets work finish")

    @field_validator("listen", "http_listen")
    @classmethod
    def _host_and_port(cls, address: str, info: ValidationInfo) -> str:
        host, _, port = address.rpartition(":")
        if (address or info.field_name == "listen") and not (host and port.isdigit() and int(port) <= 65_535):
            raise ValueError("must be host:port")
        return address

    @field_validator("public_url")
    @classmethod
    def _absolute_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and not (
            parts.scheme in {"http", "https"}
            and parts.hostname
            and parts.port != 0  # raises where it is none
            and not (parts.query or parts.fragment or parts.username or url.endswith("?"))
        ):
            raise ValueError("must be http:// or https://, a host, and at most a port and a path")
        return url.rstrip("/")
