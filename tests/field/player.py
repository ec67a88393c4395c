"""A model's stand-in that knows the right change of an incident: it measures what the product does with it.

It looks at the files that it would change where the question does not show them, tries the reference, and concludes it;
where the incident is to be declined it cannot tell. It shows what the proof refuses of what is right, and no judgement.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.model.model_server import completion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.field.incident import FieldIncident
    from tests.model.model_server import Body, Reply

_FACT = re.compile(r"^([ESL]\d+) ", re.MULTILINE)
_MOST_CITES = 16
_MOST_LOOKS = 3


@dataclass
class InformedPlayer:
    """Plays one incident, over as many investigations as its log makes; `refusals` are the sentences that it got."""

    incident: FieldIncident
    edits: Sequence[dict[str, Any]]
    refusals: list[str] = field(default_factory=list)
    passed: int = 0
    """Investigations in which the right change passed the whole proof."""
    looks: Sequence[tuple[str, dict[str, Any]]] = ()
    """Calls that it makes first."""

    def __call__(self, body: Body) -> Reply:
        """Answer one request; the state of the investigation is read from its messages alone."""
        messages = body["messages"]
        question = str(messages[1]["content"])
        cites = self._cites(question)
        if self.looks and len(messages) == 2:
            return completion(body, calls=list(self.looks))
        if not self.edits or not cites:
            words = self.incident.reason or "The facts fit several causes."
            return completion(body, calls=[("cannot_tell", {"why": words[:300], "look_at": self.incident.title})])
        asked = [call["function"]["name"] for message in messages for call in message.get("tool_calls") or ()]
        answers = [str(message["content"]) for message in messages if message["role"] == "tool"]
        if "try_change" in asked:
            return self._end(body, answers[-1], cites)
        unseen = [] if "read_file" in asked else [name for name in self._files() if name not in question]
        if unseen:
            return completion(body, calls=[("read_file", {"path": name}) for name in unseen[:_MOST_LOOKS]])
        return completion(body, calls=[("try_change", {"edits": list(self.edits), "cites": cites})])

    def _files(self) -> list[str]:
        """Return the files that the right change edits and that are there already."""
        return list(dict.fromkeys(edit["file"] for edit in self.edits if "new_text" not in edit or "from_line" in edit))

    @staticmethod
    def _cites(question: str) -> list[str]:
        return list(dict.fromkeys(_FACT.findall(question)))[:_MOST_CITES]

    def _end(self, body: Body, answer: str, cites: list[str]) -> Reply:
        if proved := re.search(r"^(C\d+) passed the proof", answer, re.MULTILINE):
            self.passed += 1
            conclusion = {
                "cause": self.incident.title, "category": self.incident.categories[0],
                "severity": self.incident.severities[0], "applications": list(self.incident.applications),
                "cites": cites, "tried": [proved[1]], "confidence": 0.9, "what_would_confirm": "",
            }  # fmt: skip
            return completion(body, calls=[("conclude", conclusion)])
        self.refusals.append(answer.partition("\n(call ")[0])
        why = "The change that would end it is refused."
        return completion(body, calls=[("cannot_tell", {"why": why, "look_at": self.incident.title})])
