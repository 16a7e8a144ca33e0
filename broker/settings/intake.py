"""What is accepted, and how much is kept."""

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
)

from broker.domain.style import BODY, STYLE_CLASSES_MAX, WRAPPER_CHARACTERS_MAX


class IntakeSettings(BaseModel):
    """What is accepted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    units_max: int = Field(default=10, ge=1, le=255, description="parts of one message")
    request_id_memory_s: float = Field(
        default=86_400.0, gt=0, le=86_400.0, description="how long a request_id is remembered"
    )
    calls_max: int = Field(default=4_000, ge=1, description="calls in progress at once")
    message_bytes_max: int = Field(default=16_777_216, ge=65_536, description="size of one request")


class DirectorySettings(BaseModel):
    """How much an account may keep in its directory."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    contacts_max: int = Field(default=5_000_000, ge=0, description="contacts of one account")
    groups_max: int = Field(default=100_000, ge=0, description="groups of one account")


class ContentSettings(BaseModel):
    """What is said."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    templates_max: int = Field(default=10_000, ge=0, description="templates of one account")
    style_classes: dict[str, str] = Field(
        default_factory=dict,
        description="wrappers of emails by name: HTML with $Body$ in it; empty: the provider knows it",
    )

    @field_validator("style_classes")
    @classmethod
    def _places_for_bodies(cls, classes: dict[str, str]) -> dict[str, str]:
        if len(classes) > STYLE_CLASSES_MAX:
            raise ValueError(f"at most {STYLE_CLASSES_MAX} classes are allowed")
        for name, wrapper in classes.items():
            if wrapper and wrapper.count(BODY) != 1:
                raise ValueError(f"{name}: must have one {BODY}, or be empty")
            if len(wrapper) > WRAPPER_CHARACTERS_MAX:
                raise ValueError(f"{name}: has at most {WRAPPER_CHARACTERS_MAX:,} characters")
        return classes
