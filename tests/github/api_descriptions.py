"""GitHub's own descriptions as the judge of the stand-in: no request and no answer passes that they do not know.

The REST description is npm's `@octokit/openapi`, the GraphQL schema `@octokit/graphql-schema`. Both are looked for
in the directory that REMEDIATOR_NODE_MODULES names, else in `node_modules` beside the programs on the PATH.
"""

from __future__ import annotations

import json
import os
import re
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from graphql import GraphQLSchema

OPENAPI = "@octokit/openapi/generated/api.github.com.json"
GRAPHQL = "@octokit/graphql-schema/schema.json"

ALWAYS = frozenset({401, 403, 404, 429, 500, 502, 503})
"""Statuses that any call may answer with, whether its description lists them or not."""

_SLASHES = frozenset({"path", "ref", "branch", "basehead"})


class Lie(AssertionError):
    """A request that GitHub would not understand, or an answer that it would not give."""


def folder() -> Path | None:
    """Return the folder of the npm packages; None where they are not installed."""
    places = [os.environ.get("REMEDIATOR_NODE_MODULES", "")]
    places += [str(Path(entry, "node_modules")) for entry in os.environ.get("PATH", "").split(os.pathsep)]
    folders = (Path(place) for place in places if place)
    return next((place for place in folders if (place / OPENAPI).is_file() and (place / GRAPHQL).is_file()), None)


@cache
def openapi() -> OpenApi:
    """The REST description, read once."""
    place = folder()
    assert place is not None
    return OpenApi(json.loads((place / OPENAPI).read_bytes()))


@cache
def graphql_schema() -> GraphQLSchema:
    """The GraphQL schema, read once."""
    from graphql import build_client_schema

    place = folder()
    assert place is not None
    return build_client_schema(json.loads((place / GRAPHQL).read_bytes()), assume_valid=True)


def _nullable(check: Any) -> Any:
    def checked(validator: Any, value: Any, instance: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
        if not (instance is None and schema.get("nullable")):
            yield from check(validator, value, instance, schema) or ()

    return checked


class OpenApi:
    """GitHub's REST description: finds operations, fills answers up, checks exchanges."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        checks = {name: _nullable(check) for name, check in jsonschema.Draft4Validator.VALIDATORS.items()}
        # OpenAPI 3.0's dialect is draft 4, but `nullable` lets null through; references point into the description.
        checks["$ref"] = self._follow
        self.validator: Any = jsonschema.validators.extend(jsonschema.Draft4Validator, checks)

    def _follow(self, validator: Any, target: str, instance: Any, _: Any) -> Iterator[Any]:
        yield from validator.descend(instance, self.resolve({"$ref": target}))

    @cached_property
    def paths(self) -> list[tuple[re.Pattern[str], str]]:
        """Templates as patterns, those with the most literal text first."""
        order = sorted(self.document["paths"], key=lambda path: -len(re.sub(r"\{\w+\}", "", path)))
        return [(re.compile(self._pattern(path)), path) for path in order]

    @staticmethod
    def _pattern(path: str) -> str:
        parts = re.split(r"\{([\w-]+)\}", path)
        return "".join(
            re.escape(part) if at % 2 == 0 else (".+" if part in _SLASHES else "[^/]+") for at, part in enumerate(parts)
        )

    def operation(self, method: str, path: str) -> Mapping[str, Any]:
        """Return what the description says of this call; Lie when GitHub has no such call."""
        for pattern, template in self.paths:
            if pattern.fullmatch(path) and method.lower() in self.document["paths"][template]:
                operation: Mapping[str, Any] = self.document["paths"][template][method.lower()]
                return operation
        raise Lie(f"GitHub has no {method} {path}")

    def check_request(self, method: str, path: str, query: Mapping[str, str], body: Any) -> None:
        """Parameters that exist, and a body as described, without a key that nobody reads."""
        operation = self.operation(method, path)
        parameter_names = {self.resolve(item)["name"] for item in operation.get("parameters", ())}
        if unknown := set(query) - parameter_names:
            raise Lie(f"{method} {path}: no parameter {', '.join(sorted(unknown))}")
        described = operation.get("requestBody")
        if body is None:
            if described and described.get("required"):
                raise Lie(f"{method} {path}: needs a body")
            return
        if not described:
            raise Lie(f"{method} {path}: takes no body")
        schema = described["content"]["application/json"]["schema"]
        self._check(schema, body, f"request {method} {path}")
        properties = self.resolve(schema).get("properties")
        if properties and isinstance(body, dict) and (extra := set(body) - set(properties)):
            raise Lie(f"request {method} {path}: nobody reads {', '.join(sorted(extra))}")

    def check_answer(self, method: str, path: str, status: int, body: Any) -> None:
        """A status that the call is described with, and a body of that status' schema."""
        answers = self.operation(method, path)["responses"]
        if str(status) not in answers:
            if status not in ALWAYS:
                raise Lie(f"{method} {path}: never answers {status}")
            return
        content = self.resolve(answers[str(status)]).get("content", {})
        described = content.get("application/json")
        if described is None or body is None or isinstance(body, bytes):
            return
        self._check(described["schema"], body, f"answer {status} of {method} {path}")

    def fill(self, method: str, path: str, status: int, body: Any) -> Any:
        """The answer with everything that the description requires and the stand-in has no opinion on."""
        answer = self.operation(method, path)["responses"].get(str(status))
        content = self.resolve(answer).get("content", {}).get("application/json") if answer else None
        return self._filled(content["schema"], body) if content and isinstance(body, dict | list) else body

    def resolve(self, schema: Any) -> Mapping[str, Any]:
        """The object behind a `$ref`."""
        while "$ref" in schema:
            target: Any = self.document
            for step in schema["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            schema = target
        return dict(schema)

    def _check(self, schema: Any, instance: Any, title: str) -> None:
        error = jsonschema.exceptions.best_match(self.validator(schema).iter_errors(instance))
        if error is not None:
            raise Lie(f"{title}: {error.json_path}: {error.message[:400]}")

    def _filled(self, schema: Any, value: Any) -> Any:
        schema = self.resolve(schema)
        for choice in ("allOf", "oneOf", "anyOf"):
            if choice in schema:
                if choice == "allOf":
                    for part in schema[choice]:
                        value = self._filled(part, value)
                    return value
                return self._filled(self._fitting(schema[choice], value), value)
        if isinstance(value, list):
            return [self._filled(schema.get("items", {}), item) for item in value]
        if not isinstance(value, dict):
            return value
        properties = schema.get("properties", {})
        out = dict(value)
        for name in schema.get("required", ()):
            if name not in out:
                out[name] = self.sample(properties.get(name, {}), name)
        return {name: self._filled(properties.get(name, {}), value) for name, value in out.items()}

    def _fitting(self, choices: Any, value: Any) -> Any:
        kind = {dict: "object", list: "array", str: "string"}.get(type(value), "")
        for choice in choices:
            resolved = self.resolve(choice)
            if resolved.get("type") == kind or ("properties" in resolved and kind == "object"):
                return choice
        return choices[0]

    def sample(self, schema: Any, name: str = "") -> Any:
        """The least value that a schema lets through."""
        schema = self.resolve(schema)
        if schema.get("nullable"):
            return None
        if "enum" in schema:
            return schema["enum"][0]
        for choice in ("oneOf", "anyOf"):
            if choice in schema:
                return self.sample(schema[choice][0], name)
        if "allOf" in schema:
            merged: dict[str, Any] = {}
            for part in schema["allOf"]:
                value = self.sample(part, name)
                merged |= value if isinstance(value, dict) else {}
            return merged
        kind = schema.get("type", "object" if "properties" in schema else "")
        match kind:
            case "object":
                properties = schema.get("properties", {})
                return {key: self.sample(properties.get(key, {}), key) for key in schema.get("required", ())}
            case "array":
                return []
            case "integer" | "number":
                return max(1, schema.get("minimum", 1))
            case "boolean":
                return False
            case "string":
                return _text(schema.get("format", ""), schema.get("minLength", 0))
            case _:
                return None


def _text(form: str, least: int) -> str:
    samples = {"uri": "https://github.invalid/x", "date-time": "2026-01-02T03:04:05Z", "email": "a@example.invalid"}
    return samples.get(form, "x" * max(least, 1))
