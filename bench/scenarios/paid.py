"""Send and SendStream by a customer's key, with prices and credit, beside the broker's own account that pays nothing."""

from collections.abc import Sequence
from dataclasses import replace

import grpc.aio

from bench.measure import Line, Run, interleave
from bench.stage import Server, Stage
from waypost.v1 import (
    account_pb2,
    account_service_pb2,
    account_service_pb2_grpc,
    api_key_pb2,
    price_pb2,
    price_service_pb2,
    price_service_pb2_grpc,
)

CREDIT_MICROS = 10**12
"""Enough for whatever is sent meanwhile."""

TOKEN = "bench"  # noqa: S105 - the sandbox takes any

RULES = (
    price_service_pb2.PriceRule(price=price_pb2.Price(amount_micros=50_000)),
    price_service_pb2.PriceRule(countries=["GB"], price=price_pb2.Price(amount_micros=40_000)),
    price_service_pb2.PriceRule(prefixes=["4477"], price=price_pb2.Price(amount_micros=35_000)),
)


async def measure(stage: Stage) -> Sequence[Line]:
    """Calls and messages a second."""
    seconds = stage.scale.seconds
    async with stage.broker(stage.new_data_dir()) as free, stage.broker(stage.new_data_dir()) as broker:
        paying = replace(broker, key=await _customer(broker))

        async def free_sends(share: float) -> Run:
            return (await stage.calls(free, seconds * share))[0]

        async def paid_sends(share: float) -> Run:
            return (await stage.calls(paying, seconds * share))[0]

        async def free_frames(share: float) -> Run:
            return (await stage.frames(free, seconds * share))[0]

        async def paid_frames(share: float) -> Run:
            return (await stage.frames(paying, seconds * share))[0]

        sends = await interleave(stage.scale.rounds, free_sends, paid_sends)
        frames = await interleave(stage.scale.rounds, free_frames, paid_frames)
    return [
        Line("paid", "Send by who pays, 64 at a time", "calls/s", sends[1], "free of charge", sends[0]),
        Line("paid", "SendStream by who pays", "messages/s", frames[1], "free of charge", frames[0]),
    ]


async def _customer(broker: Server) -> str:
    """The key of an account that pays, and has the credit for it."""
    metadata = (("authorization", f"Bearer {broker.key}"),)
    async with grpc.aio.insecure_channel(broker.address) as channel:
        prices = price_service_pb2_grpc.PriceServiceStub(channel)
        table = (await prices.ListPrices(price_service_pb2.ListPricesRequest(), metadata=metadata)).table
        asked = price_service_pb2.ReplacePricesRequest(prices=RULES, expected_version=table.version)
        await prices.ReplacePrices(asked, metadata=metadata)
        accounts = account_service_pb2_grpc.AccountServiceStub(channel)
        account = account_pb2.Account(
            first_name="Ada",
            last_name="Lovelace",
            email="ada@example.org",
            contact_number="+442079460000",
            policy=account_pb2.AccountPolicy(enforce_credit=True),
        )
        new = account_service_pb2.CreateAccountRequest(account=account)
        account_id = (await accounts.CreateAccount(new, metadata=metadata)).account.account_id
        purchase = account_service_pb2.PurchaseCreditsRequest(
            request_id="bench", account_id=account_id, amount_micros=CREDIT_MICROS, payment_token=TOKEN
        )
        await accounts.PurchaseCredits(purchase, metadata=metadata)
        key = account_service_pb2.CreateApiKeyRequest(account_id=account_id, role=api_key_pb2.ROLE_SEND)
        return str((await accounts.CreateApiKey(key, metadata=metadata)).secret)
