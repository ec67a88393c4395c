"""One investigation: its first question, the answer to each call, and its ending. It knows no model and no server."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from remediator.domain.investigation import Ending, ToolAnswer, ToolCall, ToolSpec
from remediator.domain.lifecycle import HistoryEntry, RemediationPlan
from remediator.errors import RemediatorError
from remediator.evidence import normalise
from remediator.judgement.inquiry import Inquiry
from remediator.judgement.model.conclusion import Conclusion, ConclusionMistake, concluded, untold
from remediator.judgement.model.facts import FactBook, shown
from remediator.judgement.model.outcome import Proposes, ending
from remediator.judgement.model.prompts import VERSION, system_text
from remediator.judgement.model.question import first_question, rule_id
from remediator.judgement.model.read_tools import READ_TOOLS, ToolMistake, number_of, text_of
from remediator.judgement.model.scene import Scene
from remediator.judgement.model.texts import PAGE, fenced, page
from remediator.judgement.model.tool_specs import CANNOT_TELL, CONCLUDE, TOOLS, TRY_CHANGE
from remediator.judgement.model.trial import TriedChange, describe, try_edits
from remediator.judgement.model.typed_edits import EditMistake, read_edits
from remediator.remedies.engine.unprovable import Unprovable

_MOST_ARGUMENTS = 40_000
_MOST_TRIES = 8
"""Changes that are proved in one investigation; each renders."""


@dataclass
class InvestigationSession:
    """The port `Investigation` over one incident and the checkout."""

    inquiry: Inquiry
    plan: RemediationPlan
    log: str
    redact: Callable[[str], str]
    history: Sequence[HistoryEntry] = ()
    language: str = "English"
    proposes: Proposes = "open"
    tool_calls: int = 16
    tokens: int = 60_000
    tried: dict[str, TriedChange] = field(default_factory=dict)
    conclusion: Conclusion | None = None
    _kept: list[str] = field(default_factory=list)
    """The arguments of each proved change, in order."""
    _concluded: str = ""

    @property
    def tools(self) -> tuple[ToolSpec, ...]:
        """Return the tools that may be called."""
        return TOOLS

    @cached_property
    def scene(self) -> Scene:
        """Return what the tools look at."""
        return Scene(self.inquiry, FactBook(self.inquiry.diagnosis, self.log, self.redact))

    @cached_property
    def opening(self) -> tuple[str, str]:
        """Return the instructions and the first question."""
        system = system_text(tool_calls=self.tool_calls, tokens=self.tokens, language=self.language)
        return system, first_question(self.scene, self.plan, self.redact, self._past_lines())

    @cached_property
    def key(self) -> str:
        """Return what an answer depends on, without what changes between two occurrences of the same facts."""
        facts = sorted({normalise(fact.text) for fact in self.scene.facts.cited})
        objects = [json.dumps(item.body, sort_keys=True, default=str) for item in self.scene.objects[:3]]
        rules = [proposal.title for proposal in self.plan.proposals]
        failed = [str(entry.get("action", "")) for entry in self.history if entry.get("kind") == "verified"]
        parts = [
            VERSION,
            self.language,
            self.inquiry.diagnosis.category,
            facts,
            objects,
            rules,
            *([failed] if failed else []),
        ]
        text = json.dumps(parts)
        return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]

    def call(self, call: ToolCall) -> ToolAnswer:
        """Return the answer to one call; it never raises for what a model writes."""
        arguments = _arguments(call.arguments)
        if isinstance(arguments, str):
            return ToolAnswer(text=arguments, step=f"{shown(call.name, 40)}: malformed arguments")
        try:
            answer = self._answer(call.name, arguments)
        except (ToolMistake, EditMistake, ConclusionMistake, Unprovable, RemediatorError) as mistake:
            text = shown(self.redact(str(mistake)), 1_500)
            return ToolAnswer(text=f"Refused: {text}", step=f"{_step(call.name, arguments)} → refused: {text[:120]}")
        except RecursionError:
            return ToolAnswer(text="Refused: nested too deeply", step=f"{shown(call.name, 40)}: refused")
        return answer.model_copy(update={"step": self.redact(answer.step or _step(call.name, arguments))})

    def _answer(self, name: str, arguments: Mapping[str, Any]) -> ToolAnswer:
        if name == TRY_CHANGE:
            return self._try(arguments)
        if name == CONCLUDE:
            categories = [item.id for item in self.inquiry.policies.catalogue.categories]
            rules = [rule_id(number) for number, _ in enumerate(self.plan.proposals, 1)]
            self.conclusion = concluded(arguments, self.scene.facts, [*self.tried, *rules], categories)
            self._concluded = json.dumps(arguments, sort_keys=True)
            return ToolAnswer(text="Concluded.", ended=True, step=f"conclude: {self.conclusion.cause[:160]}")
        if name == CANNOT_TELL:
            self.conclusion = untold(arguments)
            return ToolAnswer(text="Ended.", ended=True, step=f"cannot_tell: {self.conclusion.why[:160]}")
        if name == "past_incidents":
            return self._bounded(self._past(arguments))
        tool = READ_TOOLS.get(name)
        if tool is None:
            raise ToolMistake(f"there is no tool {shown(name, 40)!r}: {', '.join(spec.name for spec in TOOLS)}")
        return self._bounded(tool(self.scene, arguments))

    def _bounded(self, text: str) -> ToolAnswer:
        redacted = self.redact(text)
        return ToolAnswer(text=fenced(redacted[: PAGE + 150]))

    def _past(self, arguments: Mapping[str, Any]) -> str:
        words = text_of(arguments, "text").casefold().split()
        hits = [line for line in self._past_lines() if all(word in line.casefold() for word in words)]
        return page(hits, number_of(arguments, "page")) if hits else "Nothing earlier is known of it."

    def _past_lines(self) -> list[str]:
        """Return one line for each earlier incident, its action, its outcome and what was said."""
        return [
            f"{entry.get('at', '')} {entry.get('kind', '')} {entry.get('action', '')} {entry.get('outcome', '')}: "
            f"{shown(str(entry.get('words', '')), 300)}"
            for entry in self.history
        ]

    def _try(self, arguments: Mapping[str, Any]) -> ToolAnswer:
        if len(self.tried) >= _MOST_TRIES:
            raise ToolMistake(f"{_MOST_TRIES} changes were proved: conclude with the best of them")
        raw_cites = arguments.get("cites")
        cites = self.scene.facts.known(
            [name for name in raw_cites if isinstance(name, str)] if isinstance(raw_cites, list) else []
        )
        if not cites:
            raise ToolMistake("cites must name at least one fact that exists, such as E1 or L14")
        name = f"C{len(self.tried) + 1}"
        tried = try_edits(name, read_edits(arguments.get("edits"), self.scene), cites, self.scene)
        self.tried[name] = tried
        self._kept.append(json.dumps(arguments, sort_keys=True))
        answer = self._bounded(page(describe(tried, self.scene), 1))
        return answer.model_copy(update={"step": f"try_change {tried.proposal.title} → {name}"})

    def ending(self, model: str) -> Ending:
        """Return what the investigation comes to, redacted."""
        result = ending(self.conclusion, self.tried, self.plan, self.scene, self.proposes, shown(model, 60))
        answer = json.dumps({"tries": self._kept, "conclusion": self._concluded}) if self._concluded else ""
        kept = self.redact(answer)
        return result.model_copy(update={"note": self.redact(result.note), "answer": kept if kept == answer else ""})

    def recall(self, answer: str) -> bool:
        """Try the changes of an earlier answer again and conclude as it did; False where it no longer holds."""
        try:
            stored = json.loads(answer)
            tries, conclusion = [str(item) for item in stored["tries"]], str(stored["conclusion"])
        except (ValueError, KeyError, TypeError):
            return False
        for item in tries[:_MOST_TRIES]:
            self.call(ToolCall(id="", name=TRY_CHANGE, arguments=item))
        if len(self.tried) != len(tries):
            self.tried.clear()
            self._kept.clear()
            return False
        return self.call(ToolCall(id="", name=CONCLUDE, arguments=conclusion)).ended


def _arguments(text: str) -> Mapping[str, Any] | str:
    """Return a call's arguments, or the sentence that says why they are none."""
    if len(text) > _MOST_ARGUMENTS:
        return f"Refused: {len(text):,} characters of arguments are too many"
    try:
        arguments = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        return f"Refused: the arguments are no JSON ({shown(str(error), 120)})"
    return arguments if isinstance(arguments, dict) else "Refused: the arguments must be one JSON object"


def _step(name: str, arguments: Mapping[str, Any]) -> str:
    told = ", ".join(
        f"{key}={shown(str(value), 60)}"
        for key, value in arguments.items()
        if isinstance(value, str | int) and value != ""
    )
    return f"{shown(name, 40)}({shown(told, 160)})"
