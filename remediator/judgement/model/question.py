"""The first question: what most incidents need, within a bound, the same bytes for the same incident and checkout.

Each section has a share of the bound and is cut at its end, where the least telling stands. Everything is fenced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from remediator.domain.lifecycle import RemediationPlan
from remediator.domain.yaml_paths import YamlPath, format_path, leaves
from remediator.gitops import Application
from remediator.judgement.model import recent
from remediator.judgement.model.deciders import deciding_texts
from remediator.judgement.model.facts import Fact, mentions, shown
from remediator.judgement.model.read_tools import place_lines
from remediator.judgement.model.scene import Scene
from remediator.judgement.model.texts import as_yaml, fenced, object_yaml, value_text
from remediator.judgement.relations.registry import broken
from remediator.judgement.world import Placed

MOST = 20_000
"""Bytes of the question; with the instructions and the tools' schemas fewer than 8,000 tokens, at 3.3 bytes a token or more."""
_RESERVED = ("rules", "categories")
"""Sections that are short and without which no answer is right: they are kept room for."""

_SHARES = {
    "facts": 5_500,
    "log": 4_500,
    "objects": 5_500,
    "deciders": 3_000,
    "places": 2_500,
    "applications": 2_000,
    "dependencies": 3_500,
    "changes": 4_000,
    "relations": 1_500,
    "past": 1_000,
    "rules": 1_500,
    "categories": 800,
}
"""Bytes of each section at most; what one leaves over the next ones may use, up to `MOST` together."""
_LOCATED = 8
_NEAR = 6
"""Lines of the log shown before and after one that is cited."""

_NAMING = frozenset({"labels", "matchLabels", "selector"})
"""Fields that say which pods are whose: what the facts mention of them are names."""
_FIELDS_OF = {
    "oom": ("resources",),
    "resource_exhausted": ("resources",),
    "quota_exceeded": ("resources",),
    "scheduling_failure": ("resources",),
    "probe_failure": ("startupProbe", "livenessProbe", "readinessProbe"),
    "image_pull_error": ("image",),
    "crashloop": ("command", "args"),
}
"""Fields of a container that are at fault most often, by category."""
_POD_FIELDS = ("image", "command", "args", "resources", "livenessProbe", "readinessProbe", "startupProbe")


def first_question(scene: Scene, plan: RemediationPlan, redact: Callable[[str], str], past: Sequence[str] = ()) -> str:
    """Return the question, redacted and fenced; `past` are lines on earlier incidents of this kind."""
    sections: tuple[tuple[str, str, Sequence[str] | Iterator[str]], ...] = (
        ("facts", "What was observed: id [speaker, about] text", (fact.line for fact in _facts(scene))),
        ("log", "Lines of the log near it", _log(scene)),
        ("applications", "Applications of the incident", _applications(scene)),
        ("changes", "Recent changes, newest first: file path: old → new", _changes(scene)),
        ("relations", "What cannot be right among the rendered objects", _relations(scene)),
        ("objects", "Objects that are meant, as Argo CD applies them", _objects(scene)),
        ("deciders", "What decides on them, and what the rules would change", deciding_texts(scene, plan)),
        ("places", "Where fields of them are set", _places(scene)),
        ("dependencies", "Objects round them", _dependencies(scene)),
        ("past", "Earlier incidents of this kind", past),
        ("rules", "What the rules think", _rules(scene, plan)),
        (
            "categories",
            "Categories that exist",
            [", ".join(item.id for item in scene.inquiry.policies.catalogue.categories)],
        ),
    )
    parts: dict[str, str] = {}
    left = MOST
    for name, title, lines in sorted(sections, key=lambda section: section[0] not in _RESERVED):
        text = redact(_cut(lines, min(_SHARES[name], left)))
        if text:
            parts[name] = f"## {title}\n{text}"
            left -= len(parts[name].encode())
    data = fenced("\n\n".join(parts[name] for name, _, _ in sections if name in parts))
    return f"The incident, as data:\n{data}\nInvestigate it. End with conclude or cannot_tell."


def _cut(lines: Sequence[str] | Iterator[str], most: int) -> str:
    """Return lines up to a bound of bytes, and a word where some are left out."""
    kept: list[str] = []
    size = 0
    for line in lines:
        size += len(line.encode()) + 1
        if size > most:
            return "\n".join([*kept, "… (cut for length; the tools show the rest)"]) if kept else ""
        kept.append(line)
    return "\n".join(kept)


def _facts(scene: Scene) -> Iterator[Fact]:
    """Yield what the rules cite, then what is said of the same objects, the platform first, then the rest; the same words once."""
    shown_texts: set[str] = set()
    near = {fact.about for fact in scene.facts.cited}
    names = {item.name for item in (*scene.objects, *scene.dependencies)}
    others = sorted(
        scene.facts.others,
        key=lambda fact: (
            fact.about not in near and not any(mentions(fact.line, name) for name in names),
            not fact.platform,
        ),
    )
    for fact in (*scene.facts.cited, *others):
        words = f"{fact.about} {fact.text.partition(' {')[0]}"
        if words not in shown_texts:
            shown_texts.add(words)
            yield fact


def _log(scene: Scene) -> Iterator[str]:
    """Yield the log where it is short, else lines round what the rules cite, else its end."""
    lines = [fact for fact in scene.facts.lines if len(fact.text.strip('{}[]",: ')) > 1]
    if sum(len(fact.line) + 1 for fact in lines) <= _SHARES["log"]:
        yield from (fact.line for fact in lines)
        return
    wanted = [item.text[:80] for item in scene.inquiry.diagnosis.evidence]
    hits = [index for index, fact in enumerate(lines) if any(text and text[:60] in fact.text for text in wanted)]
    shown_lines = {near for hit in hits[:12] for near in range(hit - _NEAR, hit + _NEAR + 1)}
    if not shown_lines:
        words = ("error", "fail", "warn", "fatal", "cannot", "denied", "invalid", "not found", "refused")
        graver = [i for i, fact in enumerate(lines) if any(word in fact.text.casefold() for word in words)]
        shown_lines = set(graver[-30:]) or set(range(len(lines) - 30, len(lines)))
    last = -1
    for index in sorted(shown_lines):
        if 0 <= index < len(lines):
            if index != last + 1:
                yield "…"
            yield lines[index].line
            last = index


def _own(scene: Scene) -> Sequence[Application]:
    return scene.inquiry.applications or scene.scope


def _applications(scene: Scene) -> Iterator[str]:
    if scene.inquiry.targets.doubt:
        yield f"doubt: {scene.inquiry.targets.doubt}"
    for app in _own(scene)[:4]:
        yield f"# {app.name}, written in {app.file}{f', applied by {app.parent}' if app.parent else ''}"
        spec = app.body.get("spec")
        yield from as_yaml(spec if isinstance(spec, dict) else {}).splitlines()
        yield from (f"problem: {shown(problem.message, 800)}" for problem in scene.repository.problems_of(app)[:4])
    if not scene.inquiry.applications:
        names = ", ".join(app.name for app in scene.repository.applications[:40])
        yield f"The facts name no object of the repository for sure. All Applications: {names}"


def _changes(scene: Scene) -> Iterator[str]:
    files = scene.files()
    commits, why = recent.commits_of(scene.repository, files, 6)
    yield from recent.lines_of(scene.repository, commits, files)
    if why:
        yield f"({why})"


def _relations(scene: Scene) -> Iterator[str]:
    own = {(item.kind, item.name) for item in (*scene.objects, *scene.dependencies)}
    items = sorted(broken(scene.inquiry.world), key=lambda item: (item.at.kind, item.at.name) not in own)
    for item in items:
        near = "" if (item.at.kind, item.at.name) in own else " (elsewhere)"
        yield f"{item.at.application.name}: {item.at.kind}/{item.at.name} {format_path(item.path)}{near}: {item.message}"


def _objects(scene: Scene) -> Iterator[str]:
    for item in scene.objects[:3]:
        yield f"# {item.kind} {item.name} of {item.application.name}, from {item.manifest.file or 'a chart'}"
        yield from object_yaml(item.kind, item.body, most_text=600).splitlines()


def _places(scene: Scene) -> Iterator[str]:
    """Yield where the fields are set that the facts speak of, and those that most often are at fault."""
    count = 0
    for item in scene.objects[:2]:
        for path in _fields(item, scene):
            if count >= _LOCATED:
                return
            located = scene.repository.locate(item.application, item.manifest, path)
            if located.status in ("located", "insert") and located.places:
                count += 1
                yield f"{item.kind} {item.name} {format_path(path)}:"
                yield from (f"  {line}" for line in place_lines(scene, located.places[0]))


def _fields(item: Placed, scene: Scene) -> Iterator[YamlPath]:
    """Yield paths worth locating, the mentioned ones first, each once."""
    text = scene.facts.text
    named: list[YamlPath] = []
    for path, value in leaves(item.body):
        if path[:1] in (("metadata",), ("kind",), ("apiVersion",), ("status",)) or _NAMING & set(path):
            continue
        if (
            isinstance(value, str | int)
            and not isinstance(value, bool)
            and len(str(value)) > 2
            and mentions(text, str(value))
        ):
            named.append(path)
    common = [(*base, name) for container, base, _ in item.containers() for name in _POD_FIELDS if name in container]
    faults = _FIELDS_OF.get(scene.inquiry.diagnosis.category, ())
    likely = [path for path in common if str(path[-1]) in faults]
    yield from dict.fromkeys([*likely, *named, *(path for path in common if path[-1] == "image")])


def _dependencies(scene: Scene) -> Iterator[str]:
    for item in scene.dependencies[:12]:
        yield f"# {item.kind} {item.name}{f' in {item.namespace}' if item.namespace else ''} of {item.application.name}, from {item.manifest.file or 'a chart'}"
        body = {key: value for key, value in item.body.items() if key not in ("apiVersion", "kind")}
        yield from object_yaml(item.kind, body, most_text=500).splitlines()[:60]
    for item in scene.dependencies[12:40]:
        yield f"# {item.kind} {item.name} of {item.application.name}"


def rule_id(number: int) -> str:
    """Return the id by which the model may conclude a proposal of the rules, counted from 1: it is proved already."""
    return f"R{number}"


def _rules(scene: Scene, plan: RemediationPlan) -> Iterator[str]:
    diagnosis = scene.inquiry.diagnosis
    yield f"category {diagnosis.category}, severity {diagnosis.severity}: {shown(diagnosis.summary, 300)}"
    for number, proposal in enumerate(plan.proposals, 1):
        edits = "; ".join(
            f"{edit.op} {edit.file} {format_path(edit.path)} = {value_text(edit.value, 100)}"
            for edit in proposal.edits[:4]
        )
        yield f"{rule_id(number)} ({proposal.score:.2f}, proved: it may be concluded by this id) {shown(proposal.title, 200)}: {edits}"
        yield f"   because {shown(proposal.reason, 300)}"
    if not plan.proposals:
        yield f"they propose nothing: {shown(plan.reason, 500)}"
