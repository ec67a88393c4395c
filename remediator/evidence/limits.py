"""The limits on what a scan keeps, parses and expands: every bound in one place."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class ScanLimits:
    """Bounds that keep memory flat whatever comes in; each is generous for what people really attach.

    The defaults let one scan stay under 200 MB of resident memory with inputs of any size.
    """

    whole_bytes: int = 4 * MIB
    """Inputs up to this many bytes are parsed as a whole; longer ones by windows round what matters."""
    whole_lines: int = 100_000
    """And up to this many lines, since a line costs more than its bytes."""
    document: int = 8 * MIB
    """The longest single JSON or YAML document that is parsed."""
    block: int = 8 * MIB
    """Bytes that are searched at once in a long input."""
    line: int = 16 * KIB
    """Longest line that is kept; the rest of it is cut, and a note says so."""
    window_before: int = 20
    """Lines kept before a hit in a long input: a trace may end with the word that is sought."""
    window_after: int = 20
    """Lines kept after a hit in a long input: or it may begin with it."""
    marker_lines: int = 600
    """Lines kept after a structural marker (a table, a describe) in a long input that no blank line ends."""
    per_pattern: int = 100
    """Hits of one pattern kept of one long input; later ones are counted, and the last of them is kept."""
    window_bytes: int = 24 * MIB
    """Bytes of windows kept of one long input."""
    log_lines: int = 400
    """Lines of one container log that become statements though no pattern hits them: the last ones."""
    trace: int = 60
    """Lines of one stack trace."""
    statements: int = 20_000
    """Distinct statements of one scan."""
    archive_members: int = 2_000
    """Files of one archive that are read."""
    archive_expanded: int = 16 * 1024 * MIB
    """Bytes that all files of one zip archive may expand to together; those beyond are not read."""
    expanded: int = 64 * 1024 * MIB
    """Bytes that one compressed input may expand to."""
    ratio: int = 1_000
    """The factor by which a compressed input may expand, once beyond `ratio_floor`."""
    ratio_floor: int = 256 * MIB
    """Below this an input may expand by any factor: short repetitive logs compress extremely well."""
