"""`remediator collect`: what the configured servers give, on one timeline, before anything is concluded from it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remediator.commands.shared import add_repo, add_target, services
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
    """Ask, then print each source's outcome and the timeline."""
    from remediator.domain.times import duration
    from remediator.evidence import Scanner
    from remediator.intake.collector import SourceCollector
    from remediator.report.wording import count
    from remediator.wiring import now

    wanted = [workload(one) for one in args.workload]
    found = services(args, dry_run=True)
    first, then = found.outside.sources(args.sources, workloads=bool(wanted))
    gather = SourceCollector(first, then, now, back=duration(args.since), workloads=wanted)
    inputs = gather.inputs()
    if args.output:
        _write(Path(args.output), gather)
    lines = timeline(Scanner().scan(inputs).statements, found.redact)
    outcomes = [_outcome(gather, place) for place in range(len(gather.answers))]
    if args.json:
        print(json.dumps({"sources": outcomes, "timeline": lines}, indent=2, ensure_ascii=False))
        return 0
    for outcome in outcomes:
        mark, said = ("✗", outcome["error"]) if outcome["error"] else ("✓", count(outcome["items"], "item"))
        print(f"{mark} {outcome['name']:<20} {_plain(found.redact(said))}")
        for note in outcome["notes"]:
            print(f"    {_plain(note)}")
    for line in lines[-_SHOWN:]:
        times = f" ×{line['count']}" if line["count"] > 1 else ""
        said = " ".join(part for part in (line["at"] or "-", line["who"], line["reason"] + times) if part)
        print(f"{said}: {_plain(line['text'])[:_WIDTH]}  [{', '.join(line['sources'])}]")
    if len(lines) > _SHOWN:
        print(f"… and {len(lines) - _SHOWN} older ones (--json shows all)")
    return 0


def timeline(statements: Sequence[Statement], redact: Callable[[str], str]) -> list[dict[str, Any]]:
    """Statements of all sources by time, what several tell alike once; redacted."""
    from remediator.evidence import normalise

    folded: dict[tuple[str, ...], dict[str, Any]] = {}
    for one in statements:
        subject = one.subject
        who = "/".join(part for part in (subject.namespace, subject.kind, subject.name, subject.container) if part)
        key = (one.channel, who, subject.pod, one.reason, normalise(one.text))
        at = one.last_seen or one.first_seen
        line = {
            "at": at,
            "channel": one.channel,
            "who": who,
            "pod": subject.pod,
            "reason": one.reason,
            "text": redact(one.text),
            "count": one.count,
            "sources": [one.source],
        }
        if known := folded.get(key):
            known["at"] = max(known["at"], at)
            known["count"] = max(known["count"], one.count)
            known["sources"] = list(dict.fromkeys([*known["sources"], one.source]))
        else:
            folded[key] = line
    return sorted(folded.values(), key=lambda line: str(line["at"]))


def _outcome(gather: SourceCollector, place: int) -> dict[str, Any]:
    answer = gather.answers[place]
    reading = answer.reading
    return {"name": answer.name, "items": reading.items, "notes": list(reading.notes), "error": answer.error}


def _write(folder: Path, gather: SourceCollector) -> None:
    """One file a text; a name that is a path stays one below the folder, since it tells whose log it is."""
    for answer in gather.answers:
        for name, text in answer.reading.texts:
            safe = [part.replace(":", "-").replace(" ", "-").replace("#", "-") for part in name.split("/")]
            path = folder.joinpath(*(part for part in safe if part not in {"", ".", ".."}))
            path = path if path.suffix else path.with_name(f"{path.name}.json")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def _plain(text: str) -> str:
    """No control character of a log reaches the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
