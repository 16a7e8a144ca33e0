"""The doctor's look at a certificate and its key. These pairs were made for this test and serve nobody."""

import ssl

import pytest

from broker.cli.doctor.certificate import (
    Certificate,
    CertificateUnusable,
    check_tls,
    judge_certificate,
    judge_plaintext,
    read_certificate,
)
from broker.cli.doctor.findings import State
from broker.settings import ServerSettings

# For waypost.test and 192.0.2.1, from 2020 to 2120.
GOOD = """-----BEGIN CERTIFICATE-----
MIIBazCCARCgAwIBAgIBATAKBggqhkjOPQQDAjAXMRUwEwYDVQQDDAx3YXlwb3N0
LnRlc3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBcxFTATBgNV
BAMMDHdheXBvc3QudGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABCrKCSZP
ykxWvFK9i4nJWX5xpFx5P/vIcNW1uyXYBLbXpSZQ0F6+wZLiPCokbrhKIYatgc9F
D3b+lorlNM3b/r6jSzBJMAkGA1UdEwQCMAAwHQYDVR0RBBYwFIIMd2F5cG9zdC50
ZXN0hwTAAAIBMB0GA1UdDgQWBBQupHeng49A+pIZkZu9AvAOg7is/zAKBggqhkjO
PQQDAgNJADBGAiEAqx3yRn/HGbTGNI0WfbPkNnOzWxINAWh2TmJ/aSNvp3UCIQDC
04roUtQjZfOMN4dFszG44dwh/oQnSz31EtjQLlPNiQ==
-----END CERTIFICATE-----
"""
# The same until 2021.
EXPIRED = """-----BEGIN CERTIFICATE-----
MIIBaTCCAQ6gAwIBAgIBAjAKBggqhkjOPQQDAjAXMRUwEwYDVQQDDAx3YXlwb3N0
LnRlc3QwHhcNMjAwMTAxMDAwMDAwWhcNMjEwMTAxMDAwMDAwWjAXMRUwEwYDVQQD
DAx3YXlwb3N0LnRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQqygkmT8pM
VrxSvYuJyVl+caRceT/7yHDVtbsl2AS216UmUNBevsGS4jwqJG64SiGGrYHPRQ92
/paK5TTN2/6+o0swSTAJBgNVHRMEAjAAMB0GA1UdEQQWMBSCDHdheXBvc3QudGVz
dIcEwAACATAdBgNVHQ4EFgQULqR3p4OPQPqSGZGbvQLwDoO4rP8wCgYIKoZIzj0E
AwIDSQAwRgIhAO1Xv25YRmKDHQmM9zTTAtUj5RGIfWHVBGv461iU+rj2AiEAnmZw
i0diTbS2jIMcDglO0hO7H+7IgUb0kivAVGGHmRY=
-----END CERTIFICATE-----
"""
KEY = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg0INsUzcdTe7wWi5s
VDbhF7A2Np6BQgOxp4gVCFCzhXGhRANCAAQqygkmT8pMVrxSvYuJyVl+caRceT/7
yHDVtbsl2AS216UmUNBevsGS4jwqJG64SiGGrYHPRQ92/paK5TTN2/6+
-----END PRIVATE KEY-----
"""
OTHER_KEY = """-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIOmpfprwM5sz7ZWpRz4dtoVhNvDbQ9wboHqdu7jN0l1GoAoGCCqGSM49
AwEHoUQDQgAEirZ2DLvwLmlZH4LTMpKnpp8IsrAGI5lit+SMJT9EQPxLKLB6iS1e
DUjqzmFMDu8OAjceIDQOmXuwSwu/GmJB3w==
-----END EC PRIVATE KEY-----
"""
ENCRYPTED_KEY = """-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,B65516612F027CB03B86BE94142B988B

ItPi+4YNwiWEoTNMXBTOFCiiNvCt5yozjzb2O2S/uoDk9wp+LShsLW35XhtH5v9I
DAowrJb/VxJqC2Ax1KI5+uNd1SifNOJlizO7MXu2ADGY2Ki5bR//t5xOp7rk2zZb
eRp8l+CTBsJVpwjFncn6tm1Qu85HrjxY/imseV/jDj0=
-----END EC PRIVATE KEY-----
"""

DAY_S = 86_400.0
END_S = ssl.cert_time_to_seconds("Jan  1 00:00:00 2120 GMT")


def pair(directory, certificate: str, key: str):
    """Both as files."""
    paths = directory / "tls.crt", directory / "tls.key"
    for path, text in zip(paths, (certificate, key), strict=True):
        path.write_text(text)
    return paths


def test_a_certificate_tells_its_end_and_its_names(tmp_path) -> None:
    """Although it is no authority's, which is what the standard library would rather decode."""
    assert Certificate(END_S, ("waypost.test", "192.0.2.1")) == read_certificate(*pair(tmp_path, GOOD, KEY))


@pytest.mark.parametrize(
    ("certificate", "key", "told"),
    [
        (EXPIRED, KEY, "tls.crt: certificate has expired"),
        (GOOD, OTHER_KEY, "tls.key is not the key of"),
        (GOOD, ENCRYPTED_KEY, "tls.key: is encrypted"),
        (GOOD, "nonsense", "are no certificate and key in PEM"),
        ("", KEY, "are no certificate and key in PEM"),
    ],
)
def test_a_pair_that_no_caller_could_connect_with_is_refused(certificate, key, told, tmp_path) -> None:
    """With the file that is to blame."""
    with pytest.raises(CertificateUnusable, match=told):
        read_certificate(*pair(tmp_path, certificate, key))


def test_a_file_that_is_not_there_is_named(tmp_path) -> None:
    """The first of the two."""
    with pytest.raises(CertificateUnusable, match=r"tls\.crt: No such file"):
        read_certificate(tmp_path / "tls.crt", tmp_path / "tls.key")


@pytest.mark.parametrize(
    ("days", "names", "state"),
    [
        (365, ("waypost.test",), State.OK),
        (14, ("waypost.test",), State.OK),
        (13.9, ("waypost.test",), State.WARN),
        (0.5, ("waypost.test",), State.WARN),
        (365, (), State.WARN),
    ],
)
def test_a_certificate_that_ends_soon_is_to_be_renewed(days, names, state) -> None:
    """In time; and one without a name is none for a client that compares names."""
    finding = judge_certificate(Certificate(days * DAY_S, names), 0.0)
    assert (state, state is State.OK) == (finding.state, not finding.advice)
    assert finding.detail.startswith(f"{int(days)} days left")


def test_the_settings_lead_to_the_pair(tmp_path) -> None:
    """Both outcomes are findings."""
    certificate, key = pair(tmp_path, GOOD, KEY)
    good = ServerSettings(tls_certificate=certificate, tls_key=key)
    bad = ServerSettings(tls_certificate=certificate, tls_key=certificate)
    assert [State.OK, State.FAIL] == [check_tls(each, END_S - 100 * DAY_S).state for each in (good, bad)]


def test_plain_text_is_told() -> None:
    """Where it is allowed for other hosts, so is why."""
    assert "only this host" in judge_plaintext(allowed=False).detail
    assert "allow_plaintext" in judge_plaintext(allowed=True).detail
    assert "only this host" in check_tls(ServerSettings(), 0.0).detail
