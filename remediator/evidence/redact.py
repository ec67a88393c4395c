"""Takes secrets out of text before it is stored, shown or sent; equal secrets get equal placeholders."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from remediator.errors import ConfigError
from remediator.evidence import redact_rules as rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediator.domain.incident import Statement

_KEPT_IPS = frozenset({"127.0.0.1", "0.0.0.0", "255.255.255.255"})  # noqa: S104 — an address to keep, not to bind
_PLACEHOLDER = r"\[redacted:[a-z-]+:[0-9a-f]{6}\]"
"""Comes first in every expression, so that no rule looks into what another one put there."""

_ROUNDS = 2_000
_RUNS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_WORDLIKE = re.compile(
    r"(?i)(?=.*[aeiou])(?!.*(?:[^aeiouy]{4}|[aeiou]{4}|[jqxzv][^aeiouy]|[^aeiouys]{3}$|^[^aeiouylrwhtns]{2}))[a-z]+"
)
"""A run of letters that can be said: vowels and consonants take turns, as in words and hardly in random text."""
_WORD, _READABLE = 4, 0.52
"""Length of a run of letters that can be a word, and the share of words from which a value is one that people wrote."""
_AROUND_KEY = " \t\r\n\"'\\:=>,;{[(<-&?|"
_ENTROPY = 3.0
"""Bits per character from which a value of a merely suspicious key counts as random; English words have about 2.5."""


class Redactor:
    """Replaces secrets by `[redacted:<kind>:<six digits>]`, in time linear in the text.

    The digits come from a slow keyed hash of the secret: the same secret gets the same placeholder in every line and every
    run with the same `key`, and 24 bits are too few to tell a guess right. Redacting twice changes nothing. Digests, commit
    ids, pod hashes and UUIDs stay, since only known shapes and values of secret keys are touched.

    `emails` and `ips` also replace those; `extra` are further expressions (google-re2; the group `s`, else the whole match, is
    the secret). Raises `ConfigError` for an expression that google-re2 refuses.
    """

    def __init__(
        self, *, emails: bool = False, ips: bool = False, extra: Sequence[str] = (), key: bytes = b"remediator"
    ) -> None:
        import re2

        self._key, self._placeholders = key, dict[tuple[str, str], str]()
        options = re2.Options()
        options.max_mem, options.log_errors = 32 << 20, False

        def compiled(regex: str) -> Any:
            return re2.compile(f"{_PLACEHOLDER}|(?:{regex})", options)

        self._tokens = [(rule, compiled(rule.regex)) for rule in rules.TOKENS]
        self._keyed, self._flagged = compiled(rules.KEYED), compiled(rules.FLAGGED)
        self._paired = compiled(rules.PAIRED)
        self._data = compiled(rules.DATA_VALUE)
        self._always, self._random = re2.compile(rules.ALWAYS_NAME, options), re2.compile(rules.RANDOM_NAME, options)
        self._harmless = re2.compile(rules.HARMLESS_KEY, options)
        self._no_secret = re2.compile(rules.PLAIN_VALUE, options)
        options.never_capture = True
        self._any = re2.compile(
            "|".join(
                f"(?:{regex})"
                for regex in (*(rule.regex for rule in rules.TOKENS), rules.KEYED, rules.FLAGGED, rules.PAIRED)
            ),
            options,
        )
        options.never_capture = False
        self._emails = compiled(rules.EMAIL) if emails else None
        self._ips = [compiled(rules.IPV4), compiled(rules.IPV6)] if ips else []
        self._extra = []
        for regex in extra:
            try:
                self._extra.append(compiled(regex))
            except (re2.error, TypeError, ValueError) as bad:
                raise ConfigError(f"redaction expression {regex!r} is no valid google-re2 expression: {bad}") from bad

    def text(self, s: str) -> str:
        """Return the text with every secret replaced."""
        if self._any.search(s):
            s = self._redact_shapes(s)
        low = s.lower() if "ecret" in s else ""
        if "kind: secret" in low or '"kind":"secret"' in low or '"kind": "secret"' in low:
            s = self._data.sub(self._replacement("secret-data"), s)
        for pattern in self._extra:
            s = pattern.sub(self._replacement("custom"), s)
        if self._emails and "@" in s:
            s = self._emails.sub(self._replacement("email"), s)
        for pattern in self._ips:
            s = pattern.sub(self._ip, s)
        return s

    def _redact_shapes(self, s: str) -> str:
        low = s.lower()
        for rule, pattern in self._tokens:
            if any(needle in low for needle in rule.needles):
                s = pattern.sub(self._replacement(rule.kind, _CHECKS.get((rule.random, rule.encoded))), s)
        s = self._keyed.sub(self._value, s)
        if "value" in low and "name" in low:
            s = self._paired.sub(self._value, s)
        return self._flagged.sub(self._value, s) if "-" in s else s

    def fact(self, name: str, value: str) -> str:
        """Return a named value (an environment variable, a label) redacted: the name alone can make it secret."""
        if self._is_secret(name, value):
            return self._placeholder("value", value)
        return self.text(value)

    def facts(self, facts: Mapping[str, str]) -> dict[str, str]:
        """Return the facts of a statement with secret values replaced."""
        return {name: self.fact(name, value) for name, value in facts.items()}

    def statement(self, statement: Statement) -> Statement:
        """Return a statement with text and facts redacted; its subject and place stay."""
        return statement.model_copy(update={"text": self.text(statement.text), "facts": self.facts(statement.facts)})

    def _placeholder(self, kind: str, secret: str) -> str:
        placeholder = self._placeholders.get((kind, secret))
        if placeholder is None:
            digest = hashlib.pbkdf2_hmac("sha256", secret.encode("utf-8", "surrogatepass"), self._key, _ROUNDS, 8)
            placeholder = self._placeholders[kind, secret] = f"[redacted:{kind}:{digest.hex()[:6]}]"
        return placeholder

    def _replacement(self, kind: str, is_one: Callable[[str], bool] | None = None) -> Callable[[Any], str]:
        def replace(match: Any) -> str:
            groups = match.groupdict()
            text: str = match.group()
            secret = groups.get("s") or text
            if "[redacted:" in secret or (is_one is not None and not is_one(secret)):
                return text
            if secret == text:
                return self._placeholder(kind, secret)
            start = _start(match, "s")
            return text[:start] + self._placeholder(kind, secret) + text[start + len(secret) :]

        return replace

    def _value(self, match: Any) -> str:
        text: str = match.group()
        groups = match.groupdict()
        if text.startswith("[redacted:"):
            return text
        group = next((name for name in ("dq", "sq", "bare") if groups.get(name)), "")
        name = groups.get("paired") or (groups["key"].strip(_AROUND_KEY) if groups.get("key") else "")
        if not group or not self._is_secret(name, groups[group]) or self._harmless.search(groups["key"]):
            return text
        start = _start(match, group)
        secret = groups[group]
        return text[:start] + self._placeholder("value", secret) + text[start + len(secret) :]

    def _is_secret(self, name: str, value: str) -> bool:
        if self._no_secret.match(value) or "[redacted:" in value:
            return False
        if self._always.match(name):
            return True
        return bool(self._random.match(name)) and _looks_random(value)

    def _ip(self, match: Any) -> str:
        address: str = match.group()
        return address if address in _KEPT_IPS or address.startswith("[") else self._placeholder("ip", address)


def _start(match: Any, group: str) -> int:
    """Return the start of a named group inside its match; google-re2 takes group numbers only."""
    number = match.re.groupindex[group]
    start: int = match.start(number) - match.start()
    return start


def _looks_random(value: str) -> bool:
    """Return True if a value is probably a secret: long, several character classes, high entropy; no words, no count."""
    if len(value) < 12 or value.startswith(("sha256:", "sha512:")) or "0123456789" in value:
        return False
    classes = sum((any(c.islower() for c in value), any(c.isupper() for c in value), any(c.isdigit() for c in value)))
    counts = Counter(value)
    entropy = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
    return classes >= 2 and entropy >= _ENTROPY and not ("-" in value and value.islower()) and not _is_readable(value)


def _is_readable(value: str) -> bool:
    """Return True where most of a value is words: runs of letters in one case, as people name things."""
    words = [run for run in _RUNS.findall(value) if len(run) >= _WORD and _WORDLIKE.fullmatch(run)]
    return sum(map(len, words)) >= _READABLE * len(value)


def _is_login(value: str) -> bool:
    """Return True for base64 of `name:password`."""
    try:
        return b":" in base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except ValueError:
        return False


_CHECKS: Mapping[tuple[bool, bool], Callable[[str], bool]] = {(True, False): _looks_random, (False, True): _is_login}
"""What a match must be beyond its shape, by a rule's `random` and `encoded`."""
