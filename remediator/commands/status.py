"""`remediator status` and `remediator list`: the stored incidents, read from the heads of their documents."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from remediator.commands.shared import add_repo_command, command, find, in_words, open_services

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from remediator.domain.lifecycle import Record

_GRAVITY = {"critical": 0, "warning": 1, "info": 2}
_LOOKED_AT = frozenset({"verifying", "resolved", "unconfirmed", "failed"})


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    parser = subparsers.add_parser("status", help="how far one incident has come")
    parser.add_argument("id", metavar="ID", help="incident id, or the start of it")
    _finish(parser, status)
    parser = subparsers.add_parser("list", help="all incidents that are known here")
    parser.add_argument("--all", action="store_true", help="those that ended too")
    _finish(parser, list_all)


def _finish(parser: argparse.ArgumentParser, handler: Callable[[argparse.Namespace], int]) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_repo_command(parser, handler)


def status(args: argparse.Namespace) -> int:
    """Print one incident, one line for each fact."""
    services = open_services(args)
    record = find(services, args.id)
    if args.json:
        print(json.dumps(record.model_dump(mode="json"), indent=2, ensure_ascii=False))
        return 0
    facts = {
        "status": in_words(record.status),
        "fault": f"{record.category} · {record.severity} · {record.summary}",
        "applications": ", ".join(record.applications),
        "action": record.action,
        "branch": f"{record.branch} → {record.base}" if record.branch else "",
        "verification": record.verification if record.status in _LOOKED_AT else "",
        "last look": services.driver.state(record.incident_id)["recovery_result"]
        if record.status in _LOOKED_AT
        else "",
        "reason": record.reason,
        "seen": f"{record.seen} times" if record.seen > 1 else "",
        "updated": record.updated,
    }
    print(record.incident_id)
    for name, fact in facts.items():
        if fact:
            print(f"  {name:<13} {_plain(fact)}")
    if record.status == "awaiting_review":
        print(f"  approve: {command(services, f'approve {record.incident_id}')}")
        print(f"  options: {command(services, f'show {record.incident_id}')}")
    if record.status == "verifying" and not services.verifiers:
        print("  recovery is not checked automatically: no verifier is configured")
        print(f"  when it has recovered: {command(services, f'feedback {record.incident_id} confirm')}")
    if record.status == "needs_person":
        reject = command(services, f"reject {record.incident_id} --reason '…'")
        print(f"  close this incident: {reject}")
    return 0


def list_all(args: argparse.Namespace) -> int:
    """Print the open incidents, most severe first, then newest first; with --all also those that ended."""
    from remediator.domain.lifecycle import OPEN_STATUSES

    records = open_services(args).records()
    listed = [r for r in records if args.all or r.status in OPEN_STATUSES | {"needs_person"}]
    listed.sort(key=lambda record: record.updated, reverse=True)
    listed.sort(key=lambda record: _GRAVITY.get(record.severity, len(_GRAVITY)))
    if args.json:
        print(json.dumps([record.model_dump(mode="json") for record in listed], indent=2, ensure_ascii=False))
        return 0
    for record in listed:
        print(_row(record))
    if not listed:
        print("no open incident" if records else "no incident is known here")
    if ended := len(records) - len(listed):
        print(f"({ended} ended: --all)")
    return 0


def _row(record: Record) -> str:
    fault = f"{record.category} · {record.severity}"
    back = " (revert)" if record.action == "take_back" else ""
    return f"{record.incident_id:<16} {in_words(record.status):<16} {fault:<32} {_plain(record.summary)}{back}"


def _plain(text: str) -> str:
    """Replace control characters, so that no log can control the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
