"""Credit."""

from pydantic import BaseModel, ConfigDict, Field


class CreditSettings(BaseModel):
    """In what accounts pay."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    currency: str = Field(
        default="USD", pattern=r"^[A-Z]{3}$", description="ISO 4217 code of prices and credit; stays as it is"
    )
    purchase_micros_min: int = Field(
        default=5_000_000, ge=1, le=1_000_000_000_000, description="the smallest purchase, in micros"
    )
