"""`remediator scan`: the statements in logs, events and alerts, before they are classified."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from remediator.domain.incident import Statement
    from remediator.evidence import Pattern, Redactor, Scan

MARKERS = (
    ("oom", r"OOMKilled|out of memory|OutOfMemoryError"),
    ("crash", r"CrashLoopBackOff|Back-off restarting failed container"),
    ("image", r"ErrImagePull|ImagePullBackOff|InvalidImageName"),
    ("config", r"CreateContainerConfigError|(configmap|secret|serviceaccount) \"[^\"]+\" not found"),
    ("probe", r"(Liveness|Readiness|Startup) probe failed"),
    ("scheduling", r"FailedScheduling|nodes are available"),
    ("forbidden", r"is forbidden|[Pp]ermission denied"),
    ("network", r"(?i)connection refused|no such host|i/o timeout|timed out"),
    ("sync", r"ComparisonError|SyncError|SyncFailed"),
    ("error", r"(?i)\b(error|fatal|panic|exception)\b"),
)
"""The patterns that are counted without a policy."""

_SHOWN = 50
_WIDTH = 160


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("scan", help="show what logs, events and alerts hold, with counts and rate")
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="a log, JSON, YAML or archive of them; - is standard input"
    )
    parser.add_argument("--json", action="store_true", help="everything as one JSON document")
    parser.add_argument(
        "--facts", action="store_true", help="the typed facts instead, each with its subject, speaker and line"
    )
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace, patterns: Sequence[Pattern] | None = None) -> int:
    """Scan and print; secrets never appear, and statements come in the order of the inputs."""
    from remediator.evidence import Pattern, Redactor, Scanner, open_inputs

    scanner = Scanner(patterns if patterns is not None else [Pattern(*marker) for marker in MARKERS])
    scan = scanner.scan(open_inputs(args.files))
    redactor = Redactor()
    if args.facts:
        typed = list(fact_documents(scan, redactor))
        print(json.dumps(typed, ensure_ascii=False, indent=2) if args.json else "\n".join(map(_fact_line, typed)))
    elif args.json:
        print(json.dumps(document(scan, redactor), ensure_ascii=False, indent=2))
    else:
        print(summary(scan, redactor), end="")
    return 0


def document(scan: Scan, redactor: Redactor) -> dict[str, Any]:
    """Return the scan as plain values, redacted."""
    return {
        "bytes": scan.bytes,
        "lines": scan.lines,
        "seconds": round(scan.seconds, 3),
        "hits": scan.hits,
        "inputs": [{"name": i.name, "lines": i.lines, "bytes": i.bytes, "truncated": i.truncated} for i in scan.inputs],
        "notes": [redactor.text(note) for note in scan.notes],
        "statements": [
            redactor.statement(statement).model_dump(exclude_defaults=True) for statement in scan.statements
        ],
    }


def fact_documents(scan: Scan, redactor: Redactor) -> Iterator[dict[str, Any]]:
    """Yield the typed facts as plain values, redacted."""
    from remediator.evidence.facts import facts_of

    for statement in scan.statements:
        for fact in facts_of(redactor.statement(statement)):
            yield {
                "type": fact.type,
                "values": dict(fact.values),
                "subject": fact.subject.model_dump(exclude_defaults=True),
                "speaker": fact.speaker,
                "source": fact.source,
                "line": fact.line,
            }


def _fact_line(fact: dict[str, Any]) -> str:
    """Return one fact on one line: `log.txt:3  kubelet  shop/Deployment/web  probe  probe=readiness …`."""
    values = "  ".join(f"{name}={' '.join(value.split())[:_WIDTH]}" for name, value in fact["values"].items())
    subject = fact["subject"]
    name = "/".join(subject[key] for key in ("namespace", "kind", "name", "container") if key in subject) or "-"
    return f"{fact['source']}:{fact['line']}  {fact['speaker']}  {name}  {fact['type']}  {values}".rstrip()


def summary(scan: Scan, redactor: Redactor) -> str:
    """Return the scan as text: totals, hits, then the statements that are not routine."""
    from remediator.report.wording import count

    rate = scan.bytes / scan.seconds / 1e6 if scan.seconds else 0.0
    read = f"{count(len(scan.inputs), 'input')}, {count(scan.lines, 'line')}, {count(scan.bytes, 'byte')}"
    out = [f"{read} in {scan.seconds:.2f} s ({rate:.0f} MB/s)"]
    if scan.hits:
        out.append("hits: " + ", ".join(f"{name} {number}" for name, number in scan.hits.items()))
    kinds = Counter(statement.channel for statement in scan.statements)
    out.append("statements: " + (", ".join(f"{channel} {number}" for channel, number in kinds.items()) or "none"))
    notable = [
        statement for statement in scan.statements if statement.level not in {"Normal", "info", "debug", "trace"}
    ]
    out += [_line(statement, redactor) for statement in notable[:_SHOWN]]
    if len(notable) > _SHOWN:
        out.append(f"… and {len(notable) - _SHOWN} more (--json shows all)")
    out += [f"note: {redactor.text(note)}" for note in scan.notes]
    return "\n".join(out) + "\n"


def _line(statement: Statement, redactor: Redactor) -> str:
    subject = statement.subject
    name = "/".join(part for part in (subject.namespace, subject.kind, subject.name, subject.container) if part)
    text = redactor.text(statement.text).replace("\n", " ⏎ ")
    times = f" ×{statement.count}" if statement.count > 1 else ""
    details = " ".join(part for part in (statement.channel, statement.reason, name) if part)
    return f"{statement.source}:{statement.line}: {details}{times}: {text[:_WIDTH]}{'…' if len(text) > _WIDTH else ''}"
