"""Nothing that anybody wrote into a log may act on a reader's page: judged by a real Markdown parser."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from remediator.domain.lifecycle import SecondReading
from remediator.report import commit_message, local_pull_request, needs_person, pull_request, terminal
from remediator.report.markdown import clip, code, defused, fence, plain, prose, quotation, table
from remediator.report.pull_request import LIMIT
from remediator.report.values import RunFacts
from tests.unit.report import sample_reports as reports

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])

HOSTILE = (
    "@admin",
    "#12",
    "o/r#12",
    "GH-12",
    "fixes #12",
    "[skip ci]",
    "![x](https://evil.example/p.png)",
    "[x](javascript:alert(1))",
    "https://evil.example",
    "www.evil.example",
    "a@b.example",
    "<img src=x onerror=alert(1)>",
    "<!-- hidden -->",
    "</details>",
    "&lt;",
    "```",
    "``",
    "`",
    "`a`",
    "\\",
    "\\`",
    "|",
    "**b**",
    "_i_",
    "__b__",
    "~~s~~",
    "~~~",
    "# h",
    "- x",
    "1. x",
    "> q",
    "---",
    "===",
    "| --- |",
    "$x$",
    ":tada:",
    "[^1]",
    "[a]: /b",
    "\n",
    "\n\n",
    "\r",
    "\t",
    "\x1b[31m",
    "\x00",
    "\u202e",
    "\u2028",
    "\u200b",
    " ",
    "é",
    "word",
)
texts = st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=8)), max_size=12).map("".join)

ACTING = re.compile(r"@(?=\S)(?!\u200b)|#(?=\w)|\bGH-\d|://|\bwww\.|:[\w+-]+:", re.IGNORECASE)
"""What a forge acts on after Markdown is rendered."""


def tokens(markdown: str) -> list[str]:
    """Types of all tokens, inner ones too."""
    return [inner.type for token in PARSER.parse(markdown) for inner in (token, *(token.children or ()))]


def literal_text(markdown: str) -> str:
    """The text outside code, as the forge's filters see it after rendering."""
    html = PARSER.render(markdown)
    return re.sub(r"<code>.*?</code>", " ", html, flags=re.DOTALL)


@given(texts)
@example("__a__ b")
@example("\\|")
@example("- - x")
@example("1234567890. x")
@example("a `\\` | `b`")
def test_prose_is_one_paragraph_of_text_and_code(text):
    rendered = prose(text)
    allowed = {"paragraph_open", "inline", "text", "code_inline", "text_special", "paragraph_close", "html_inline"}
    assert set(tokens(rendered)) <= allowed
    # The only HTML is our own <code>, where a backtick or a pipe forbids a code span.
    html = [child.content for token in PARSER.parse(rendered) for child in token.children or () if "html" in child.type]
    assert set(html) <= {"<code>", "</code>"}
    assert not ACTING.search(re.sub(r"&\w+;", " ", literal_text(rendered)))


@given(texts)
@example("| x")
def test_a_table_keeps_its_cells(text):
    rendered = PARSER.render(table([(prose(text), code(text)), ("last", "row")]))
    assert rendered.count("<td>") == 4
    assert "<td>row</td>" in rendered


@given(texts)
def test_code_is_code_and_nothing_else(text):
    rendered = code(text)
    shown = re.sub(r"<code>.*?</code>", "", PARSER.render(rendered), flags=re.DOTALL)
    assert shown in {"<p></p>\n", "<p>–</p>\n"}


@given(texts)
def test_nothing_leaves_a_fence(text):
    assert tokens(fence(text, "diff") + "\n\nafter") == ["fence", "paragraph_open", "inline", "text", "paragraph_close"]


@given(texts)
def test_nothing_leaves_a_quotation(text):
    parsed = PARSER.parse(f"{quotation(text)}\n\nafter")
    assert [token.type for token in parsed[-3:]] == ["paragraph_open", "inline", "paragraph_close"]
    assert "link_open" not in tokens(quotation(text))


@given(texts)
def test_a_plain_line_acts_on_nothing(text):
    line = plain(text)
    assert "\n" not in line
    assert not re.search(r"\[(skip|ci|no|actions)[ -]", line, re.IGNORECASE)
    assert not ACTING.search(line)


@pytest.mark.parametrize(
    "text", ["closes #12", "Fixed: o/r#12", "resolves https://forge.example/o/r/issues/1", "[skip ci]"]
)
def test_raw_text_closes_no_issue_and_skips_no_check(text):
    assert "\\" in defused(text)


def test_ordinary_words_stay_as_they_are():
    line = "Deployment shop-prod/checkout: limit 256Mi, image v1.4.2, exit code 137 (resources.limits.memory), a_b"
    assert prose(line) == plain(line) == line
    assert fence("fix the limit in a.yaml", "text") == "```text\nfix the limit in a.yaml\n```"


def test_a_fence_outgrows_its_content():
    assert fence("`````").startswith("``````\n")


def test_a_cut_is_marked():
    assert clip("abcdef", 4) == "abc…"


def hostile(text: str):
    """The example's report with that text wherever somebody else's words may stand."""
    subject = reports.POD.model_copy(update={"application": text, "namespace": text, "pod": text})
    items = tuple(
        item.model_copy(update={"text": text, "source": text, "reason": text, "subject": subject, "last_seen": text})
        for item in reports.EVIDENCE
    )
    place = reports.ROLL_BACK.places[0].model_copy(
        update={"file": text, "path": (text, 0), "why": text, "notes": (text,), "also_feeds": (text,), "value": text}
    )
    proposal = reports.ROLL_BACK.model_copy(
        update={
            "title": text,
            "reason": text,
            "places": (place,),
            "rendered": (text,),
            "history": (text,) * 3,
            "policy": (text,),
        }
    )
    diagnosis = reports.OOM.diagnosis.model_copy(
        update={"subject": subject, "summary": text, "evidence": items, "victims": (subject,)}
    )
    diff = reports.OOM.diffs[0].model_copy(
        update={"name": text, "text": f"--- a\n+++ b\n@@ -1 +1 @@\n-{text}\n+{text}\n"}
    )
    return reports.SECOND.model_copy(
        update={
            "diagnosis": diagnosis,
            "proposal": proposal,
            "alternatives": (proposal, reports.RAISE.model_copy(update={"title": text, "reason": text})),
            "diffs": (diff,),
            "policy": (text,),
            "verification": text,
            "reading": SecondReading(model=text, note=text),
            "reason": text,
            "look_at": (text,),
        }
    )


@given(texts)
@example("\n- x\n```\n@admin https://evil.example ![x](y) <b> fixes #12 [skip ci]")
def test_a_whole_report_of_hostile_text(text):
    report = hostile(text)
    _, body = pull_request(report)
    assert {"link_open", "image"}.isdisjoint(tokens(body))
    html = {token.content.strip() for token in PARSER.parse(body) if token.type == "html_block"}
    assert {block.split(">")[0] for block in html} <= {
        "<!-- remediator:incident inc-3f9a2c-1 --",
        "<details",
        "</details",
    }
    assert {"link_open", "image"}.isdisjoint(tokens(needs_person(report)))


@given(texts)
def test_no_text_commands_the_terminal(text):
    report = hostile(text)
    for shown in (terminal([report], RunFacts()), local_pull_request(report)):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)


@given(texts)
def test_only_our_trailers_end_a_commit_message(text):
    last = commit_message(hostile(text)).strip().split("\n\n")[-1]
    assert [line.split(":")[0] for line in last.splitlines()] == ["Incident-Id", "Remediator-Action"]


@pytest.mark.parametrize("length", [10, 1_000, 100_000])
@pytest.mark.parametrize("filler", ["x", "`", "@", "<", "\n", "|"])
def test_a_body_fits_whatever_it_holds(filler, length):
    report = hostile(filler * length)
    many = report.model_copy(
        update={
            "diagnosis": report.diagnosis.model_copy(
                update={
                    "evidence": tuple(
                        item.model_copy(update={"line": line})
                        for line in range(200)
                        for item in report.diagnosis.evidence
                    )
                }
            ),
            "diffs": report.diffs * 30,
            "proposal": report.proposal.model_copy(update={"rendered": report.proposal.rendered * 500}),
            "policy": report.policy * 20,
        }
    )
    title, body = pull_request(many)
    assert len(body) <= LIMIT
    assert len(title) < 256
    assert body.rstrip().endswith("</sub>")
    assert len(needs_person(many)) <= LIMIT


def test_evidence_is_cut_first_and_said_so():
    long = reports.EVIDENCE[0].model_copy(update={"text": "word " * 2_000})
    many = tuple(long.model_copy(update={"line": line}) for line in range(100))
    diagnosis = reports.OOM.diagnosis.model_copy(update={"evidence": many})
    _, body = pull_request(reports.OOM.model_copy(update={"diagnosis": diagnosis}))
    assert "Cut for length: 60 of 100 shown" in body
    assert "+    memory: 512Mi" in body
