"""Relations between Applications, the projects that bound them, and the namespaces and texts that they use."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from typing import Any

from remediator.domain.change import Edit, Place
from remediator.judgement.relations.broken import Broken
from remediator.judgement.relations.fields import items, mapping, meant, spec
from remediator.judgement.world import World

_SYNC = ("sync_error", "permission_denied", "config_error")


def _project(world: World, name: str) -> tuple[str, int, Mapping[str, Any]] | None:
    entries = [entry for entry in world.repository.projects if mapping(entry[2].get("metadata")).get("name") == name]
    return entries[0] if len(entries) == 1 else None


def project_exists(world: World) -> Iterator[Broken]:
    """Yield rendered Applications of a project that does not exist, where one is a slip away."""
    names = [str(mapping(body.get("metadata")).get("name")) for _, _, body in world.repository.projects]
    for child in world.of_kind("Application"):
        name = str(spec(child).get("project", ""))
        value, sure = meant(name, [*names, "default"])
        if not name or name in ("default", *names) or value is None or sure < 0.5:
            continue
        yield Broken(
            relation="project_exists", at=child, path=("spec", "project"), value=value, sure=sure, causes=_SYNC, words=(name, child.name),
            message=f"Application {child.name} belongs to project {name}, which does not exist; there is {value}",
        )  # fmt: skip


def project_allows_destination(world: World) -> Iterator[Broken]:
    """Yield Applications whose namespace their project does not list, where the project lists single namespaces."""
    for app in world.applications:
        entry = _project(world, app.project)
        holder = world.application_object(app)
        if entry is None or not app.namespace:
            continue
        file, document, body = entry
        destinations = items(mapping(body.get("spec")).get("destinations"))
        servers = {str(item.get("server")) for item in destinations if item.get("server")}
        if not destinations or any(
            fnmatch.fnmatchcase(app.namespace, str(item.get("namespace", "*"))) for item in destinations
        ):
            continue
        addition: dict[str, Any] | None = (
            {"namespace": app.namespace, "server": next(iter(servers))} if len(servers) == 1 else None
        )
        names = [item.get("name") for item in destinations if item.get("name")]
        if addition is None and len(set(map(str, names))) == 1:
            addition = {"name": names[0], "namespace": app.namespace}
        if addition is None:
            continue
        path = ("spec", "destinations")
        yield Broken(
            relation="project_allows_destination", at=holder, path=path, sure=0.9, causes=_SYNC, words=(app.namespace, app.project),
            message=f"Project {app.project} does not allow namespace {app.namespace}, which Application {app.name} deploys to",
            edits=(Edit(op="append", file=file, document=document, path=path, value=addition),),
            places=(Place(file=file, document=document, path=path, value=destinations, why="the project's list of destinations"),),
        )  # fmt: skip


def project_allows_source(world: World) -> Iterator[Broken]:
    """Yield Applications whose repository their project does not list, where the project lists single repositories."""
    for app in world.applications:
        entry = _project(world, app.project)
        holder = world.application_object(app)
        if entry is None:
            continue
        file, document, body = entry
        allowed = [str(item) for item in mapping(body.get("spec")).get("sourceRepos") or ()]
        for source in app.sources:
            if not allowed or any(fnmatch.fnmatchcase(_bare(source.repo_url), _bare(pattern)) for pattern in allowed):
                continue
            path = ("spec", "sourceRepos")
            yield Broken(
                relation="project_allows_source", at=holder, path=path, sure=0.9, causes=_SYNC, words=(source.repo_url, app.project),
                message=f"Project {app.project} does not allow repository {source.repo_url}, which Application {app.name} uses",
                edits=(Edit(op="append", file=file, document=document, path=path, value=source.repo_url),),
                places=(Place(file=file, document=document, path=path, value=allowed, why="the project's list of repositories"),),
            )  # fmt: skip


def _bare(url: str) -> str:
    return url.removesuffix(".git").rstrip("/")


def namespace_exists(world: World) -> Iterator[Broken]:
    """Yield Applications whose namespace nothing makes and that are not told to create it, where their others are."""
    namespaces = {item.name for item in world.of_kind("Namespace")}
    for child in world.of_kind("Application"):
        namespace = str(mapping(spec(child).get("destination")).get("namespace") or "")
        options = [str(option) for option in mapping(spec(child).get("syncPolicy")).get("syncOptions") or ()]
        if (
            not namespace
            or namespace in namespaces
            or "CreateNamespace=true" in options
            or namespace in ("default", "kube-system", "argocd")
        ):
            continue
        yield Broken(
            relation="namespace_exists", at=child, path=("spec", "syncPolicy", "syncOptions"), value=[*options, "CreateNamespace=true"], sure=0.6,
            message=f"Application {child.name} deploys to namespace {namespace}, which nothing here makes",
            causes=("sync_error", "signal:namespace_not_found"), words=(namespace, child.name),
        )  # fmt: skip


def application_names_are_distinct(world: World) -> Iterator[Broken]:
    """Yield Applications that two texts of the repository define under the same name and namespace."""
    first: dict[tuple[str, str], Any] = {}
    for app in world.repository.applications:
        if app.kind != "Application" or not app.file:
            continue
        earlier = first.setdefault((app.object_namespace, app.name), app)
        holder = world.application_object(app)
        if (
            earlier is app
            or (earlier.file, earlier.document) == (app.file, app.document)
            or earlier.variant != app.variant
        ):
            continue
        yield Broken(
            relation="application_names_are_distinct", at=holder, path=("metadata", "name"), causes=_SYNC, words=(app.name,),
            message=f"Application {app.name} is defined in {earlier.file} and in {app.file}",
        )  # fmt: skip
