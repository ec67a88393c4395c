"""Find the objects that an incident can mean, best first.

Logs name pods with hashes, owners, containers, images, namespaces or Applications, seldom all. Each name that is
given must fit; an object that fits more of them, and more exactly, comes first. Equal scores are an ambiguity, not
an answer.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from remediator.domain.incident import Subject
from remediator.gitops.images import split_image
from remediator.gitops.locate.mentions import mentions_any
from remediator.gitops.model import WORKLOADS, Application, Manifest, Match

if TYPE_CHECKING:
    from remediator.gitops.checkout import Checkout

_SAFE = "[bcdfghjklmnpqrstvwxz2456789]"
"""Letters of Kubernetes' generated names."""
_SUFFIXES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (rf"-{_SAFE}{{6,10}}-{_SAFE}{{5}}$", ("Deployment", "Rollout", "DeploymentConfig")),
    (rf"-\d{{7,10}}-{_SAFE}{{5}}$", ("CronJob",)),
    (rf"-{_SAFE}{{5}}$", ("DaemonSet", "Job", "ReplicaSet", "ReplicationController")),
    (r"-\d{1,5}$", ("StatefulSet",)),
    (rf"-{_SAFE}{{6,10}}$", ("Deployment", "Rollout")),
    (r"-\d{7,10}$", ("CronJob",)),
)
LIMIT = 200
"""Applications that are rendered at most to answer one question."""


def owners(pod: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return the (name, kinds) that a pod's (or ReplicaSet's, or Job's) name can belong to, likeliest first."""
    candidates = []
    for pattern, kinds in _SUFFIXES:
        name = re.sub(pattern, "", pod)
        if name != pod and name:
            candidates.append((name, kinds))
    return [*candidates, (pod, ("Pod",))]


def find(repo: Checkout, subject: Subject, kinds: Sequence[str] = ()) -> tuple[Match, ...]:
    """Return the objects that the subject can mean, best first."""
    criteria = _Criteria(subject, kinds)
    matches: list[Match] = []
    for app in candidates(repo, subject, criteria):
        for item in repo.objects(app):
            match = criteria.score(app, item)
            if match is not None:
                matches.append(match)
    if not matches:
        matches = list(_objects_of_absent_charts(repo, subject, criteria))
    ranked = sorted(
        matches, key=lambda match: (-match.score, match.application.name, match.manifest.kind, match.manifest.name)
    )
    return tuple(_distinct(ranked))


def candidates(repo: Checkout, subject: Subject, criteria: _Criteria) -> list[Application]:
    """Return the Applications worth rendering: by name, then namespace, then by whether their files mention the object."""
    apps = [app for app in repo.applications if _cluster_fits(repo, app, subject)]
    if subject.application:
        same_name = [app for app in apps if _is_called(app, subject.application)]
        if same_name:
            return same_name
    rated = [(criteria.plausible(repo, app), app) for app in apps]
    order = sorted((item for item in rated if item[0] > 0), key=lambda item: -item[0])
    return [app for _, app in order[:LIMIT]]


def _is_called(app: Application, name: str) -> bool:
    base = name.rpartition("/")[2]
    return app.name == base or ("*" in app.name and fnmatch.fnmatchcase(base, app.name))


def _cluster_fits(repo: Checkout, app: Application, subject: Subject) -> bool:
    """Return whether the Application can be in the subject's cluster.

    Where both clusters are known, they must be one; else a cluster of another name rules the Application out, an
    address does not, since it may be the address of the named cluster.
    """
    application_cluster, subject_cluster = repo.clusters.get(app.cluster), repo.clusters.get(subject.cluster)
    if application_cluster and subject_cluster:
        return application_cluster == subject_cluster
    if not subject.cluster or not app.cluster or "://" in app.cluster or app.cluster in ("in-cluster", "*"):
        return True
    return subject.cluster == app.cluster or subject.cluster in app.cluster or app.cluster in subject.cluster


class _Criteria:
    """The criteria that a subject sets: names with the kinds they suit, namespace, container, image."""

    def __init__(self, subject: Subject, kinds: Sequence[str]) -> None:
        self.subject = subject
        self.kinds = tuple(kinds)
        self.names: dict[str, tuple[tuple[str, ...], float]] = {}
        kind = subject.kind
        if subject.name and kind and kind not in ("Pod", "ReplicaSet", "Job", "Container", "Node"):
            self.names[subject.name] = ((kind,), 1.0)
        elif subject.name:
            self.names[subject.name] = ((kind,) if kind in ("Pod", "Job") else (), 1.0 if kind != "Pod" else 0.95)
        for pod in dict.fromkeys((subject.pod, subject.name if kind in ("", "Pod", "ReplicaSet", "Job") else "")):
            for rank, (name, suited) in enumerate(owners(pod) if pod else ()):
                self.names.setdefault(name, (suited, 0.95 - 0.02 * rank))

    def plausible(self, repo: Checkout, app: Application) -> float:
        """Rate an Application without rendering it; 0 rules it out."""
        subject = self.subject
        elsewhere = bool(
            subject.namespace and app.namespace and "*" not in app.namespace and subject.namespace != app.namespace
        )
        tokens = [_longest(name) for name in self.names]
        if elsewhere:
            tokens = [subject.namespace]
        if tokens and not mentions_any(repo, app, tokens):
            return 0.0
        score = 0.1 if elsewhere else 1.0
        score += 2.0 if subject.namespace and subject.namespace == app.namespace else 0.0
        return score + (1.0 if any(name.startswith(app.name) or app.name == name for name in self.names) else 0.0)

    def score(self, app: Application, item: Manifest) -> Match | None:
        subject = self.subject
        if self.kinds and item.kind not in self.kinds:
            return None
        rating = self._name(item, app)
        if rating is None:
            return None
        score, why = rating
        if subject.namespace:
            if item.namespace and "*" not in item.namespace and item.namespace != subject.namespace:
                return None
            if item.namespace == subject.namespace:
                score, why = score + 0.2, [*why, f"namespace {item.namespace}"]
        if subject.application:
            score, why = score + 0.2, [*why, f"Application {app.name}"]
        container = self._container(item)
        if container is None:
            return None
        score += 0.1 if container[1] else 0.0
        why += [container[1]] if container[1] else []
        return Match(app, item, container[0], round(min(score / 1.6, 1.0), 4), ", ".join(why))

    def _name(self, item: Manifest, app: Application) -> tuple[float, list[str]] | None:
        subject = self.subject
        if not self.names:
            has_criteria = subject.container or subject.image or subject.application or subject.namespace
            return (
                (0.4, [f"{item.kind} {item.name}"]) if has_criteria and item.kind in (self.kinds or WORKLOADS) else None
            )
        for name, (suited, weight) in self.names.items():
            factor = next((factor for real, factor in _known_names(item, app) if real == name), 0.0)
            fit = self._kind(item, suited)
            if factor and fit:
                return weight * factor * fit, [f"{item.kind} {item.name}"]
        return None

    def _kind(self, item: Manifest, suited: tuple[str, ...]) -> float:
        """Rate how well the object's kind fits; 0 rules it out."""
        if not suited:
            return 1.0 if item.kind in WORKLOADS or self.kinds else 0.7
        if item.kind in suited:
            return 1.0
        asks_for_kind = self.subject.kind == suited[0] and self.subject.kind != "Pod"
        return 0.0 if asks_for_kind and item.kind not in WORKLOADS else 0.6

    def _container(self, item: Manifest) -> tuple[str, str] | None:
        subject = self.subject
        containers = [
            (str(container.get("name", "")), str(container.get("image", ""))) for container, _, _ in item.containers()
        ]
        if subject.container:
            if any(name == subject.container for name, _ in containers):
                return subject.container, f"container {subject.container}"
            return None if containers else (subject.container, "")
        if subject.image:
            name, tag, _ = split_image(subject.image)
            same_image = [
                container_name
                for container_name, image in containers
                if split_image(image)[0] == name or _image_spelling(split_image(image)[0]) == _image_spelling(name)
            ]
            exact = [container_name for container_name, image in containers if split_image(image)[:2] == (name, tag)]
            if exact or same_image:
                return (exact or same_image)[0], f"image {subject.image}"
            return None if containers and not self.names else ("", "")
        return ("", "")


def _longest(name: str) -> str:
    """Return the most telling part of a name; prefixes and releases may be added elsewhere."""
    return max(re.split(r"[-.]", name), key=len)


def _image_spelling(image: str) -> str:
    """Return one spelling for Docker Hub's images, which have several."""
    return image.removeprefix("docker.io/").removeprefix("index.docker.io/").removeprefix("library/")


def _known_names(item: Manifest, app: Application) -> Iterator[tuple[str, float]]:
    """Yield the names by which an object is known: its own, and without a hash or the Application's prefix."""
    yield item.name, 1.0
    if item.kind in ("ConfigMap", "Secret") and re.search(r"-[a-z0-9]{10}$", item.name):
        yield item.name[:-11], 0.95
    if item.name.startswith(app.name + "-"):
        yield item.name[len(app.name) + 1 :], 0.7


def _objects_of_absent_charts(repo: Checkout, subject: Subject, criteria: _Criteria) -> Iterator[Match]:
    """Yield objects of charts that are not at hand: the Application is known, its objects are not."""
    applications = [app for app in repo.applications if subject.application and _is_called(app, subject.application)]
    if not applications and subject.namespace and (subject.name or subject.pod):
        applications = [
            app for app in repo.applications if app.namespace == subject.namespace and _cluster_fits(repo, app, subject)
        ]
    for app in applications:
        rendering = repo.rendering(app)
        if not any(problem.kind in ("remote", "declined") for problem in rendering.problems):
            continue
        index = next(
            (
                i
                for i, source in enumerate(app.sources)
                if rendering.types[i] in ("remote", "helm", "kustomize") and not (source.ref and not source.chart)
            ),
            0,
        )
        for name, (suited, weight) in list(criteria.names.items())[:1] or [(app.name, ((), 0.5))]:
            kind = (
                subject.kind
                if subject.kind not in ("", "Pod", "Container")
                else (suited[0] if suited else "Deployment")
            )
            fits = subject.application or name.startswith((app.name, subject.namespace))
            manifest = Manifest(
                "", kind, name, app.namespace or subject.namespace, {}, app.name, source=index, tracked="unseen"
            )
            yield Match(
                app,
                manifest,
                subject.container,
                round(0.3 * weight * (1.0 if fits else 0.5), 4),
                "its chart is not in this repository",
            )


def _distinct(matches: list[Match]) -> Iterator[Match]:
    keys = set()
    for match in matches:
        key = (match.application.key, match.manifest.identity, match.container)
        if key not in keys:
            keys.add(key)
            yield match
