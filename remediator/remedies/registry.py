"""Every remedy by the id of its action; nothing registers itself."""

from __future__ import annotations

from collections.abc import Mapping

from remediator.remedies.case import Remedy
from remediator.remedies.images import correct_image
from remediator.remedies.memory import raise_cpu_limit, raise_memory_limit
from remediator.remedies.references import fix_reference_key, rename_reference

REMEDIES: Mapping[str, Remedy] = {
    "correct_image": correct_image,
    "fix_reference_key": fix_reference_key,
    "raise_cpu_limit": raise_cpu_limit,
    "raise_memory_limit": raise_memory_limit,
    "rename_reference": rename_reference,
}
