"""The operator's card, with which Group Texting is paid. It is read when it is needed, and never kept or shown.

Waypost holds no card data. The card is in a file of the operator's, such as a secret of the container; a payment reads
it, sends it, and forgets it.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError


class CardError(ValueError):
    """The file holds no card. Its text names fields and rules, and quotes nothing."""


class Card(BaseModel):
    """A card and its billing address, as the file has them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first_name: SecretStr = Field(min_length=1)
    last_name: SecretStr = Field(min_length=1)
    address: SecretStr = Field(min_length=1)
    city: SecretStr = Field(min_length=1)
    state: SecretStr = Field(min_length=1)
    zip: SecretStr = Field(min_length=1)
    country: SecretStr = Field(min_length=1)
    type: Literal["MC", "Visa", "AX", "DS", "JCB"]
    number: SecretStr = Field(min_length=12, max_length=19)
    code: SecretStr = Field(min_length=3, max_length=4)
    expiry_month: SecretStr = Field(min_length=2, max_length=2)
    expiry_year: SecretStr = Field(min_length=2, max_length=2)

    def fields(self) -> Mapping[str, str]:
        """The card as Group Texting wants it."""
        return {
            "firstname": self.first_name.get_secret_value(),
            "lastname": self.last_name.get_secret_value(),
            "address": self.address.get_secret_value(),
            "city": self.city.get_secret_value(),
            "state": self.state.get_secret_value(),
            "zip": self.zip.get_secret_value(),
            "country": self.country.get_secret_value(),
            "type": self.type,
            "ccnumber": self.number.get_secret_value(),
            "cccode": self.code.get_secret_value(),
            "expm": self.expiry_month.get_secret_value(),
            "expy": self.expiry_year.get_secret_value(),
        }


def read_card(path: Path) -> Card:
    """The card in a TOML file. Raises CardError."""
    try:
        return Card.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise CardError(f"it cannot be read: {type(error).__name__}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise CardError("it is no TOML") from None
    except ValidationError as error:
        wrong = sorted({str(each["loc"][0]) for each in error.errors(include_input=False, include_url=False)})
        raise CardError(f"wrong or missing: {', '.join(wrong)}") from None
