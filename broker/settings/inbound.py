"""What comes in."""

from pydantic import BaseModel, ConfigDict, Field

from broker.domain.inbound import InboundRules


class InboundSettings(BaseModel):
    """How what people write back finds its account and the message that it answers."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    reply_window_s: float = Field(
        default=43_200.0, gt=0, le=31_536_000.0, description="how long after we wrote a text is a reply"
    )
    memory_s: float = Field(
        default=2_592_000.0,
        gt=0,
        le=31_536_000.0,
        description="how long it is remembered which account wrote to whom",
    )

    replies_per_hour_max: int = Field(
        default=5, ge=1, le=1_000, description="answers by itself between two addresses in an hour"
    )

    def rules(self, contacts_max: int) -> InboundRules:
        """These, as the domain has them; an account may have `contacts_max` contacts."""
        return InboundRules(
            window_us=round(self.reply_window_s * 1_000_000),
            memory_us=round(self.memory_s * 1_000_000),
            contacts_max=contacts_max,
        )
