"""Spans of time, as settings give them."""

from typing import Annotated

from pydantic import Field

Seconds = Annotated[float, Field(gt=0, le=30 * 86_400)]
