from __future__ import annotations

import pytest

from remediator.gitops.template.engine import Engine
from remediator.gitops.template.functions import FUNCTIONS, with_must
from remediator.gitops.template.parse import UnrenderableTemplate

DATA = {
    "path": {"segments": ["apps", "web", "prod"], "path": "apps/web/prod"},
    "m": {"a": 1, "b": {"c": "q"}},
    "l": [1, 2],
    "e": {},
}


def render(text: str, *, strict: bool = False) -> str:
    engine = Engine(with_must(FUNCTIONS), strict=strict)
    engine.functions["include"] = engine.execute
    return engine.render(text, DATA)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("{{ index .path.segments 1 }}-{{ index .path.segments 2 }}", "web-prod"),
        ('{{ .path.path | replace "/" "-" | trunc 8 }}', "apps-web"),
        ("{{- range $k, $v := .m }}{{ $k }};{{ end -}}  x", "a;b;x"),
        ('{{ if and .m.a (eq .m.b.c "q") }}y{{ else }}n{{ end }}', "y"),
        ("{{ with .e }}a{{ else if .l }}b{{ else }}c{{ end }}", "b"),
        ('{{ define "x" }}[{{ . }}]{{ end }}{{ include "x" .m.a | quote }}', '"[1]"'),
        ("{{ $n := 1 }}{{ range .l }}{{ $n = add $n . }}{{ end }}{{ $n }}", "4"),
        ("{{ range .l }}{{ if eq . 2 }}{{ break }}{{ end }}{{ . }}{{ end }}", "1"),
        ("a:{{ toYaml .m.b | nindent 2 }}", "a:\n  c: q"),
        ("{{ .missing }}", "<no value>"),
        ('{{ default "d" .missing }}', "d"),
        ("{{/* a comment with }} inside */}}x", "x"),
        ('{{ printf "%s-%02d" .m.b.c 7 }}', "q-07"),
        ('{{ "{{" }}', "{{"),
        ('{{ ternary 1 2 (hasKey .m "a") }}', "1"),
        ('{{ dig "b" "c" "none" .m }}', "q"),
        ('{{ semverCompare ">=1.20-0" "v1.31.0" }}', "true"),
        ('{{ splitList "/" .path.path | last }}', "prod"),
    ],
)
def test_renders_as_go_does(text, made):
    assert render(text) == made


@pytest.mark.parametrize(
    "text",
    [
        "{{ nonsense 1 }}",
        "{{ if }}",
        "{{ end }}",
        "{{ .m.b.c.d }}",
        '{{ fail "no" }}',
        "{{ until 100000000 }}",
        "{{ if .m }}",
    ],
)
def test_what_it_does_not_know_is_refused(text):
    with pytest.raises(UnrenderableTemplate):
        render(text)


def test_a_missing_key_is_an_error_where_the_set_asks_for_it():
    with pytest.raises(UnrenderableTemplate, match="missing"):
        render("{{ .missing }}", strict=True)


def test_templates_that_include_each_other_end():
    with pytest.raises(UnrenderableTemplate):
        render('{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}')
