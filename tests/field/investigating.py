"""Investigations of the field incidents by a player that knows the right change: `python -m tests.field investigate`."""

from __future__ import annotations

import json
import os
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remediator.graph.state import all_changes
from remediator.settings import Settings
from remediator.wiring import Services
from tests.field.player import InformedPlayer
from tests.field.recording import Recording, path_of
from tests.field.scoring import judge
from tests.field.typed_reference import Unwritable, reference_edits
from tests.model.model_server import Model

if TYPE_CHECKING:
    from remediator.graph.state import IncidentState
    from tests.field.incident import FieldIncident
    from tests.model.model_server import Behaviour

MOST_TOKENS = 8_000
"""The first question with the instructions and the tools' schemas."""
_BYTES_A_TOKEN, _FRAME_BYTES_A_TOKEN = 3.3, 4.3
"""Of the texts, and of the tools' schemas: the fewest that `o200k_base` showed over twenty questions."""
_POLICY = "charts: {pull: {enabled: false}}\n"
"""A chart of a registry is unseen, with a network or without."""


@dataclass(frozen=True)
class Investigated:
    """What came of one incident."""

    states: tuple[IncidentState, ...]
    """The end state of each incident that the log told of, the gravest first."""
    bodies: tuple[dict[str, Any], ...]
    """Everything that was asked, in order."""
    spent: str
    changes: dict[str, str | None]
    """Path → new text of all that is proposed, None where a file is deleted."""
    verdict: str

    @property
    def sizes(self) -> list[int]:
        """Return the estimated tokens of each request, rather too many."""
        sizes = []
        for body in self.bodies:
            words = len("\n".join(str(message["content"]) for message in body["messages"]).encode())
            frame = len(json.dumps(body, ensure_ascii=False).encode()) - words
            sizes.append(round(words / _BYTES_A_TOKEN + frame / _FRAME_BYTES_A_TOKEN))
        return sizes


def investigate(incident: FieldIncident, behaviour: Behaviour, root: Path) -> Investigated:
    """Run the whole graph over an incident, whose repository is at `root`, with this behaviour as the model."""
    inputs = tuple(str(path) for path in incident.write_inputs(root.parent / "input"))
    policy = root / ".github" / "remediator.yml"
    policy.parent.mkdir(exist_ok=True)
    policy.write_text(_POLICY, encoding="utf-8")
    with Model(behaviour) as server:
        environ = {"PATH": os.environ["PATH"], "OPENAI_MODEL": "recorded", "OPENAI_BASE_URL": server.url}
        services = Services(Settings.from_environ(environ), root, inputs, dry_run=True)
        states = tuple(services.driver.start(case).state for case in services.logs.cases())
    changes: dict[str, str | None] = {}
    for state in states:
        changes |= all_changes(state)
    return Investigated(states, tuple(server.bodies), services.spending(), changes, judge(incident, root, changes))


def play(incident: FieldIncident, *, record: bool = False) -> dict[str, Any]:
    """Let the informed player investigate one incident; return its row of figures."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "repo")
        incident.build(root)
        try:
            edits = reference_edits(incident, root)
        except Unwritable as error:
            return _row(incident, "unwritable", refusal=str(error))
        player = InformedPlayer(incident, edits, looks=looks(incident))
        recording = Recording()
        done = investigate(incident, recording.over(player), root)
    if not done.bodies:
        return _row(incident, "not asked", verdict=done.verdict)
    theirs = [proposal for state in done.states for proposal in state.get("proposals") or () if _is_models(proposal)]
    seconds = [state["second"] for state in done.states if state.get("second")]
    # Where the rules have the same change among their own, theirs is the one that is kept.
    agreed = any(second.note.startswith("It agrees") or "disagree" in second.draft for second in seconds)
    if record:
        recording.outcome = outcome_of(done)
        recording.save(path_of(incident))
    outcome = "declined" if not edits else "proposed" if player.passed and (theirs or agreed) else "refused"
    return _row(
        incident,
        outcome,
        refusal="" if player.passed else "; ".join(dict.fromkeys(player.refusals)),
        verdict=done.verdict,
        draft=next((second.draft for second in seconds if second.draft), ""),
        agreed=agreed,
        questions=len(done.states),
        requests=len(done.bodies),
        calls=sum(len(second.steps) for second in seconds),
        tokens=max(size for size, body in zip(done.sizes, done.bodies, strict=True) if len(body["messages"]) == 2),
        sent=sum(done.sizes),
    )


def looks(incident: FieldIncident) -> tuple[tuple[str, dict[str, Any]], ...]:
    """Return what the player looks at first: one in four is curious, so that the reading tools are recorded as well."""
    seeded = random.Random(incident.name)
    if seeded.randrange(4) or not incident.applications:
        return ()
    application = incident.applications[0]
    calls: list[tuple[str, dict[str, Any]]] = [
        ("search_evidence", {"text": application}), ("list_applications", {}), ("list_objects", {"application": application}),
        ("recent_changes", {"limit": 3}), ("broken_relations", {}), ("search_repository", {"text": application}),
        ("past_incidents", {"text": application}),
    ]  # fmt: skip
    return tuple(seeded.sample(calls, 2))


def outcome_of(done: Investigated) -> dict[str, Any]:
    """Return what came of an investigation, as far as a replay must show the same."""
    seconds = [state["second"] for state in done.states if state.get("second")]
    return {
        "verdict": done.verdict,
        "drafts": [second.draft for second in seconds],
        "notes": [second.note.partition("\n")[0] for second in seconds],
        "steps": [step for second in seconds for step in second.steps],
        "tokens": sum(done.sizes),
    }


def _is_models(proposal: Any) -> bool:
    return proposal.source == "model"


def _row(incident: FieldIncident, outcome: str, **more: Any) -> dict[str, Any]:
    return {"name": f"{incident.batch}/{incident.name}", "fixable": incident.fixable, "outcome": outcome, **more}


def summary(rows: list[dict[str, Any]]) -> str:
    """Return the lines of figures over the rows."""
    fixable = [row for row in rows if row["fixable"]]
    others = [row for row in rows if not row["fixable"]]
    passed = sum(row["outcome"] == "proposed" for row in fixable)
    left = sum(row.get("verdict") == "declined" for row in others)
    asked = [row for row in rows if row.get("tokens")]
    sizes = sorted(row["tokens"] for row in asked) or [0]
    sent = sorted(row["sent"] for row in asked) or [0]
    calls = sorted(row["calls"] for row in asked) or [0]
    drafts = sum(bool(row.get("draft")) for row in fixable)
    return (
        f"incidents={len(rows)} right_changes={len(fixable)} passed={passed / max(1, len(fixable)):.3f} ({passed})"
        f" fixed={sum(row.get('verdict') == 'fixed' for row in fixable) / max(1, len(fixable)):.3f}"
        f" drafts={drafts} left_alone={left}/{len(others)}\n"
        f"tokens of the first question: median {sizes[len(sizes) // 2]}, most {sizes[-1]}"
        f" (over {MOST_TOKENS}: {sum(size > MOST_TOKENS for size in sizes)}); sent in all: median"
        f" {sent[len(sent) // 2]}, most {sent[-1]}; calls: median {calls[len(calls) // 2]}, most {calls[-1]}"
    )
