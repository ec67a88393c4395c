"""Commands that cannot be executed and arguments that the program does not know.

A correction must be one slip away from a program or a flag that is known to exist: of this repository, of the program's
own usage text, or of the policy's lists. Otherwise only an older value from the history is proposed.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from remediator.domain.incident import Evidence
from remediator.domain.text import HOST_JOINERS, word_pattern
from remediator.domain.yaml_paths import MISSING
from remediator.gitops import Match
from remediator.remedies.engine.acceptable_values import without_match
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.image_reference import ImageReference
from remediator.remedies.engine.spelling import distance, is_typo, nearest
from remediator.remedies.views.start_texts import StartText, commands, configs, containers

_FLAG = re.compile(r"(?<![\w-])--?([A-Za-z][\w.-]*\w)")
_SHORT = 3
"""Words shorter than this are too short to tell a typo from another word."""


def fix_command(case: RemedyContext) -> Iterator[Fix]:
    """Correct a word that cannot be executed to the intended program; an older value from the history is preferred."""
    for wrong, evidence in _by_fact(case.signals("command_not_found"), "command", "executable"):
        denied = any("permission denied" in piece.text for piece in evidence)
        yield from _split_command(case, evidence, wrong)
        for text, names in _command_texts(case, evidence, wrong, exact=True):
            new = "" if denied else _intended_program(case, wrong, names)
            yield _command_fix(case, text, wrong, new, evidence)
    for wrong, evidence in _by_fact(case.signals("command_in_shell_not_found"), "command"):
        for text, names in _command_texts(case, evidence, wrong, exact=False):
            yield _command_fix(case, text, wrong, _intended_program(case, wrong, names), evidence)


def _command_fix(case: RemedyContext, text: StartText, wrong: str, new: str, evidence: Sequence[Evidence]) -> Fix:
    pattern = word_pattern(wrong, HOST_JOINERS)
    value = pattern.sub(lambda _: new, text.value) if new else text.value
    holder = text.container or text.manifest.name
    return replace(
        _correction(text, wrong, new, value, case.cite(*evidence)),
        title=f"run `{new}` instead of `{wrong}` in `{holder}`",
        reason=f"`{wrong}` cannot be executed; `{new}` is one slip away and is a program that is known to exist.",
        score=0.75 if new else 0.0,
        accepts=without_match(pattern),
    )


def _correction(text: StartText, wrong: str, new: str, value: Any, cited: tuple[str, ...]) -> Fix:
    """Return the fix that gives a word of the start its new value; `new` is empty where only the history may tell it."""
    parameters = {"container": text.container, "from": wrong, "to": new}
    return Fix(title="", reason="", evidence=cited, wants=(text.want(value),), parameters=parameters)


def _split_command(case: RemedyContext, evidence: Sequence[Evidence], wrong: str) -> Iterator[Fix]:
    """Split a program and its arguments that are written as one word, where nothing in it needs a shell."""
    words = wrong.split()
    programs = [str(name) for name in _as_list(case.action.options.get("programs"))]
    if (
        len(words) < 2
        or re.search(r"[|&;<>$`\"'\\*(){}]", wrong)
        or not (words[0].startswith("/") or words[0] in programs)
    ):
        return
    for target, container, path in containers(case, evidence):
        if container.get("command") == [wrong]:
            command = (*path, "command")
            yield Fix(
                title=f"run `{words[0]}` with its arguments in `{container.get('name', '')}`",
                reason=f"`{wrong}` is taken for the name of one program; each argument needs an item of its own.",
                evidence=case.cite(*evidence),
                wants=(
                    Want.of(target, (*command, 0), words[0]),
                    Want.of(target, command, [wrong, *words[1:]]),
                ),
                parameters={"container": str(container.get("name", "")), "from": wrong},
                score=0.7,
            )


def _by_fact(evidence: Sequence[Evidence], *names: str) -> Iterator[tuple[str, list[Evidence]]]:
    """Yield each word that the evidence names in one of these facts, with its evidence."""
    groups: dict[str, list[Evidence]] = {}
    for piece in evidence:
        word = next((piece.facts[name] for name in names if piece.facts.get(name)), "")
        groups.setdefault(word, []).append(piece)
    yield from ((word, group) for word, group in groups.items() if word)


def _command_texts(
    case: RemedyContext, evidence: Sequence[Evidence], wrong: str, *, exact: bool
) -> list[tuple[StartText, list[str]]]:
    """Return the strings that contain the word, each with the names around it; none where two containers are possible.

    Each workload gives at most one string: one text of an Application can feed several workloads.
    """
    texts_by_workload: dict[tuple[str, str], list[tuple[StartText, list[str]]]] = {}
    pattern = word_pattern(wrong, HOST_JOINERS)
    for target, container, path in containers(case, evidence):
        texts = list(commands(target, container, path))
        matching = [text for text in texts if (text.value == wrong if exact else pattern.search(text.value))]
        names = [
            str(container.get("name", "")),
            target.manifest.name,
            _repository_name(str(container.get("image", ""))),
        ]
        names += [posixpath.basename(text.value) for text in texts if text.value != wrong]
        texts_by_workload.setdefault(_workload(target), []).extend((text, names) for text in matching[:1])
    if not exact and not any(texts_by_workload.values()):
        for target in case.targets:
            matching = [text for text in configs(case, target) if pattern.search(text.value)]
            texts_by_workload[_workload(target)] = [(text, [target.manifest.name]) for text in matching]
    return [candidates[0] for candidates in texts_by_workload.values() if len(candidates) == 1]


def _workload(target: Match) -> tuple[str, str]:
    return target.application.name, target.manifest.name


def _repository_name(image: str) -> str:
    return ImageReference.parse(image).repository.rpartition("/")[2]


def _intended_program(case: RemedyContext, wrong: str, names: list[str]) -> str:
    """Return the intended program in the same directory; empty where the word itself is a well-known program."""
    folder, base = posixpath.split(wrong)
    programs = [str(name) for name in _as_list(case.action.options.get("programs"))]
    if base in programs or not base:
        return ""
    executed = nearest(wrong, [word for word in _executed_programs(case) if posixpath.basename(word) != base])
    if executed:
        return executed
    new = nearest(base, [name for name in names if name and name != base]) or _nearest_program(base, programs)
    return posixpath.join(folder, new) if new else ""


def _nearest_program(base: str, programs: list[str]) -> str:
    """Return the only well-known program at the least distance; empty where two are equally near."""
    alike = [name for name in programs if _digits(name) == _digits(base)]
    ranked = sorted((distance(base, name), name) for name in alike if is_typo(base, name) or _is_short_slip(base, name))
    if not ranked or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
        return ""
    return ranked[0][1] if ranked[0][0] <= (1 if len(base) < 5 else 2) else ""


def _digits(name: str) -> str:
    """Return the digits of a name: `python2` is no typo of `python3`."""
    return re.sub(r"\D", "", name)


def _is_short_slip(base: str, name: str) -> bool:
    return len(name) < _SHORT and len(base) == len(name) + 1 and set(name) <= set(base)


def _executed_programs(case: RemedyContext) -> list[str]:
    """Return the first words of all commands in the repository's workloads."""
    words = []
    for application in case.repository.applications:
        for manifest in case.repository.objects(application):
            for body, _, _ in manifest.containers():
                command = body.get("command")
                if isinstance(command, list) and command and isinstance(command[0], str):
                    words.append(command[0])
    return list(dict.fromkeys(words))


def fix_args(case: RemedyContext) -> Iterator[Fix]:
    """Correct a flag that the program does not know; an older value from the history is preferred."""
    for flag, evidence in _by_fact(case.signals("unknown_flag"), "flag"):
        wrong = flag.strip("-").partition("=")[0]
        for text in _flag_texts(case, evidence, wrong):
            new = _known_flag(case, text, wrong)
            value = _rename_flag(text.value, wrong, new) if new else text.value
            words = {word.value for word in _container_words(case, text)}
            yield replace(
                _correction(text, wrong, new, value, case.cite(*evidence)),
                title=f"correct flag `{wrong}` of `{text.container}` to `{new}`",
                reason=f"the program does not know the flag `{wrong}`; `{new}` is one slip away and known.",
                score=0.7 if new else 0.0,
                accepts=partial(_accepts_other_flag, wrong=wrong, words=words),
            )


def _accepts_other_flag(old: Any, *, wrong: str, words: set[str]) -> bool:
    """Return True for an older word that can be the cure: no word at all, or one that did not just move along the list."""
    if old is MISSING:
        return True
    return (
        isinstance(old, str)
        and bool(old)
        and old not in words
        and _stem(old) != wrong
        and not _contains_flag(old, wrong)
    )


def _flag_texts(case: RemedyContext, evidence: Sequence[Evidence], wrong: str) -> list[StartText]:
    texts_by_workload: dict[tuple[str, str], list[StartText]] = {}
    for target, container, path in containers(case, evidence):
        for text in commands(target, container, path):
            if text.path[-2] in ("command", "args") and _contains_flag(text.value, wrong):
                texts_by_workload.setdefault(_workload(target), []).append(text)
    return [texts[0] for texts in texts_by_workload.values() if len(texts) == 1]


def _container_words(case: RemedyContext, text: StartText) -> list[StartText]:
    for target in case.targets:
        if target.manifest is text.manifest:
            for container, path, _ in target.manifest.containers():
                if container.get("name") == text.container:
                    return list(commands(target, container, path))
    return []


def _contains_flag(value: str, flag: str) -> bool:
    """Return True where the word contains this flag: alone, with `=value`, or inside a line for a shell."""
    return bool(re.search(rf"(?<![\w-])-{{1,2}}{re.escape(flag)}(?![\w.-])", value))


def _rename_flag(value: str, wrong: str, new: str) -> str:
    return re.sub(rf"(?<![\w-])(-{{1,2}}){re.escape(wrong)}(?![\w.-])", lambda match: match[1] + new, value)


def _stem(value: str) -> str:
    return value.lstrip("-").partition("=")[0]


def _known_flag(case: RemedyContext, text: StartText, wrong: str) -> str:
    """Return the intended flag: from the program's usage text, else from other uses of its image, else a common word."""
    pods = {piece.subject.pod for piece in case.signals("unknown_flag")}
    documented = {
        flag for piece in case.statements if piece.subject.pod in pods for flag in _FLAG.findall(piece.text)
    } - {wrong}
    current = {_stem(word.value) for word in _container_words(case, text) if word.value.startswith("-")}
    elsewhere = _flags_of_image(case, text) | _flags_of_repository(case)
    return (
        nearest(wrong, documented - current)
        or nearest(wrong, elsewhere - current - {wrong})
        or _common_flag(wrong, [str(word) for word in _as_list(case.action.options.get("words"))])
    )


def _flags_of_image(case: RemedyContext, text: StartText) -> set[str]:
    image = next((name for name in _image_names(text) if name), "")
    return {flag for flag_image, flag in _repository_flags(case) if image and flag_image == image}


def _flags_of_repository(case: RemedyContext) -> set[str]:
    return {flag for _, flag in _repository_flags(case)}


def _image_names(text: StartText) -> Iterator[str]:
    for body, _, _ in text.manifest.containers():
        if body.get("name") == text.container:
            yield ImageReference.parse(str(body.get("image", ""))).full


def _repository_flags(case: RemedyContext) -> Iterator[tuple[str, str]]:
    for application in case.repository.applications:
        for manifest in case.repository.objects(application):
            for body, _, _ in manifest.containers():
                image = ImageReference.parse(str(body.get("image", ""))).full
                for key in ("command", "args"):
                    for word in body.get(key) or ():
                        if isinstance(word, str):
                            yield from ((image, flag) for flag in _FLAG.findall(word))


def _common_flag(wrong: str, words: list[str]) -> str:
    """Return the flag with one part corrected, where every other part is a common word of flags already."""
    parts = re.split(r"([._-])", wrong)
    strange = [index for index, part in enumerate(parts) if len(part) >= _SHORT and part.lower() not in words]
    if len(strange) != 1:
        return ""
    part = parts[strange[0]]
    ranked = sorted((distance(part, word), word) for word in words if is_typo(part, word))
    near = [word for slips, word in ranked if slips == ranked[0][0] <= 1]
    if len(near) != 1:
        return ""
    return "".join([*parts[: strange[0]], near[0], *parts[strange[0] + 1 :]])


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
