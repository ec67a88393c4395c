"""Write a scalar so that every reader reads the same value.

Plain where plain is safe, the quotes that stood there where they can hold the value, double quotes
with escapes where nothing else can.
"""

from __future__ import annotations

import re
from functools import lru_cache

from remediator.yamledit.errors import EditRefused
from remediator.yamledit.readers import Value, tag_11, tag_12

# What must be escaped: what YAML calls not printable, the byte order mark, and the breaks of YAML 1.1 that
# YAML 1.2 no longer takes for breaks.
_ESCAPED = re.compile(r'["\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]')
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0", "\x1b": "\\e"}
# Not plain in a block: an indicator in front, `: ` or ` #` inside, a space or colon at an end, a document mark.
_NOT_PLAIN = re.compile(
    r"""[\s,\[\]{}#&*!|>'"%@`=]|[-?:](?:\s|$)|---|\.\.\.|.*(?::(?:\s|$)|\s#|[\s]$|[\n\t\x85\xa0])""", re.DOTALL
)
_NOT_PLAIN_IN_FLOW = re.compile(r":|.*[,\[\]{}?]|.*:$", re.DOTALL)
# Looks like a number, a date, a truth value or nothing to *some* reader (go-yaml, YAML 1.1 as written down).
_TRAP = re.compile(
    r"[-+]?0[oObBxX]?[0-9a-fA-F_]+|[-+]?\.?[0-9][0-9_,]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"
    r"|[-+]?\.(?:inf|nan)|y|n|yes|no|on|off|true|false|null|~|<<|="
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)?",
    re.IGNORECASE,
)
_KEY_LIMIT = 1000
_DEPTH_LIMIT = 100
_BITS_LIMIT = 1024


@lru_cache(maxsize=4096)
def plain_is_safe(text: str, *, flow: bool) -> bool:
    """Return whether a string may stand without quotes and stay a string to every reader."""
    return not (
        not text
        or _NOT_PLAIN.match(text)
        or (flow and _NOT_PLAIN_IN_FLOW.match(text))
        or _TRAP.fullmatch(text)
        or UNPRINTABLE.search(text)
        or tag_11(text) != "str"
        or tag_12(text) != "str"
    )


def double_quoted(text: str) -> str:
    """Write the string in double quotes, on one line."""
    return '"' + _ESCAPED.sub(_escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    if char in _SHORT:
        return _SHORT[char]
    code = ord(char)
    return f"\\x{code:02X}" if code <= 0xFF else f"\\u{code:04X}"


def write_string(text: str, *, style: str = "", flow: bool = False, quote: str = '"') -> str:
    """Write a string in the quotes `style` if they can hold it; an unquoted one gets `quote` where plain is not safe."""
    if not style:
        if plain_is_safe(text, flow=flow):
            return text
        style = quote
    if style == "'" and "\n" not in text and "\t" not in text and not UNPRINTABLE.search(text):
        return "'" + text.replace("'", "''") + "'"
    return double_quoted(text)


def write_scalar(value: Value, *, style: str = "", flow: bool = False, quote: str = '"', like: str = "") -> str:
    """Write any scalar on one line; `like` is the text that stood there, for the case of a truth value."""
    if isinstance(value, str):
        return write_string(value, style=style, flow=flow, quote=quote)
    if value is None:
        return "null"
    if isinstance(value, bool):
        word = "true" if value else "false"
        if like in ("True", "False"):
            return word.capitalize()
        return word.upper() if like in ("TRUE", "FALSE") else word
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _write_float(value)
    raise EditRefused(f"a {type(value).__name__} cannot be written as a scalar")


def _write_float(value: float) -> str:
    text = repr(value)
    special = {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}
    if text in special:
        return special[text]
    mantissa, mark, exponent = text.partition("e")
    return f"{mantissa}.0e{exponent}" if mark and "." not in mantissa else text


def write_key(text: str, *, style: str = "", flow: bool = False, quote: str = '"') -> str:
    """Write a mapping key; longer ones than a parser looks ahead would need `? ` and are refused."""
    out = write_string(text, style=style, flow=flow, quote=quote)
    if len(out) > _KEY_LIMIT:
        raise EditRefused("the key is too long to be written in front of a colon")
    return out


def normalise(value: object, depth: int = 0) -> Value:
    """Return the value as plain JSON types; refuse all that YAML's core schema cannot say."""
    if depth > _DEPTH_LIMIT:
        raise EditRefused("the value is nested too deeply")
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise EditRefused("a mapping to be written has a key that is not a string")
        return {str(_scalar(key)): normalise(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [normalise(item, depth + 1) for item in value]
    return _scalar(value)


def _scalar(value: object) -> Value:
    match value:
        case None | bool():
            return value
        case str():
            if re.search(r"[\ud800-\udfff]", value):
                raise EditRefused("the value holds half a character (a lone surrogate)")
            return str.__str__(value)
        case int():
            if abs(value) >= 1 << _BITS_LIMIT:
                raise EditRefused("the number is too large")
            return int(value)
        case float():
            return float(value)
    raise EditRefused(f"a {type(value).__name__} cannot be written as YAML")
