"""The broker's TLS certificate, read again when its files change: renewing it needs no restart.

grpc core asks on a thread of its own, for every new connection, whether there is a newer one. What it gets was read
and checked before: a file that is half written, or a key that fits another certificate, changes nothing.
"""

import ssl
from pathlib import Path
from typing import NoReturn

import grpc
import structlog

from broker.spi import Clock

log = structlog.get_logger("waypost.certificates")

LOOK_EVERY_S = 2.0

_Stamp = tuple[tuple[int, int, int], ...]


class CertificateError(Exception):
    """The files cannot be served with; the message names the one and why."""


class Certificates:
    """A certificate with its key and, where clients need one of their own, the authorities that sign those.

    Raises CertificateError where they cannot be used at the start.
    """

    def __init__(self, certificate: Path, key: Path, client_ca: Path | None) -> None:
        self._certificate = certificate
        self._key = key
        self._client_ca = client_ca
        self._seen = self._stamp()
        self._current = self._read()
        self._served = self._current

    def credentials(self) -> grpc.ServerCredentials:
        """What a port is opened with; connections that come later get what is newest then."""
        return grpc.dynamic_ssl_server_credentials(
            self._current,
            self._newer,  # type: ignore[arg-type] # None is "no change", which the stubs do not know
            require_client_authentication=self._client_ca is not None,
        )

    async def run(self, clock: Clock) -> None:
        """Look for changed files, until cancelled."""
        while True:
            await clock.sleep(LOOK_EVERY_S)
            self.look()

    def look(self) -> None:
        """Read the files again if they changed; what cannot be served with is logged and not used."""
        try:
            stamp = self._stamp()
            if stamp == self._seen:
                return
            self._seen = stamp  # what is broken is told once, and looked at again when it changes
            read = self._read()
        except CertificateError as error:
            log.error("tls.reload_failed", error=str(error))
            return
        self._current = read
        log.info("tls.reloaded", path=str(self._certificate))

    def _newer(self) -> grpc.ServerCertificateConfiguration | None:
        current = self._current
        if current is self._served:
            return None
        self._served = current
        return current

    def _paths(self) -> list[Path]:
        return [each for each in (self._certificate, self._key, self._client_ca) if each is not None]

    def _stamp(self) -> _Stamp:
        try:
            return tuple(
                (each.st_ino, each.st_mtime_ns, each.st_size) for each in map(Path.stat, self._paths())
            )
        except OSError as error:
            raise CertificateError(f"{error.filename}: {error.strerror}") from error

    def _read(self) -> grpc.ServerCertificateConfiguration:
        # Should somebody write meanwhile, what is read is replaced at the next look, since the stamp is older.
        try:
            check = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            check.load_cert_chain(self._certificate, self._key, password=_refuse_to_decrypt)
            authorities = None
            if self._client_ca is not None:
                check.load_verify_locations(self._client_ca)
                authorities = self._client_ca.read_bytes()
            pair = (self._key.read_bytes(), self._certificate.read_bytes())
        except ssl.SSLError as error:
            files = " and ".join(map(str, self._paths()))
            raise CertificateError(f"{files}: {error.reason or 'no certificate with its key'}") from error
        except OSError as error:
            raise CertificateError(f"{error.filename}: {error.strerror}") from error
        return grpc.ssl_server_certificate_configuration([pair], authorities)


def _refuse_to_decrypt() -> NoReturn:
    raise CertificateError("server.tls_key: it has a passphrase, and nobody is there to type it")
