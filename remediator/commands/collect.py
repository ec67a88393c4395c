"""`remediator collect`: the evidence of the configured servers on one timeline, before it is classified."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remediator.commands.shared import add_repo, add_target, open_services
from remediator.commands.workloads import workload

if TYPE_CHECKING:
    import argparse

    from remediator.domain.incident import Statement
    from remediator.intake.collector import SourceCollector

_SHOWN = 200
_WIDTH = 160


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("collect", help="show what Loki, Alertmanager, Kubernetes and Prometheus give")
    parser.add_argument(
        "sources",
        nargs="*",
        default=["outside"],
        metavar="SOURCE",
        help="loki, alertmanager, kubernetes or prometheus, with :TARGET where there are several (default: all)",
    )
    parser.add_argument("--since", default="1h", metavar="AGE", help="how far back, 90s, 30m, 6h, 2d (default: 1h)")
    parser.add_argument(
        "--workload",
        action="append",
        default=[],
        metavar="NAMESPACE/[KIND/]NAME",
        help="look at this one only; repeatable",
    )
    parser.add_argument(
        "--output", metavar="DIR", help="also write what was read, as files for `run --log`, unredacted"
    )
    parser.add_argument("--json", action="store_true", help="everything as one JSON document")
    add_target(parser)
    add_repo(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Ask the servers, then print the outcome of each source and the timeline."""
    from remediator.domain.times import duration
    from remediator.evidence import Scanner
    from remediator.intake.collector import SourceCollector
    from remediator.report.wording import count
    from remediator.wiring import now

    workloads = [workload(text) for text in args.workload]
    services = open_services(args, dry_run=True)
    first, then = services.outside.sources(args.sources, workloads=bool(workloads))
    collector = SourceCollector(first, then, now, back=duration(args.since), workloads=workloads)
    inputs = collector.inputs()
    if args.output:
        _write(Path(args.output), collector)
    lines = timeline(Scanner().scan(inputs).statements, services.redact)
    outcomes = [_outcome(collector, place) for place in range(len(collector.answers))]
    if args.json:
        print(json.dumps({"sources": outcomes, "timeline": lines}, indent=2, ensure_ascii=False))
        return 0
    for outcome in outcomes:
        mark, details = ("✗", outcome["error"]) if outcome["error"] else ("✓", count(outcome["items"], "item"))
        print(f"{mark} {outcome['name']:<20} {_plain(services.redact(details))}")
        for note in outcome["notes"]:
            print(f"    {_plain(note)}")
    for line in lines[-_SHOWN:]:
        times = f" ×{line['count']}" if line["count"] > 1 else ""
        details = " ".join(part for part in (line["at"] or "-", line["who"], line["reason"] + times) if part)
        print(f"{details}: {_plain(line['text'])[:_WIDTH]}  [{', '.join(line['sources'])}]")
    if len(lines) > _SHOWN:
        print(f"… and {len(lines) - _SHOWN} older ones (--json shows all)")
    return 0


def timeline(statements: Sequence[Statement], redact: Callable[[str], str]) -> list[dict[str, Any]]:
    """Return the statements of all sources by time, equal ones once, redacted."""
    from remediator.evidence import normalise

    folded: dict[tuple[str, ...], dict[str, Any]] = {}
    for statement in statements:
        subject = statement.subject
        name = "/".join(part for part in (subject.namespace, subject.kind, subject.name, subject.container) if part)
        key = (statement.channel, name, subject.pod, statement.reason, normalise(statement.text))
        at = statement.last_seen or statement.first_seen
        line = {
            "at": at,
            "channel": statement.channel,
            "who": name,
            "pod": subject.pod,
            "reason": statement.reason,
            "text": redact(statement.text),
            "count": statement.count,
            "sources": [statement.source],
        }
        if entry := folded.get(key):
            entry["at"] = max(entry["at"], at)
            entry["count"] = max(entry["count"], statement.count)
            entry["sources"] = list(dict.fromkeys([*entry["sources"], statement.source]))
        else:
            folded[key] = line
    return sorted(folded.values(), key=lambda line: str(line["at"]))


def _outcome(collector: SourceCollector, index: int) -> dict[str, Any]:
    answer = collector.answers[index]
    reading = answer.reading
    return {"name": answer.name, "items": reading.items, "notes": list(reading.notes), "error": answer.error}


def _write(folder: Path, collector: SourceCollector) -> None:
    """Write one file for each text; a name with folders keeps them, since they name the workload of a log."""
    for answer in collector.answers:
        reading = answer.reading
        texts = [*reading.texts, *((name, json.dumps(body, indent=1) + "\n") for name, body in reading.documents)]
        for name, text in texts:
            safe = [part.replace(":", "-").replace(" ", "-").replace("#", "-") for part in name.split("/")]
            path = folder.joinpath(*(part for part in safe if part not in {"", ".", ".."}))
            path = path if path.suffix else path.with_name(f"{path.name}.json")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def _plain(text: str) -> str:
    """Replace control characters, so that no log can control the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
