"""The payments plugin of docs/providers.md does what the page says, against a server that does as Acme Pay would."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from broker.spi import Declined, Paid, PaymentOrder, PaymentsBackend
from broker.testing.upstream import Answer, CloseAfterBody, Request, Say, Upstream

PAGE = Path(__file__).resolve().parents[3] / "docs" / "providers.md"
ORDER = PaymentOrder("6GZV1ZTT80000", "6GZV1ZTT80001", 5_000_000, "EUR", "tok_good")


def acme_pay(request: Request) -> Answer:
    """Whole cents, with the secret; the token says the rest."""
    charge = json.loads(request.body)
    assert "Bearer pay-secret" == request.headers["authorization"]
    if charge["token"] == "tok_poor":
        return Answer(
            402, b'{"code": "poor", "text": "not enough money"}', {"content-type": "application/json"}
        )
    said = {"reference": f"{charge['id']}/{charge['cents']}/{charge['currency']}"}
    return Answer(200, json.dumps(said).encode(), {"content-type": "application/json"})


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """Acme Pay."""
    with Upstream(acme_pay) as server:
        yield server


@pytest.fixture
def backend(upstream: Upstream) -> PaymentsBackend:
    """The page's own."""
    section = PAGE.read_text(encoding="utf-8").partition("\n## Payments\n")[2]
    found = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {"__name__": "acme_pay"}
    exec(found[1], names)
    (offered,) = names["waypost_payments"]()
    assert "acme-pay" == offered.name
    with pytest.raises(ValidationError):
        offered.settings.model_validate({"url": upstream.url, "secret": "x", "misspelt": 1})
    made: PaymentsBackend = offered.create(
        offered.settings.model_validate({"url": upstream.url, "secret": "pay-secret", "timeout_s": 5})
    )
    return made


async def test_what_is_paid_names_the_purchase(backend: PaymentsBackend, upstream: Upstream) -> None:
    """The same once more gets the same answer."""
    answers = [await backend.pay(ORDER) for _ in range(2)]
    assert [Paid("6GZV1ZTT80000/500/EUR")] * 2 == answers
    assert 2 == len(upstream.requests)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"token": "tok_poor"}, Declined("poor", "not enough money")),
        ({"amount_micros": 5_000_001}, Declined("amount", "Acme Pay takes whole cents")),
    ],
)
async def test_what_is_declined_says_why(
    backend: PaymentsBackend, changes: dict[str, Any], expected: Declined
) -> None:
    """Nothing was taken."""
    fields = {name: getattr(ORDER, name) for name in PaymentOrder.__match_args__} | changes
    assert expected == await backend.pay(PaymentOrder(**fields))


@pytest.mark.parametrize("fault", [Say(Answer(500, b"{}")), CloseAfterBody()], ids=["500", "closed"])
async def test_what_nobody_knows_is_raised(backend: PaymentsBackend, upstream: Upstream, fault: Any) -> None:
    """So the same purchase is asked for again."""
    upstream.fail(fault, times=None)
    with pytest.raises(Exception):  # noqa: B017 - the broker takes any for "nobody knows"
        await backend.pay(ORDER)
