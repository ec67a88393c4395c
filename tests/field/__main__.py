"""Check and run the field incidents: `python -m tests.field check|run|investigate [BATCH] [NAME]`.

`run` asks the rules alone: `--no-history` cuts the histories off, `--record` keeps the verdicts for the tests.
`investigate` lets a player that knows the right change act as the model: `--record` keeps its investigations.
`--json FILE` writes the rows of either.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from tests.field.answering import answer
from tests.field.incident import FieldIncident, incidents
from tests.field.scoring import judge, read_verdicts, why, write_verdicts


def faults_of(incident: FieldIncident) -> list[str]:
    """Return what is wrong with how an incident is written; nothing where its reference is right and doing nothing is not."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "repo")
        incident.build(root)
        if not incident.fixable:
            return [] if incident.reason and not incident.expected else ["an incident to decline needs a reason"]
        changes = incident.apply_reference(root)
        faults = [] if changes else ["there is no reference"]
        if judge(incident, root, changes) != "fixed":
            faults.append(f"the reference is not right: {why(incident, root, changes)}")
        untouched = {check["file"]: _read(root, check["file"]) for one in incident.expected for check in one}
        if any(not reasons for reasons in why(incident, root, untouched)):
            faults.append("the checks hold before anything is changed")
        return faults


def run(incident: FieldIncident, *, history: bool) -> dict[str, Any]:
    """Run the rules over one incident and return its row."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "repo")
        incident.build(root, history=history)
        began = _children_seconds()
        given = answer(incident.write_inputs(Path(folder, "input")), root)
        seconds = _children_seconds() - began
        verdict = judge(incident, root, given.files)
        return {
            "name": incident.name,
            "batch": incident.batch,
            "kind": incident.kind,
            "fixable": incident.fixable,
            "verdict": verdict,
            "calm": given.calm,
            "category": given.category,
            "category_right": given.category in incident.categories,
            "severity_right": given.severity in incident.severities,
            "application_right": bool(set(given.applications) & set(incident.applications))
            or not incident.applications,
            "seconds": round(seconds, 2),
            "why": why(incident, root, given.files) if verdict == "harm" and incident.fixable else [],
        }


def _children_seconds() -> float:
    """Return the processor time of all child processes so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def summary(rows: list[dict[str, Any]]) -> str:
    """Return the line of figures over the rows."""
    fixable = [row for row in rows if row["fixable"]]
    others = [row for row in rows if not row["fixable"]]

    def share(part: list[dict[str, Any]], key: str, value: object = True) -> str:
        return f"{sum(row[key] == value for row in part) / len(part):.3f}" if part else "-"

    harm = sum(row["verdict"] == "harm" for row in rows)
    calm = sum(row["calm"] and "info" not in row["severities"] for row in rows if "severities" in row)
    return (
        f"incidents={len(rows)} fixable={len(fixable)} fixed={share(fixable, 'verdict', 'fixed')} harm={harm} "
        f"false_calm={calm} declined_rightly={share(others, 'verdict', 'declined')} "
        f"category={share(rows, 'category_right')} severity={share(rows, 'severity_right')} "
        f"application={share(rows, 'application_right')} "
        f"median_seconds={sorted(row['seconds'] for row in rows)[len(rows) // 2]} "
        f"most_seconds={max(row['seconds'] for row in rows)}"
    )


def main() -> int:
    """Run the command line; return 1 where an incident is written wrongly."""
    parser = argparse.ArgumentParser(prog="python -m tests.field")
    parser.add_argument("command", choices=("check", "run", "investigate"))
    parser.add_argument("batch", nargs="?", default="*")
    parser.add_argument("name", nargs="?", default="*")
    parser.add_argument("--no-history", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    chosen = incidents(options.batch, options.name)
    if options.command == "check":
        wrong = {incident.name: faults for incident in chosen if (faults := faults_of(incident))}
        for name, faults in wrong.items():
            sys.stdout.write(f"{name}: {'; '.join(faults)}\n")
        kinds = Counter("fixable" if incident.fixable else "to decline" for incident in chosen)
        sys.stdout.write(f"{len(chosen)} incidents ({dict(kinds)}), {len(wrong)} written wrongly\n")
        return 1 if wrong else 0
    if options.command == "investigate":
        return _investigate(chosen, options)
    rows = []
    for incident in chosen:
        row = run(incident, history=not options.no_history) | {"severities": list(incident.severities)}
        rows.append(row)
        mark = {"fixed": "+", "declined": "." if incident.fixable else "+", "harm": "X"}[row["verdict"]]
        calm = " FALSE CALM" if row["calm"] and "info" not in incident.severities else ""
        sys.stdout.write(
            f"{mark} {incident.batch}/{incident.name}: {row['verdict']}, {row['category']}{calm} {row['why'] or ''}\n"
        )
        sys.stdout.flush()
    sys.stdout.write(summary(rows) + "\n")
    if options.record:
        write_verdicts({**read_verdicts(), **{f"{row['batch']}/{row['name']}": _recorded(row) for row in rows}})
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return 0


def _investigate(chosen: list[FieldIncident], options: argparse.Namespace) -> int:
    from remediator.wiring import preload
    from tests.field import investigating
    from tests.field.recording import path_of

    preload()
    if options.record and options.batch == "*":  # those that are kept, anew
        chosen = [incident for incident in chosen if path_of(incident).is_file()]
    rows = []
    for incident in chosen:
        row = investigating.play(incident, record=options.record)
        rows.append(row)
        mark = {"fixed": "+", "declined": "." if incident.fixable else "+"}.get(row.get("verdict", ""), "X")
        sys.stdout.write(f"{mark} {row['name']}: {row['outcome']} {row.get('refusal') or row.get('draft', '')}\n")
        sys.stdout.flush()
    sys.stdout.write(investigating.summary(rows) + "\n")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return 0


def _recorded(row: dict[str, Any]) -> str:
    """Return the verdict to keep; a grave log that got a calm answer has one of its own."""
    return "calm" if row["calm"] and "info" not in row["severities"] else str(row["verdict"])


def _read(root: Path, name: str) -> str | None:
    return (root / name).read_text(encoding="utf-8") if (root / name).is_file() else None


if __name__ == "__main__":
    sys.exit(main())
