"""The base of all values kept in a state or passed between layers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """A frozen value: equal by content, safe to share, round-trips through a checkpoint unchanged."""

    model_config = ConfigDict(frozen=True, extra="forbid")
