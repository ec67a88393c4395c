"""One checkout, read as Argo CD would read it: the public interface of this package."""

from __future__ import annotations

from collections.abc import Sequence

from remediator.domain.incident import Subject
from remediator.domain.yaml_paths import YamlPath
from remediator.gitops.change import difference, validate
from remediator.gitops.checkout import Checkout
from remediator.gitops.locate import field as fields_by_name
from remediator.gitops.locate import find, locate
from remediator.gitops.locate.fields import OF_APPLICATION
from remediator.gitops.model import Application, Located, Manifest, Match, ObjectChange, Problem, Revision
from remediator.gitops.sources import revisions


class Repository(Checkout):
    """A checkout in which objects can be found, fields located and changes compared."""

    def find(self, subject: Subject, *, kinds: Sequence[str] = ()) -> tuple[Match, ...]:
        """Return the objects that an incident's subject can be, best first; equal scores are an ambiguity."""
        return find.find(self, subject, kinds)

    def locate(self, app: Application, obj: Manifest, path: YamlPath) -> Located:
        """Return where a field of a rendered object is controlled; list items by index or as `name=app`."""
        return locate.locate(self, app, obj, path)

    def locate_field(self, app: Application, field: str, obj: Manifest | None = None, container: str = "") -> Located:
        """Locate a field by its common name: targetRevision, chartVersion, image, env.NAME, resources.limits.memory."""
        if obj is None or field in OF_APPLICATION:
            return fields_by_name.of_application(self, app, field)
        return fields_by_name.of_object(self, app, obj, field, container)

    def base_of(self, app: Application) -> Revision:
        """Return the branch that `targetRevision` tracks, or the version to which it is pinned."""
        return revisions.base_of(self.root, app)

    def difference(self, changed: Repository) -> tuple[ObjectChange, ...]:
        """Return the differences that the change makes in the rendered objects."""
        return tuple(difference.difference(self, changed))

    def validate(self, changed: Repository) -> tuple[Problem, ...]:
        """Return the problems that the change introduces."""
        return tuple(dict.fromkeys(validate.validate(self, changed)))
