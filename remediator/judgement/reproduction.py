"""A failure of rendering that shows here as it does in the cluster, so that each change can be tried against it.

A chart that is refused by its schema, a template that fails, a generator without a key: the checkout shows the same
failure when it is rendered. What makes it disappear is right for a reason that no message has to give.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from remediator.domain.incident import Diagnosis
from remediator.domain.text import contains_word
from remediator.gitops import Application, Problem, Repository

_RENDERED = frozenset({"sync_error", "config_error", "unknown"})
"""Categories whose incidents can be failures of rendering."""
_FAULTS = frozenset({"render", "generator", "missing-file", "missing-path"})
_RELEASE = re.compile(r"--(?:name-template|release-name)[ =](\S+)")
_FILES = re.compile(r"[\w./$-]*[\w-]+\.(?:ya?ml|json|toml)\b")
_WORDS = re.compile(r"[A-Za-z0-9_-]{3,}")
_SHARED = 0.7
"""Share of a message's words that a report of the same failure repeats; paths and names of folders differ."""
MOST_APPLICATIONS = 60
"""Applications that are rendered to find the one that fails."""


@dataclass(frozen=True)
class Reproduction:
    """A failure that shows here, which can be looked for again after a change."""

    repository: Repository
    application: Application | None
    """The Application that does not render; None for a text that generates Applications."""
    problem: Problem

    @property
    def message(self) -> str:
        """Return what the renderer says."""
        return self.problem.message

    def is_gone(self, after: Repository) -> bool:
        """Return True where the changed repository renders what failed, and nothing else fails anew."""
        if set(after.problems) - set(self.repository.problems):
            return False
        if self.application is None:
            return self.problem not in after.problems
        application = after.application(self.application.name)
        if application is None or any(problem.fault for problem in after.problems_of(application)):
            return False
        return bool(after.objects(application))

    @cached_property
    def files(self) -> tuple[str, ...]:
        """Return the files that can hold the cause: what the Application reads, or every YAML file for a generator."""
        if self.application is not None:
            return tuple(dict.fromkeys((self.application.file, *self.repository.files_of(self.application))))
        return tuple(name for name in self.repository.store.names if name.endswith((".yaml", ".yml", ".json")))


def reproductions(
    diagnosis: Diagnosis, repository: Repository, applications: tuple[Application, ...]
) -> Iterator[Reproduction]:
    """Yield the failures of rendering that this incident can be: of its own Applications, else of those its evidence names."""
    if diagnosis.category not in _RENDERED:
        return
    text = " ".join(piece.text for piece in diagnosis.evidence)
    for application in applications or tuple(_named(diagnosis, repository)):
        for problem in repository.problems_of(application):
            if problem.kind in _FAULTS and _is_reported(problem, text):
                yield Reproduction(repository, application, problem)
                break
    for problem in repository.problems:
        if problem.kind == "generator" and _says_the_same(problem.message, text):
            yield Reproduction(repository, None, problem)


_FAILED_RENDERING = re.compile(r"\b(?:helm template|kustomize build)\b[^`\n]{0,2000}`? failed exit status")
_OF_CLUSTER = re.compile(
    r"(?i)kubeVersion|incompatible with Kubernetes|no matches for kind|lookup|timeout|connection refused"
)
"""Failures that depend on what the cluster is, so that a rendering here says nothing of them."""


def rendered_here(
    diagnosis: Diagnosis, repository: Repository, applications: tuple[Application, ...]
) -> Application | None:
    """Return the Application that was reported not to render and that renders here as a whole; None where there is none.

    It is mended already, or the cause lies outside this checkout: no recent change of it is to be taken back.
    """
    texts = [piece.text for piece in diagnosis.evidence if _FAILED_RENDERING.search(piece.text)]
    if not texts or len(applications) != 1 or any(_OF_CLUSTER.search(text) for text in texts):
        return None
    rendering = repository.rendering(applications[0])
    is_whole = rendering.sure and rendering.manifests and not rendering.problems
    return applications[0] if is_whole else None


def _named(diagnosis: Diagnosis, repository: Repository) -> Iterator[Application]:
    """Yield the Applications that the evidence names, or whose release it does."""
    texts = [piece.text for piece in diagnosis.evidence]
    releases = {release for text in texts for release in _RELEASE.findall(text)}
    for application in repository.applications[:MOST_APPLICATIONS]:
        names = {application.name, *application.releases}
        if (
            names & releases
            or any(contains_word(text, application.name) for text in texts)
            or any(_builds(text, source.path) for source in application.sources for text in texts)
        ):
            yield application


def _builds(text: str, path: str) -> bool:
    """Return True where the renderer's command names the folder of a source: Argo CD prints it behind the checkout's own."""
    return "/" in path and re.search(rf"\bbuild \S[^`\n]*/{re.escape(path)}[`\s]", text) is not None


def _is_reported(problem: Problem, text: str) -> bool:
    """Return True where the report is of this problem: by the missing file's name, or by the renderer's words."""
    if problem.kind in ("missing-file", "missing-path"):
        names = [name.rpartition("/")[2] for name in _FILES.findall(problem.message)]
        return any(contains_word(text, name) for name in names)
    return _says_the_same(problem.message, text)


def _says_the_same(message: str, text: str) -> bool:
    """Return True where most words of what fails here stand in what was reported; what only fails here is another fault."""
    words = set(_WORDS.findall(message.rpartition("Error: ")[2]))
    return bool(words) and len(words & set(_WORDS.findall(text))) >= _SHARED * len(words)
