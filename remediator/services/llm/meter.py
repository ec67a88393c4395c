"""The tokens of one investigation: none is sent that was not set aside."""

from __future__ import annotations

from dataclasses import dataclass

from remediator.errors import ServiceError

LEAST_ANSWER = 150
"""Tokens that the shortest useful answer takes."""
MOST_ANSWER = 8_000
"""Tokens of one answer, thinking included; a server whose context is smaller is asked without this bound."""
BELIEVED = 2_000_000
"""Tokens that one answer can have cost, by the largest context there is; a server that says more is not believed."""
_BYTES_A_TOKEN, _MOST_BYTES_A_TOKEN = 3.0, 8.0


@dataclass
class Meter:
    """Counts before a request is sent, and after it by the server's own figures where they are plausible."""

    granted: int
    used: int = 0
    sent: int = 0
    received: int = 0
    bytes_a_token: float = _BYTES_A_TOKEN
    """The bytes of a token, as the server's counts have shown so far."""

    @property
    def left(self) -> int:
        """Return the tokens that are left."""
        return self.granted - self.used

    def size(self, length: int) -> int:
        """Return the estimated tokens of so many bytes, rather too many."""
        return int(length / self.bytes_a_token * 1.05) + 1

    def begin(self, size: int) -> int:
        """Count a request before it goes; return what is left for its answer."""
        left = self.left - size
        if left < LEAST_ANSWER:
            raise ServiceError(f"{self.granted:,} tokens are spent on this incident (tokens_per_incident)")
        self.used += size
        self.sent += size
        return min(left, MOST_ANSWER)

    def end(self, size: int, length: int, answer: int, counted: tuple[int, int]) -> None:
        """Count an answer of so many bytes; a count of the server that its bytes cannot have is not believed."""
        sent, received = (count if 0 < count <= BELIEVED else 0 for count in counted)
        if sent >= length / _MOST_BYTES_A_TOKEN:
            self.used += sent - size
            self.sent += sent - size
            self.bytes_a_token = min(_MOST_BYTES_A_TOKEN, length / sent)
        estimate = int(answer / _BYTES_A_TOKEN)
        received = received if received >= answer / _MOST_BYTES_A_TOKEN else estimate
        self.used += received
        self.received += received

    def unsend(self, size: int) -> None:
        """Take back a request that reached nobody."""
        self.used -= size
        self.sent -= size

    def abandon(self, most: int) -> None:
        """Count an answer that nobody reads at the most that it may have cost: the server writes on, and bills it."""
        self.used += most
