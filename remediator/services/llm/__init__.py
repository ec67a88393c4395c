"""A model behind any OpenAI-compatible endpoint, as the `Analyst` port."""

from remediator.services.llm.analyst import ChatAnalyst
from remediator.services.llm.endpoint import Endpoint

__all__ = ["ChatAnalyst", "Endpoint"]
