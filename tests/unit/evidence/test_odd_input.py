import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediator.errors import ConfigError
from remediator.evidence import Pattern, ScanLimits, Scanner, fingerprint, normalise, text_input
from remediator.evidence.deduplicate import Deduplicator
from remediator.evidence.draft import Draft
from remediator.evidence.inputs import Input
from tests.processor_time import assert_grows_linearly
from tests.unit.evidence.scanning import TROUBLE, scan, statements

OPENERS = st.sampled_from(
    [
        "$ kubectl logs web-0 -n shop", "$ kubectl get pods", "Name:  x", "Namespace:  y", "Labels:  z", "Containers:", "  app:", "    State:  Waiting",
        "LAST SEEN   TYPE   REASON   OBJECT   MESSAGE", "NAME   READY   STATUS   RESTARTS   AGE", "{", "}", "[", "]", "apiVersion: v1", "kind: Pod", "metadata:",
        "Events:", "CONDITION  MESSAGE", "GROUP  KIND  NAMESPACE  NAME", "Operation:   Sync", "Phase:  Failed", "", '{"kind":"Event"}', '{"alerts":[{"labels":{}}]}',
        '{"data":{"resultType":"streams","result":[{"stream":{},"values":[["1","x"]]}]}}', "Traceback (most recent call last):", "2m   Warning   X   pod/web-0   error", "Error from server",
        "[FIRING:1] PodDown", "Labels:", " - alertname = PodDown", "Application x has degraded", "Proto Recv-Q", "LISTEN 0 5 *:80 *:*", "x 0/1 5d",
        '{"alerts":[{"labels":{', f"{'a' * 40}\trefs/heads/main",
    ]
)  # fmt: skip


@given(st.binary(max_size=2000))
def test_no_bytes_make_it_fail(data):
    import io

    Scanner([TROUBLE]).scan([Input("bytes", lambda: io.BytesIO(data))])


@given(st.lists(st.one_of(OPENERS, st.text(max_size=40)), max_size=40))
def test_no_mixture_of_formats_makes_it_fail(lines):
    scan("\n".join(lines))


@given(st.lists(st.one_of(OPENERS, st.text(max_size=40)), max_size=30))
def test_lines_are_those_of_the_input(lines):
    text = "\n".join(lines)
    assert all(1 <= statement.line <= text.count("\n") + 1 for statement in statements(text))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9)), max_size=50))
def test_folding_loses_no_count(said):
    folder = Deduplicator(1000)
    folder.add(Draft(n, "log", text, count=count) for n, (text, count) in enumerate(said, 1))
    assert sum(draft.count for draft in folder.drafts) == sum(count for _, count in said)
    assert len(folder.drafts) == len({text for text, _ in said})


def test_distinct_statements_are_bounded():
    text = "\n".join(f"error {chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(300))
    found = Scanner([TROUBLE], limits=ScanLimits(statements=100)).scan([text_input("log", text)])
    assert len(found.statements) == 100
    assert "200 further statements" in found.notes[-1]


def test_overlong_lines_are_cut_with_a_note():
    found = scan("error " + "x" * 100_000 + "\n")
    assert len(found.statements[0].text) == ScanLimits().line
    assert found.inputs[0].truncated
    assert "cut" in found.notes[0]


@pytest.mark.parametrize(
    ("unit", "count"),
    [
        ("{\n", 60_000),
        ('{\n  "a": [\n', 20_000),
        ("[", 200_000),
        ("Name:  x\n", 15_000),
        ("Events:\n", 30_000),
        ("Name: x\nNamespace: y\nLabels: z\n\n", 10_000),
        ("$ kubectl logs a-0\n\n", 20_000),
        ("Traceback (most recent call last):\n", 20_000),
        ("Waiting for deployment ", 10_000),
        ("a-", 100_000),
        ("Labels:\n", 10_000),
        ("[FIRING:1]\n", 10_000),
        ("Proto Recv-Q\ntcp 0 0 a:1 b:2 ESTABLISHED\n", 5_000),
        ("LISTEN 0 ", 30_000),
        ("x 0/1 ", 30_000),
        ("x Deployment/y ", 20_000),
        ('{"apiVersion":\n', 10_000),
        ('{"alerts":[', 20_000),
    ],
)
def test_no_input_takes_more_than_linear_time(unit, count):
    assert_grows_linearly(scan, unit, count)


@pytest.mark.parametrize(
    ("head", "unit", "count", "tail"),
    [
        ("apiVersion: v1\nkind: Pod\n", "a: ", 20_000, ""),
        ("$ kubectl logs a-0\n", "\nNAME\n", 20_000, ""),
        ("", "a=", 100_000, " level=x"),
    ],
)
def test_no_input_within_a_frame_takes_more_than_linear_time(head, unit, count, tail):
    assert_grows_linearly(lambda text: scan(head + text + tail), unit, count)


def test_a_pattern_that_is_no_expression_is_named():
    with pytest.raises(ConfigError, match=r"'bad'.*perl operator"):
        Scanner([Pattern("good", "x"), Pattern("bad", "(?<=a)b")])


def test_anchors_mean_lines():
    assert scan("x rare\nrare\n", Pattern("a", "^rare$")).hits == {"a": 1}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pod web-6b7f8c9d5f-zx4lp failed at 2026-01-01T00:00:00.123Z", "pod web-<pod> failed at <time>"),
        ("dial tcp 10.0.0.1:5432: refused after 12ms", "dial tcp <ip>: refused after <n>ms"),
        ("uid 0b7a8f0e-2a56-4b7a-9c36-5f70a1a8f6c1", "uid <uuid>"),
        ("sync to 4f1c2ab6c0de93b7a1f05f6f2b1f4bd7e6a9f311", "sync to <hex>"),
        ("image@sha256:" + "a1" * 32, "image@<digest>"),
        ("E0511 21:57:06.607078       1 scraper.go:140] x", "<time> <time> <n> scraper.go:<n>] x"),
    ],
)
def test_what_changes_between_occurrences_is_left_out(text, expected):
    assert normalise(text) == expected


@given(st.text(max_size=200))
def test_normalising_twice_is_normalising_once(text):
    assert normalise(normalise(text)) == normalise(text)


def test_the_same_fault_has_the_same_fingerprint():
    def of(signature, **other):
        known = {
            "cluster": "eu",
            "application": "shop",
            "workload": "Deployment/web",
            "container": "app",
            "category": "oom",
        }
        return fingerprint(**{**known, **other}, signature=signature)

    assert of("killed 12 at 10.0.0.1") == of("killed 99 at 10.9.9.9")
    assert of("x") != of("x", container="other")
    assert len(of("x")) == 64
