"""Hypotheses from what recent commits changed in texts whose effect cannot be rendered.

Where rendering shows the effect, `roll_back` judges it by the rendered fields. Here the text itself must carry the
proof: the key fits the fault, the value went the way that brings it about, and the evidence names it or nothing else
changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import re2

from remediator.domain import quantities
from remediator.domain.yaml_paths import format_path
from remediator.gitops import Application
from remediator.judgement.hypothesis import Hypothesis
from remediator.judgement.inquiry import Inquiry
from remediator.judgement.text_changes import IMAGE_KEYS, TextChange, text_changes, together
from remediator.remedies.engine.case import Fix
from remediator.remedies.rollback.blame import distinctive_words

ACTION = "roll_back"
_SOURCE = re.compile(r"^spec\.(sources?\b|project$|destination\b|syncPolicy\b)")
_TELLING = re.compile(r"[A-Za-z].*[-._].*[A-Za-z]|\d{4}|[A-Za-z].*\d.*|[A-Za-z]{10}")
"""Words that a message does not hold by chance: names of several parts, ports, versions, long words."""
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*[A-Za-z0-9]")


def from_text_changes(inquiry: Inquiry) -> Iterator[Hypothesis]:
    """Yield one hypothesis for each value that a recent commit changed in a text of an Application that is not rendered."""
    for application in inquiry.applications:
        if inquiry.is_rendered(application) or _fails_here(inquiry, application):
            continue
        changes = list(text_changes(inquiry.repository, application, inquiry.diagnosis.first_seen))
        groups = [group for group in together(changes) if _is_own_text(application, group[0])]
        for group in groups:
            yield _hypothesis(inquiry, application, group, alone=len(groups) == 1)


def _fails_here(inquiry: Inquiry, application: Application) -> bool:
    """Return True where it does not render because of this repository, so that changes are tried against that instead."""
    return any(problem.fault for problem in inquiry.repository.problems_of(application))


def _is_own_text(application: Application, change: TextChange) -> bool:
    if change.file != application.file or application.kind != "Application":
        return True
    return _SOURCE.match(format_path(change.full_path)) is not None


def _hypothesis(
    inquiry: Inquiry, application: Application, group: tuple[TextChange, ...], *, alone: bool
) -> Hypothesis:
    first = group[0]
    difference = first.difference
    field = format_path(first.difference.path[-3:])
    old, new = difference.part or (difference.old, difference.new)
    summary = f"{field} was {difference.op}" + (f" from {old} to {new}" if difference.op == "changed" else "")
    sentence = f"{summary} by {first.commit.commit[:7]} ({first.commit.subject!r}, {first.commit.when[:10]})"
    words = _words(inquiry, group)
    return Hypothesis(
        generator="changes",
        rule=f"changed by {first.commit.commit[:7]}",
        action=ACTION,
        cause=sentence,
        fix=Fix(
            title=_title(first, field),
            reason=f"{sentence}. Its chart cannot be rendered here, so the place is matched by this change.",
            evidence=inquiry.citing(words),
            edits=tuple(change.revert() for change in reversed(group)),
            places=tuple(change.place() for change in group),
            applications=tuple(dict.fromkeys((application, *inquiry.repository.feeds.readers(first.file)))),
            parameters={"commit": first.commit.commit[:10]},
            score=0.5,
            rollback=sentence,
        ),
        words=words,
        features={
            "changed_lately": 1.0 / (1 + first.age),
            "only_change": float(alone),
            "field_fits": float(_fits(inquiry, group)),
            "field_does_not_fit": float(not _fits(inquiry, group)),
            "wrong_direction": float(_eases(inquiry, group)),
            "on_culprit": float(_names_culprit(inquiry, group)),
            "quotes_new_value": float(_quotes_new_value(inquiry, group)),
            "names_another": float(_names_another(inquiry, application, group)),
        },
    )


def _title(change: TextChange, field: str) -> str:
    difference = change.difference
    if difference.op == "added":
        return f"remove {field}, which {change.commit.commit[:7]} added"
    if difference.op == "removed":
        return f"restore {field}, which {change.commit.commit[:7]} removed"
    if difference.part:
        return f"restore {difference.part[0] or 'the lines as they were'} in {field}"
    return f"restore {field} to {difference.old}"


def _words(inquiry: Inquiry, group: tuple[TextChange, ...]) -> tuple[str, ...]:
    """Return the words by which a message could mean this change and no other."""
    subjects = [inquiry.diagnosis.subject, *(piece.subject for piece in inquiry.diagnosis.evidence)]
    identities = {
        name
        for subject in subjects
        for name in (subject.name, subject.namespace, subject.application, subject.pod, subject.container)
    }
    texts = [word for change in group for word in change.difference.words]
    tokens = [*texts, *(token for text in texts for token in _WORD.findall(text) if len(token) > 3)]
    return tuple(dict.fromkeys(distinctive_words(tokens, identities)))[:24]


def _fits(inquiry: Inquiry, group: tuple[TextChange, ...]) -> bool:
    """Return True where such a fault can come from the field, by the policy's table of fields."""
    options = inquiry.policies.actions[ACTION].options
    signals = [piece.signal for piece in inquiry.diagnosis.evidence]
    signal_names = [name for name in dict.fromkeys(signals) if name in options]
    patterns = [
        str(pattern)
        for name in (signal_names or [inquiry.diagnosis.category])
        for pattern in _listed(options.get(name))
    ]
    return any(re2.search(pattern, path) for change in group for path in _spellings(change) for pattern in patterns)


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value] if value else []


def _spellings(change: TextChange) -> Iterator[str]:
    """Yield the path as written, and as the rendered field that a values key of that name stands for."""
    path = format_path(change.full_path)
    yield path
    last = str(change.full_path[-1])
    if last in IMAGE_KEYS or last == "images" or ".images" in path:
        yield "spec.template.spec.containers[0].image"
    if re.search(r"(?i)(env|extraEnv|environment|config|args|command)\b|Overrides", path):
        yield "spec.template.spec.containers[0].env[0].value"


def _eases(inquiry: Inquiry, group: tuple[TextChange, ...]) -> bool:
    """Return True where the commit turned a quantity the way that cannot have brought the fault about."""
    category = inquiry.diagnosis.category
    for change in group:
        old, new = quantities.parse(change.difference.old), quantities.parse(change.difference.new)
        if old is None or new is None or change.difference.op != "changed":
            continue
        path = format_path(change.full_path)
        if category in ("oom", "resource_exhausted") and "limits" in path and new > old:
            return True
        if category in ("scheduling_failure", "quota_exceeded") and "requests" in path and new < old:
            return True
        if category == "probe_failure" and re.search(r"(?i)(timeout|delay|period|threshold)", path) and new > old:
            return True
    return False


def _quotes_new_value(inquiry: Inquiry, group: tuple[TextChange, ...]) -> bool:
    """Return True where the evidence says a word that the commit brought in, and that is no everyday word."""
    brought = set()
    for change in group:
        old, new = change.difference.part or (change.difference.old, change.difference.new)
        brought |= set(_WORD.findall(str(new))) - set(_WORD.findall(str(old)))
    return any(inquiry.mentions([word for word in brought if _TELLING.search(word)]))


def _names_culprit(inquiry: Inquiry, group: tuple[TextChange, ...]) -> bool:
    """Return True where a key on the way to the value bears the name of the workload or container at fault."""
    subject = inquiry.diagnosis.subject
    names = {name for name in (subject.name, subject.container) if name}
    names |= {name for _, name in inquiry.culprits}
    return any(_is_key_of(str(step), name) for change in group for step in change.full_path for name in names)


def _is_key_of(step: str, name: str) -> bool:
    """Return True where a values key means a workload: `productCatalog` for `demo-product-catalog`."""
    flat = re.sub(r"[^a-z0-9]", "", step.lower())
    parts = re.sub(r"[^a-z0-9]", "", name.lower())
    return len(flat) > 3 and parts.endswith(flat)


def _names_another(inquiry: Inquiry, application: Application, group: tuple[TextChange, ...]) -> bool:
    """Return True where the value belongs to a sibling component: its keys name one, the culprit's stand elsewhere."""
    if _names_culprit(inquiry, group):
        return False
    names = {name for _, name in inquiry.culprits} | {
        inquiry.diagnosis.subject.name,
        inquiry.diagnosis.subject.container,
    }
    text = inquiry.repository.store.read(application.file).decode("utf-8", "replace") if application.file else ""
    keys = set(re.findall(r"^\s*([A-Za-z][\w-]*):\s*$", text, re.MULTILINE))
    return any(_is_key_of(key, name) for key in keys for name in names if name and key != application.name)
