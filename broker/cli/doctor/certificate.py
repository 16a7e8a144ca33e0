"""The TLS certificate and its key, looked at by shaking hands with ourselves in memory.

The standard library decodes a certificate only for a peer that was verified. So a client that trusts
exactly this certificate connects to a server that has it: what fails there fails for callers too, and
what passes tells its dates and names.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from broker.cli.doctor.findings import Finding, fail, ok, warn
from broker.settings import ServerSettings

DAYS_LEFT_MIN = 14
_DAY_S = 86_400.0


class CertificateUnusable(Exception):
    """The message says what is wrong with the pair."""


class _KeyIsEncrypted(Exception):
    """Nobody is there to type a passphrase."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """When it ends, in seconds since 1970 UTC, and whom it is for."""

    ends_at_s: float
    names: tuple[str, ...]


def check_tls(server: ServerSettings, now_s: float) -> Finding:
    """Whether callers will be able to connect by TLS, and for how long."""
    if server.tls_certificate is None or server.tls_key is None:
        return judge_plaintext(allowed=server.allow_plaintext)
    try:
        certificate = read_certificate(server.tls_certificate, server.tls_key)
    except CertificateUnusable as error:
        return fail("tls", str(error), "set server.tls_certificate and server.tls_key to a pair that works")
    return judge_certificate(certificate, now_s)


def judge_plaintext(*, allowed: bool) -> Finding:
    """Without TLS. Where that is too little the settings are refused already."""
    if allowed:
        return ok("tls", "not configured: server.allow_plaintext leaves it to something in front")
    return ok("tls", "not configured: only this host can connect")


def judge_certificate(certificate: Certificate, now_s: float) -> Finding:
    """By the days that it is still good for. One that has ended was refused when it was read."""
    days = int((certificate.ends_at_s - now_s) // _DAY_S)
    detail = f"{days:,} days left, for {', '.join(certificate.names) or 'no host name'}"
    if not certificate.names:
        return warn("tls", detail, "clients compare host names: give it a subjectAltName")
    if days < DAYS_LEFT_MIN:
        return warn("tls", detail, "renew the certificate; a broker that runs takes it by itself")
    return ok("tls", detail)


def read_certificate(certificate: Path, key: Path) -> Certificate:
    """Its dates and names. Raises CertificateUnusable when no caller could connect with it."""
    for path in (certificate, key):
        try:
            path.read_bytes()
        except OSError as error:
            raise CertificateUnusable(f"{path}: {error.strerror}") from error
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        serving.load_cert_chain(certificate, key, password=_refuse_to_decrypt)
    except _KeyIsEncrypted:
        raise CertificateUnusable(f"{key}: is encrypted, and the broker has no passphrase") from None
    except ssl.SSLError as error:
        raise CertificateUnusable(_why_no_pair(error, certificate, key)) from error
    calling = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    calling.check_hostname = False
    calling.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    calling.load_verify_locations(certificate)
    try:
        peer = _shake_hands(serving, calling)
    except ssl.SSLCertVerificationError as error:
        raise CertificateUnusable(f"{certificate}: {error.verify_message}") from error
    except ssl.SSLError as error:
        raise CertificateUnusable(f"{certificate}: {error}") from error
    return certificate_of(peer)


def certificate_of(peer: dict[str, object]) -> Certificate:
    """What of a decoded certificate matters here."""
    ends, names = peer["notAfter"], peer.get("subjectAltName", ())
    assert isinstance(ends, str)
    assert isinstance(names, tuple)
    return Certificate(ssl.cert_time_to_seconds(ends), tuple(str(name) for _kind, name in names))


def _shake_hands(serving: ssl.SSLContext, calling: ssl.SSLContext) -> dict[str, object]:
    """The server's certificate as a client gets it that verified it."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = serving.wrap_bio(to_server, to_client, server_side=True)
    client = calling.wrap_bio(to_client, to_server)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return dict(client.getpeercert() or {})


def _why_no_pair(error: ssl.SSLError, certificate: Path, key: Path) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"{key} is not the key of {certificate}"
    return f"{certificate} and {key} are no certificate and key in PEM"


def _refuse_to_decrypt() -> NoReturn:
    raise _KeyIsEncrypted
