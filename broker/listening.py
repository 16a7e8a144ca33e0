"""Where callers come in: the gRPC server and, where asked for, the HTTP one beside it."""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import grpc

from broker.api.account_service import AccountService
from broker.api.broadcast_service import BroadcastService
from broker.api.broker_service import BrokerService
from broker.api.certificates import CertificateError, Certificates
from broker.api.consent_service import ConsentService
from broker.api.directory_service import DirectoryService
from broker.api.gate import Gate
from broker.api.health import Health
from broker.api.keyword_calls import KeywordCalls
from broker.api.message_service import MessageService
from broker.api.price_service import PriceService
from broker.api.provider_service import ProviderService
from broker.api.sender_calls import SenderCalls
from broker.api.sender_service import SenderService
from broker.api.server import ConnectionLimits, build_health, build_server
from broker.api.template_service import TemplateService
from broker.delivery.key_rates import KeyRates
from broker.delivery.upstream_usage import UpstreamAccounts
from broker.parts import Parts
from broker.settings import ServerSettings, Settings, SettingsError

LOOK_EVERY_S = 0.02
GOODBYE_S = 0.2


def check_listeners(server: ServerSettings) -> None:
    """Refuse to serve other hosts in plain text, unless that was asked for by name."""
    if (server.tls_certificate is None) != (server.tls_key is None):
        raise SettingsError("server.tls_certificate and server.tls_key are needed together")
    if server.tls_client_ca is not None and server.tls_key is None:
        raise SettingsError("server.tls_client_ca: needs server.tls_certificate and server.tls_key")
    if server.allow_plaintext:
        return
    by_name = "server.allow_plaintext where something in front of it encrypts"
    if server.tls_key is None and not _is_loopback(split_address(server.listen)[0]):
        raise SettingsError(
            f"server.listen: {server.listen} is reachable from other hosts; set server.tls_certificate and "
            f"server.tls_key, or {by_name}"
        )
    if server.http_listen and not _is_loopback(split_address(server.http_listen)[0]):
        raise SettingsError(
            f"server.http_listen: {server.http_listen} is reachable from other hosts and speaks no TLS; "
            f"set a loopback address, or {by_name}"
        )


def split_address(address: str) -> tuple[str, int]:
    """Host and port of host:port or [v6]:port."""
    host, _, port = address.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True, slots=True)
class HttpPort:
    """A port that is taken for HTTP, where nobody is answered yet."""

    listener: socket.socket
    address: str


@contextlib.contextmanager
def taken_http_port(server: ServerSettings) -> Iterator[HttpPort | None]:
    """The port for HTTP, None where none is asked for: callback addresses need it before providers start.

    Raises OSError when it cannot be had.
    """
    if not server.http_listen:
        yield None
        return
    from broker.web.server import bind

    with contextlib.closing(bind(*split_address(server.http_listen))) as listener:
        host, port = listener.getsockname()[:2]
        yield HttpPort(listener, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")


def callback_base_of(server: ServerSettings, http: HttpPort | None) -> str:
    """Where upstreams find the broker's HTTP side, "" where there is none."""
    if http is None:
        return ""
    return server.public_url or f"http://{http.address}"


@contextlib.asynccontextmanager
async def listening(settings: Settings, parts: Parts, http: HttpPort | None) -> AsyncIterator[str]:
    """Both servers, for as long as the block does; then no new calls, and those under way finish.

    Yields the address of the gRPC one.
    """
    gate = Gate(
        keys=parts.keys,
        rates=KeyRates(parts.clock),
        calls_max=settings.intake.calls_max,
        streams_max=settings.feed.subscribers_max + settings.intake.calls_max,
        metrics=parts.metrics,
    )
    health = build_health()
    async with _http(settings, parts, gate, http), _grpc(settings, parts, gate, health) as address:
        yield address


def _server(settings: Settings, parts: Parts, gate: Gate, health: Health) -> grpc.aio.Server:
    """The gRPC server with every service, which listens nowhere yet."""
    consent = ConsentService(gate=gate, consents=parts.consents, policies=parts.policies, clock=parts.clock)
    return build_server(
        gate=gate,
        broker=BrokerService(
            gate=gate,
            intake=parts.intake,
            feed=parts.feed,
            usage=parts.usage,
            consent=consent,
            clock=parts.clock,
        ),
        messages=MessageService(
            gate=gate,
            history=parts.history,
            redriver=parts.redriver,
            intake=parts.intake,
            policies=parts.policies,
            units_max=settings.intake.units_max,
        ),
        broadcasts=BroadcastService(
            gate=gate, broadcasts=parts.broadcasts, uploads=parts.uploads, clock=parts.clock
        ),
        directory=DirectoryService(gate=gate, directory=parts.directory, policies=parts.policies),
        senders=SenderService(
            senders=SenderCalls(gate=gate, senders=parts.senders),
            keywords=KeywordCalls(gate=gate, keywords=parts.keywords),
        ),
        templates=TemplateService(
            gate=gate,
            templates=parts.templates,
            policies=parts.policies,
            units_max=settings.intake.units_max,
        ),
        accounts=AccountService(
            gate=gate,
            webhooks=parts.webhooks.book,
            accounts=parts.accounts,
            identities=parts.identities,
            credit=parts.credit,
        ),
        consent=consent,
        prices=PriceService(prices=parts.prices),
        providers=ProviderService(
            registry=parts.registry,
            routes=parts.routes,
            keys=parts.keys,
            callback_url_of=parts.callbacks.url_of,
            upstreams=UpstreamAccounts(parts.registry),
            clock=parts.clock,
        ),
        health_of=health,
        limits=ConnectionLimits(
            settings.intake.message_bytes_max,
            settings.server.metadata_bytes_max,
            settings.server.connection_streams_max,
            settings.server.connection_age_s,
            settings.server.connection_idle_s,
        ),
        reflection_needs_key=settings.server.reflection_needs_key,
    )


@contextlib.asynccontextmanager
async def _grpc(settings: Settings, parts: Parts, gate: Gate, health: Health) -> AsyncIterator[str]:
    server = _server(settings, parts, gate, health)
    host, _ = split_address(settings.server.listen)
    certificates = _certificates_of(settings.server)
    try:
        port = _add_port(server, settings.server.listen, certificates)
    except RuntimeError as error:
        raise OSError(f"cannot listen on {settings.server.listen}: {error}") from error
    await server.start()
    renewing = asyncio.create_task(certificates.run(parts.clock)) if certificates else None
    try:
        yield f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    finally:
        if renewing is not None:
            renewing.cancel()
        gate.drain()
        health.close()
        parts.feed.close()
        await _stop(server, gate, settings.server.drain_s)


async def _stop(server: grpc.aio.Server, gate: Gate, drain_s: float) -> None:
    """Let the calls under way finish, and wait for nobody else.

    Core waits until each connection has answered its goodbye. A client without calls may take 5 s for
    that (Python's does), and one that hangs never answers.
    """
    stopping = asyncio.create_task(server.stop(drain_s))
    while not stopping.done() and (gate.calls.count or gate.streams.count):  # noqa: ASYNC110
        await asyncio.sleep(LOOK_EVERY_S)
    await asyncio.wait({stopping}, timeout=GOODBYE_S)  # the last answers are on their way
    await server.stop(None)
    await stopping


def _certificates_of(settings: ServerSettings) -> Certificates | None:
    """What the port is encrypted with, None for plain text. Raises SettingsError for files that cannot be used."""
    if settings.tls_key is None or settings.tls_certificate is None:
        return None
    try:
        return Certificates(settings.tls_certificate, settings.tls_key, settings.tls_client_ca)
    except CertificateError as error:
        raise SettingsError(f"server.tls_certificate: {error}") from None


def _add_port(server: grpc.aio.Server, address: str, certificates: Certificates | None) -> int:
    if certificates is None:
        return server.add_insecure_port(address)
    return server.add_secure_port(address, certificates.credentials())


@contextlib.asynccontextmanager
async def _http(settings: Settings, parts: Parts, gate: Gate, http: HttpPort | None) -> AsyncIterator[None]:
    if http is None:
        yield
        return
    # Starlette and uvicorn take a third of a second to import: only who asks for HTTP waits for them.
    from broker.web.callbacks import CallbackEndpoint
    from broker.web.links import LinkSite
    from broker.web.pages import build_web_app
    from broker.web.server import build_web_server
    from broker.web.url_sending import UrlSending

    def is_ready() -> bool:
        return not gate.draining

    callbacks = CallbackEndpoint(
        parts.callbacks, is_ready, parts.metrics, at_once_max=settings.server.callbacks_max
    )
    url_sending = None
    if settings.server.url_sending:
        url_sending = UrlSending(keys=gate.keys, rates=gate.rates, intake=parts.intake, is_ready=is_ready)
    pages = build_web_app(is_ready, parts.metrics, callbacks, url_sending)
    site = LinkSite(parts.links, pages, parts.metrics, at_once_max=settings.server.link_requests_max)
    web = build_web_server(site, stop_s_max=settings.server.drain_s)
    serving = asyncio.create_task(web.serve(sockets=[http.listener]))
    try:
        yield
    finally:
        web.should_exit = True
        await serving
        await parts.links.close()
