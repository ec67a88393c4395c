"""Evidence: any input, of any size, into statements about Kubernetes objects, with secrets removed on request.

`Scanner` reads; `Redactor` removes secrets before anything is stored, shown or sent; `fingerprint` names a fault.
The parsers with their expressions are loaded when one of these is first used, not when this package is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remediator.evidence.adopt import is_unwell
from remediator.evidence.fingerprint import fingerprint, normalise
from remediator.evidence.inputs import Input, document_input, open_inputs, text_input
from remediator.evidence.limits import ScanLimits
from remediator.evidence.patterns import Pattern
from remediator.evidence.workload import workload_of_pod

if TYPE_CHECKING:
    from remediator.evidence.redact import Redactor
    from remediator.evidence.scan import InputReport, Scan, Scanner

__all__ = [
    "Input",
    "InputReport",
    "Pattern",
    "Redactor",
    "Scan",
    "ScanLimits",
    "Scanner",
    "document_input",
    "fingerprint",
    "is_unwell",
    "normalise",
    "open_inputs",
    "text_input",
    "workload_of_pod",
]


def __getattr__(name: str) -> Any:
    if name in {"InputReport", "Scan", "Scanner"}:
        from remediator.evidence import scan

        return getattr(scan, name)
    if name == "Redactor":
        from remediator.evidence.redact import Redactor

        return Redactor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
