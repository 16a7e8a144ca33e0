"""The settings of buying credits at Group Texting. They need no HTTP."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, field_validator

from waypost_grouptexting.card import CardError, read_card
from waypost_grouptexting.settings import AccountSettings, ExistingDirectory


class GroupTextingPaymentsSettings(AccountSettings):
    """`[payments]` with type = "grouptexting"."""

    cards: Mapping[str, Path] = Field(min_length=1, max_length=100)
    credit_micros: int = Field(gt=0, description="what a credit costs, in millionths of credits.currency")
    purchases_dir: ExistingDirectory

    @field_validator("cards")
    @classmethod
    def _are_cards(cls, cards: Mapping[str, Path]) -> Mapping[str, Path]:
        for token, path in cards.items():
            try:
                read_card(path)
            except CardError as error:
                raise ValueError(f"{token}: {error}") from None
        return cards
