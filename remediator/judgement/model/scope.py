"""Applications beside the incident's own that a model's change may reach, each for a reason that the facts or the repository give.

Scope only says where a change may lie; its effect is judged by the guard like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from remediator.domain.yaml_paths import leaves
from remediator.gitops import Application, Repository
from remediator.judgement.inquiry import Inquiry
from remediator.judgement.model.facts import FactBook, mentions
from remediator.judgement.world import CLUSTER_SCOPED, Placed, text_of

MOST_MENTIONED = 12
"""Applications that are in scope only because the facts name them, or their namespace or folder."""
_MOST_SEARCHED = 60
"""Applications whose texts are searched for policies and for Argo CD's own settings."""
_ARGOCD_MAPS = ("argocd-cm", "argocd-cmd-params-cm")
_ARGOCD_WORDS = re.compile(r"(?i)\bargo-?\s?cd\b|\b(?:Comparison|SyncError|ExcludedResource\w*|InvalidSpec)")
_NAMED_SPACE = re.compile(r"(?:(?:^|\s)-n|--namespace)[ =]([a-z0-9][a-z0-9-]{0,62})\b")
_QUALIFIED = re.compile(r"(?<![\w./-])([a-z0-9][a-z0-9-]{0,62})/[a-z0-9]")
_ADDRESS = re.compile(r"(?<![\w.-])([a-z0-9-]{1,63})\.([a-z0-9-]{1,63})(?=\.svc\b|[:/\s\"',)]|$)", re.MULTILINE)
"""`name.namespace`, as programs dial a Service of another namespace."""
_GOVERNING = re.compile(r"^\s*kind:\s*(?:\w*Policy|Namespace|ResourceQuota|LimitRange)\b", re.MULTILINE)
_BOUNDS = frozenset({"ResourceQuota", "LimitRange"})


def named_by_facts(repository: Repository, facts: FactBook, own: Sequence[Application] = ()) -> tuple[Application, ...]:
    """Return the Applications that the facts name: by their own name, their namespace, or the folder that they read.

    The namespace of the incident's `own` Applications stands in nearly every fact, so that it names nobody else.
    """
    spaces = named_namespaces(facts) - {app.namespace for app in own}
    named = [app for app in repository.applications if mentions(facts.text, app.name)]
    placed = [app for app in repository.applications if app.namespace in spaces or _reads_named_folder(app, facts)]
    return tuple(dict.fromkeys([*named, *placed]))


def named_namespaces(facts: FactBook) -> frozenset[str]:
    """Return the words that the facts use as a namespace: `-n x` and `x/name`."""
    return _spaces(facts.text)


@lru_cache(maxsize=8)
def _spaces(text: str) -> frozenset[str]:
    return frozenset(name for form in (_NAMED_SPACE, _QUALIFIED) for name in form.findall(text))


def _reads_named_folder(app: Application, facts: FactBook) -> bool:
    """Return whether the facts name the folder of a source; one of a single step is no name."""
    return any(
        "/" in source.path.strip("/") and source.path.strip("/") in facts.text for source in app.sources if source.path
    )


def sets_of(repository: Repository, applications: Iterable[Application], facts: FactBook) -> frozenset[tuple[str, int]]:
    """Return file and document of the ApplicationSets that make these Applications or that the facts name.

    One file that does not fit stops all Applications of a set, and the one it is about may not even be there yet.
    """
    texts = {text for app in applications if (text := _set_of(app))}
    return frozenset(
        texts | {(item.file, item.document) for item in repository.sets if mentions(facts.text, item.name)}
    )


def is_made_by(app: Application, sets: frozenset[tuple[str, int]]) -> bool:
    """Return whether one of these ApplicationSets makes the Application."""
    return _set_of(app) in sets


def _set_of(app: Application) -> tuple[str, int] | None:
    origin = app.origin
    return (origin.file, origin.document) if origin is not None and origin.kind == "generator" else None


def dialled(inquiry: Inquiry, applications: Sequence[Application]) -> Iterator[Application]:
    """Yield the Applications of the Services that the values of these Applications dial in other namespaces."""
    pairs = {pair for app in applications for pair in _ADDRESS.findall(text_of(inquiry.repository, app))}
    spaces = {namespace for _, namespace in pairs}
    for app in inquiry.repository.applications:
        if app in applications or app.namespace not in spaces:
            continue
        names = {name for name, namespace in pairs if namespace == app.namespace}
        objects = inquiry.repository.objects(app)
        is_unseen = not objects or any(item.tracked == "unseen" for item in objects)
        if any(item.kind == "Service" and item.name in names for item in objects) or (
            is_unseen and any(name.startswith(app.name) for name in names)
        ):
            yield app


def argocd_itself(repository: Repository, facts: FactBook) -> Iterator[Application]:
    """Yield the Applications that hold Argo CD's own settings, where the facts speak of Argo CD."""
    if not _ARGOCD_WORDS.search(facts.text):
        return
    for app in repository.applications[:_MOST_SEARCHED]:
        if any(source.chart == "argo-cd" for source in app.sources) or _has_settings(repository, app):
            yield app


def _has_settings(repository: Repository, app: Application) -> bool:
    text = text_of(repository, app)
    return any(name in text for name in _ARGOCD_MAPS) and any(
        item.kind == "ConfigMap" and item.name in _ARGOCD_MAPS for item in repository.objects(app)
    )


def governors(inquiry: Inquiry, meant: Sequence[Placed], facts: FactBook) -> Iterator[Placed]:
    """Yield what governs the meant objects from another Application: their Namespace, its quotas, policies that select them."""
    kinds = {"Pod", *(item.kind for item in meant)}
    own = {item.namespace for item in meant} | {inquiry.diagnosis.subject.namespace} - {""}
    labels = {pair for item in meant for pair in item.pod_labels.items()}
    for app in inquiry.repository.applications[:_MOST_SEARCHED]:
        if not _GOVERNING.search(text_of(inquiry.repository, app)):
            continue
        for manifest in inquiry.repository.objects(app):
            placed = Placed(app, manifest, "" if manifest.kind in CLUSTER_SCOPED else manifest.namespace_in(app))
            if placed in meant:
                continue
            is_policy = manifest.kind.endswith("Policy")
            if (_is_namespaces(placed, own)) or (
                is_policy and _selects(manifest.body, kinds, own | named_namespaces(facts), labels)
            ):
                yield placed


def _is_namespaces(item: Placed, spaces: set[str]) -> bool:
    """Return whether an object is one of these namespaces or bounds what runs there."""
    return item.name in spaces if item.kind == "Namespace" else item.kind in _BOUNDS and item.namespace in spaces


def _selects(body: dict[str, object], kinds: set[str], spaces: set[str], labels: set[tuple[str, str]]) -> bool:
    pairs = [(path, str(value)) for path, value in leaves(body.get("spec") or {})]
    values = {value.rpartition("/")[2] for _, value in pairs}
    resources = {f"{kind.lower()}s" for kind in kinds}
    if not values & (kinds | resources):
        return False
    return bool(values & spaces) or any((str(path[-1]), value) in labels for path, value in pairs if path)
