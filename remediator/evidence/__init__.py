"""Evidence: any input, of any size, into statements about Kubernetes objects, with secrets removed on request.

`Scanner` reads; `Redactor` removes secrets before anything is stored, shown or sent; `fingerprint` names a fault.
"""

from remediator.evidence.fingerprint import fingerprint, normalise
from remediator.evidence.inputs import Input, open_inputs, text_input
from remediator.evidence.limits import Limits
from remediator.evidence.redact import Redactor
from remediator.evidence.scan import InputReport, Pattern, Scan, Scanner
from remediator.evidence.workload import workload_of_pod

__all__ = [
    "Input",
    "InputReport",
    "Limits",
    "Pattern",
    "Redactor",
    "Scan",
    "Scanner",
    "fingerprint",
    "normalise",
    "open_inputs",
    "text_input",
    "workload_of_pod",
]
