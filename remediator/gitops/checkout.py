"""One checkout as Argo CD reads it: its Applications, the objects of each, and the effect of a change in memory.

Finding, locating and comparing use this class from modules of their own, so that none of them imports another.
"""

from __future__ import annotations

import fnmatch
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from remediator.domain.charts import ChartPull
from remediator.domain.yaml_paths import YamlPath
from remediator.errors import ConfigError
from remediator.gitops.file_paths import clean
from remediator.gitops.files import Files
from remediator.gitops.model import Application, ApplicationSet, Located, Manifest, Problem, Tree
from remediator.gitops.render.render import Renderer, Rendering
from remediator.gitops.sources.cache import Cache
from remediator.gitops.sources.charts import ChartStore
from remediator.gitops.sources.layout import Layout, origin_url
from remediator.gitops.sources.tools import Tools
from remediator.gitops.tree import snapshot
from remediator.gitops.tree.feeds import Feeds
from remediator.gitops.tree.scan import is_relevant, scan
from remediator.gitops.tree.tree import TreeReader
from remediator.gitops.yamlread import UnreadableYaml


class Checkout(ABC):
    """A checkout: its Applications and what they apply."""

    clusters: Mapping[str, str] = MappingProxyType({})
    """The cluster behind each known address or name of a cluster; those of one cluster give the same value."""

    def __init__(
        self, files: Files, tools: Tools, cache: Cache, own_url: str = "", charts: ChartStore | None = None
    ) -> None:
        self.root = files.root
        self.store = files
        self.tools = tools
        self.cache = cache
        self.own_url = own_url
        self.charts = charts
        self._loaded: tuple[Tree, list[Problem], Layout] | None = None

    @classmethod
    def open(
        cls,
        root: Path,
        *,
        tools: Tools | None = None,
        cache: Path | None = None,
        pull: Callable[[], ChartPull] | None = None,
        kept_charts: Path | None = None,
    ) -> Self:
        """Open a directory, which may be a part of a git checkout or no git repository; nothing is written to it.

        `pull` gives the policy by which charts of registries are pulled, without which none is; they are kept in
        `kept_charts`, else in `cache`.
        """
        root = Path(root)
        if not root.is_dir():
            raise ConfigError("is not a directory", file=str(root))
        files = Files(root)
        tools = Tools.find() if tools is None else tools
        charts = ChartStore(files, tools, pull, kept_charts or cache) if pull is not None and tools.helm else None
        return cls(files, tools, Cache(cache), origin_url(root.resolve()), charts)

    def _load(self) -> tuple[Tree, list[Problem], Layout]:
        """Return the tree, its problems and the layout, which are read once."""
        if self._loaded is None:
            self._loaded = self._read_tree()
        return self._loaded

    def _read_tree(self) -> tuple[Tree, list[Problem], Layout]:
        """Take the tree from the snapshot of an earlier run, or read the files."""
        settings = (self.own_url, "charts" if self.charts is not None else "")
        key = snapshot.key(self.store, self.tools, settings) if self.cache.directory is not None else ""
        stored = snapshot.load(self.cache.tree(key)) if key else None
        if stored is not None:
            tree, problems, kept = stored
            return tree, problems, self._with_charts(Layout.of(self.store, kept))
        facts, problems = scan(self.store)
        bodies = [body for item in facts.values() for _, body in item.documents]
        layout = self._with_charts(Layout(self.store, bodies, self.own_url))
        tree = TreeReader(self.store, layout, Renderer(self.store, layout, self.tools, self.cache), facts).read()
        problems = list(dict.fromkeys([*self.store.problems, *problems, *tree.problems]))
        if self.charts is None or not self.charts.failures:  # a registry may answer the next time
            self.cache.keep_tree(key, snapshot.dump(tree, problems, layout.settings()) if key else None)
        return tree, problems, layout

    def _with_charts(self, layout: Layout) -> Layout:
        layout.charts = self.charts
        return layout

    @property
    def layout(self) -> Layout:
        """Return the layout, which knows the sources that lie in this checkout and their directories."""
        return self._load()[2]

    @cached_property
    def renderer(self) -> Renderer:
        """Return the renderer of this checkout's Applications."""
        return Renderer(self.store, self.layout, self.tools, self.cache)

    @property
    def tree(self) -> Tree:
        """Return everything that was read about Applications."""
        return self._load()[0]

    @property
    def applications(self) -> tuple[Application, ...]:
        """Return every Application, in the order of discovery."""
        return tuple(self.tree.applications)

    @property
    def sets(self) -> tuple[ApplicationSet, ...]:
        """Return every ApplicationSet."""
        return tuple(self.tree.sets)

    @property
    def projects(self) -> tuple[tuple[str, int, Mapping[str, Any]], ...]:
        """Return every AppProject: file, document, body."""
        return tuple(self.tree.projects)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return the problems of the tree itself; an Application's own problems come from `problems_of`."""
        return tuple(self._load()[1])

    def application(self, name: str) -> Application | None:
        """Return the Application of that name, with or without its namespace before it (`argocd/guestbook`).

        Where none has it, the one whose Helm release bears the name: that is what Argo CD's repo server logs.
        """
        namespace, _, base = name.rpartition("/")
        for app in self.applications:
            if app.name == base and namespace in ("", app.object_namespace):
                return app
        generated = next(
            (app for app in self.applications if "*" in app.name and fnmatch.fnmatchcase(base, app.name)), None
        )
        released = [app for app in self.applications if base in app.releases] if generated is None else []
        return released[0] if len(released) == 1 else generated

    def rendering(self, app: Application) -> Rendering:
        """Return the Application's objects, their origin, and the problems of rendering it."""
        return self.renderer.rendering(app)

    def objects(self, app: Application) -> tuple[Manifest, ...]:
        """Return the objects that Argo CD would apply for this Application."""
        return tuple(self.rendering(app).manifests)

    def problems_of(self, app: Application) -> tuple[Problem, ...]:
        """Return the reasons why the Application does not render, or not completely."""
        return tuple(self.rendering(app).problems)

    @abstractmethod
    def locate(self, app: Application, obj: Manifest, path: YamlPath) -> Located:
        """Return where a field of a rendered object is controlled; list items by index or as `name=app`.

        The locators need it for the objects that produce Applications, so it is declared here and implemented above them.
        """

    @cached_property
    def feeds(self) -> Feeds:
        """Return the index of the files that each Application reads."""
        return Feeds(list(self.applications), self.renderer)

    def files_of(self, app: Application) -> list[str]:
        """Return the files that an Application reads; `history.commits_touching` takes them."""
        return self.feeds.files_of(app)

    def read(self, file: str) -> bytes:
        """Return a file's bytes; raises ConfigError where it does not exist or may not be read."""
        try:
            return self.store.read(file)
        except UnreadableYaml as error:
            raise ConfigError(error.message, file=file) from None

    def files(self, pattern: str) -> list[str]:
        """Return files that match a pattern; `**` spans directories."""
        return self.store.glob(pattern)

    def with_changes(self, changes: Mapping[str, bytes | None]) -> Self:
        """Return the same checkout with files replaced or (None) removed, in memory only."""
        files = self.store.with_changes(changes)
        changed = type(self)(files, self.tools, self.cache, self.own_url, self.charts)
        changed.clusters = self.clusters
        if self._is_tree_unaffected(files, [clean(name) for name in changes]):
            tree, problems, layout = self._load()
            changed.adopt(tree, problems, self._with_charts(Layout.of(files, layout.settings())))
        return changed

    def adopt(self, tree: Tree, problems: list[Problem], layout: Layout) -> None:
        """Take over a tree that the change cannot have altered, instead of reading it again."""
        self._loaded = (tree, problems, layout)

    def _is_tree_unaffected(self, files: Files, names: Sequence[str]) -> bool:
        """Return whether the changed files cannot alter the tree, since none describes or produces it."""
        if self._loaded is None or any(problem.kind == "generator" for problem in self._loaded[1]):
            return False  # which files a failed generator would have read is not known
        origins = [app.origin for app in self.applications if app.origin is not None]
        source_files = {place.file for origin in origins for place in origin.parameters.values()}
        source_files |= {origin.file for origin in origins}
        producers = list(
            {origin.producer.key: origin.producer for origin in origins if origin.producer is not None}.values()
        )
        for name in names:
            if name in source_files or not (self.store.is_file(name) and files.is_file(name)):
                return False
            for store in (self.store, files):
                try:
                    if is_relevant(name, store.read(name)):
                        return False
                except UnreadableYaml:
                    return False
            if any(self.feeds.reads(producer, name) for producer in producers):
                return False
        return True

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.root)!r})"
