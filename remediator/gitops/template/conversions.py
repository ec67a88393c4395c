"""Convert and format values as the template functions of Go and Sprig do."""

from __future__ import annotations

import json
import re
from typing import Any

from remediator.gitops.template.engine import text_of
from remediator.gitops.template.parse import UnrenderableTemplate


def as_string(value: Any) -> str:
    """Return the value as text; nil is empty."""
    return text_of(value) if value is not None else ""


def as_integer(value: Any) -> int:
    """Return the value as an integer; zero where it is not a number."""
    try:
        return int(float(value)) if value not in (None, "") else 0
    except ValueError:
        return 0


def to_yaml(value: Any) -> str:
    """Return YAML as Go writes it: keys sorted, no line folding, no anchors."""
    import yaml

    class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
        def ignore_aliases(self, _: Any) -> bool:
            return True

    return (
        str(yaml.dump(value, Dumper=Dumper, default_flow_style=False, allow_unicode=True, width=10**9))
        .removesuffix("\n...\n")
        .rstrip("\n")
    )


def from_yaml(text: Any) -> Any:
    """Return the first document of a text; an empty mapping where there is none."""
    from remediator.gitops import yamlread

    documents = yamlread.documents(as_string(text))
    return documents[0] if documents and documents[0] is not None else {}


def printf(template: Any, *values: Any) -> str:
    """Format values by the verbs of Go."""
    arguments = list(values)

    def one(match: re.Match[str]) -> str:
        if match[0].endswith("%"):
            return "%"
        value = arguments.pop(0) if arguments else "%!(MISSING)"
        verb = match[0][-1]
        if verb == "d":
            return (match[0][:-1] + "d") % as_integer(value)
        if verb in "fge":
            return match[0] % float(value or 0)
        if verb == "q":
            return json.dumps(as_string(value), ensure_ascii=False)
        if verb == "t":
            return as_string(bool(value))
        if verb in "xX" and isinstance(value, int):
            return match[0] % value
        return (match[0][:-1] + "s") % as_string(value)

    return re.sub(r"%[-+#0 ]?\d*(?:\.\d+)?[a-zA-Z%]", one, as_string(template))


def trunc(size: Any, text: Any) -> str:
    """Return the first characters of a text; the last ones where the size is negative."""
    return as_string(text)[: as_integer(size)] if as_integer(size) >= 0 else as_string(text)[as_integer(size) :]


def indent(size: Any, text: Any) -> str:
    """Return the text with every line indented."""
    pad = " " * as_integer(size)
    return pad + as_string(text).replace("\n", "\n" + pad)


def kind_of(value: Any) -> str:
    """Return the name of the kind that Go gives to the value."""
    names: list[tuple[type, str]] = [
        (bool, "bool"),
        (str, "string"),
        (int, "int"),
        (float, "float64"),
        (dict, "map"),
        (list, "slice"),
    ]
    return next((name for type_, name in names if isinstance(value, type_)), "invalid")


def normalize(text: Any) -> str:
    """Return the text as Argo CD's `normalize` does: as a name that is valid in DNS."""
    return re.sub(r"[^-a-z0-9.]+", "-", as_string(text).lower())[:253].strip("-.")


def regex(pattern: Any) -> re.Pattern[str]:
    """Compile a pattern; raises UnrenderableTemplate where it is too long to be safe."""
    if len(as_string(pattern)) > 500:
        raise UnrenderableTemplate("a pattern that is too long")
    return re.compile(as_string(pattern))


def snake(text: Any) -> str:
    """Return the text in snake_case."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", as_string(text)).lower().replace("-", "_").replace(" ", "_")
