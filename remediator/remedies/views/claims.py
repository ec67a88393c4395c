"""Claims that the repository defines, and those that the evidence is about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from remediator.domain.incident import Evidence, Subject
from remediator.domain.yaml_paths import MISSING, YamlPath, get
from remediator.gitops import Application, Manifest, Match
from remediator.remedies.engine.case import RemedyContext, Want


@dataclass(frozen=True)
class VolumeClaim:
    """A claim that the repository defines: an object of its own, or a template of a StatefulSet."""

    application: Application
    manifest: Manifest
    path: YamlPath
    """The path of the claim's spec."""
    name: str
    template: bool

    def get(self, *steps: str) -> Any:
        """Return a field of the claim's spec, or MISSING."""
        return get(self.manifest.body, (*self.path, *steps))

    def want(self, value: Any, *steps: str) -> Want:
        """Return a `Want` of this value for the field."""
        return Want.of(self, (*self.path, *steps), value)


def claims_of(manifest: Manifest, application: Application) -> Iterator[VolumeClaim]:
    """Yield the claims that one object is or creates."""
    if manifest.kind == "PersistentVolumeClaim":
        yield VolumeClaim(application, manifest, ("spec",), manifest.name, template=False)
    templates = get(manifest.body, ("spec", "volumeClaimTemplates"))
    for index, template in enumerate(
        templates if manifest.kind == "StatefulSet" and isinstance(templates, list) else ()
    ):
        name = get(template, ("metadata", "name"))
        yield VolumeClaim(
            application, manifest, ("spec", "volumeClaimTemplates", index, "spec"), str(name), template=True
        )


def claims(case: RemedyContext, subject: Subject | None = None) -> list[VolumeClaim]:
    """Return every claim that the case can be about; with a subject, only the one of that name.

    A StatefulSet's template `data` creates claims named `data-web-0`.
    """
    candidates = [
        claim
        for application in _applications(case)
        for manifest in case.repository.objects(application)
        for claim in claims_of(manifest, application)
    ]
    if subject is None:
        return candidates
    matching = [claim for claim in candidates if _is_named(claim, subject.name) and _in(claim, subject.namespace)]
    return matching if len({_text(claim) for claim in matching}) == 1 else []


def _text(claim: VolumeClaim) -> tuple[object, ...]:
    """Return a key of the text that the claim comes from.

    One text may feed several Applications; a chart's template has other values for each, so they count as several.
    """
    manifest = claim.manifest
    owner = claim.application.key if "templates/" in manifest.file or not manifest.file else ()
    return (manifest.file, manifest.document, manifest.name, claim.path, owner)


def _applications(case: RemedyContext) -> list[Application]:
    """Return the targets' Applications, else all that could have the culprit."""
    applications = list(dict.fromkeys(target.application for target in case.targets))
    name = case.diagnosis.subject.application
    if not applications and name:
        applications = [application for application in case.repository.applications if application.name == name]
    return applications or list(case.repository.applications)


def _is_named(claim: VolumeClaim, name: str) -> bool:
    if not claim.template:
        return claim.name == name
    return re.fullmatch(rf"{re.escape(claim.name)}-{re.escape(claim.manifest.name)}-\d+", name) is not None


def _in(claim: VolumeClaim, namespace: str) -> bool:
    claim_namespace = claim.manifest.namespace_in(claim.application)
    return not namespace or not claim_namespace or claim_namespace == namespace


def claims_of_evidence(case: RemedyContext, evidence: Evidence) -> list[VolumeClaim]:
    """Return the claims that the evidence is about: the one that it names, else those of its workload."""
    if evidence.subject.kind == "PersistentVolumeClaim":
        return claims(case, evidence.subject)
    return [claim for target in case.targets for claim in mounted_claims(case, target)]


def mounted_claims(case: RemedyContext, target: Match) -> Iterator[VolumeClaim]:
    """Yield the claims that a workload's volumes name, and those of its own templates."""
    pod = target.manifest.pod_spec()
    names = {
        str(get(volume, ("persistentVolumeClaim", "claimName")))
        for volume in (pod[0].get("volumes") or () if pod else ())
        if get(volume, ("persistentVolumeClaim", "claimName")) is not MISSING
    }
    for claim in claims(case):
        if (claim.template and claim.manifest is target.manifest) or (
            not claim.template and (claim.name in names or claim.manifest is target.manifest)
        ):
            yield claim
