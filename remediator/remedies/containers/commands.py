"""Commands that cannot be executed and arguments that the program does not know."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from remediator.domain.incident import Evidence
from remediator.domain.text import HOST_JOINERS, word_pattern
from remediator.domain.yaml_paths import MISSING
from remediator.remedies.engine.acceptable_values import without_match
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.spelling import distance, is_typo, nearest
from remediator.remedies.views.image_reference import ImageReference
from remediator.remedies.views.start_texts import StartText, commands, configs, containers

_FLAG = re.compile(r"(?<![\w-])--?([A-Za-z][\w.-]*\w)")
_SHORT = 3
"""Below this length nothing is told from a typo but by its directory."""


def fix_command(case: RemedyContext) -> Iterator[Fix]:
    """Correct the word that cannot be executed to the program that was meant; the history is asked first."""
    for wrong, evidence in _by_fact(case.signals("command_not_found"), "command", "executable"):
        denied = any("permission denied" in one.text for one in evidence)
        yield from _split(case, evidence, wrong)
        for place, names in _places(case, evidence, wrong, whole=True):
            new = "" if denied else _program(case, wrong, names)
            yield _command_fix(case, place, wrong, new, evidence)
    for wrong, evidence in _by_fact(case.signals("command_in_shell_not_found"), "command"):
        for place, names in _places(case, evidence, wrong, whole=False):
            yield _command_fix(case, place, wrong, _program(case, wrong, names), evidence)


def _command_fix(case: RemedyContext, place: StartText, wrong: str, new: str, evidence: list[Evidence]) -> Fix:
    pattern = word_pattern(wrong, HOST_JOINERS)
    value = pattern.sub(lambda _: new, place.value) if new else place.value
    holder = place.container or place.manifest.name
    return Fix(
        title=f"run `{new}` instead of `{wrong}` in `{holder}`",
        reason=f"`{wrong}` cannot be executed; `{new}` is one slip away and is a program that is known to exist.",
        evidence=case.cite(*evidence),
        wants=(place.want(value),),
        parameters={"container": place.container, "from": wrong, "to": new},
        score=0.75 if new else 0.0,
        accepts=without_match(pattern),
    )


def _split(case: RemedyContext, evidence: list[Evidence], wrong: str) -> Iterator[Fix]:
    """A program and its arguments written as one word, where nothing in it needs a shell."""
    words = wrong.split()
    known = [str(name) for name in _list(case.action.options.get("programs"))]
    if (
        len(words) < 2
        or re.search(r"[|&;<>$`\"'\\*(){}]", wrong)
        or not (words[0].startswith("/") or words[0] in known)
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
                    Want(target.application, target.manifest, (*command, 0), words[0]),
                    Want(target.application, target.manifest, command, [wrong, *words[1:]]),
                ),
                parameters={"container": str(container.get("name", "")), "from": wrong},
                score=0.7,
            )


def _by_fact(evidence: list[Evidence], *names: str) -> Iterator[tuple[str, list[Evidence]]]:
    """Evidence by the word it names."""
    groups: dict[str, list[Evidence]] = {}
    for one in evidence:
        word = next((one.facts[name] for name in names if one.facts.get(name)), "")
        groups.setdefault(word, []).append(one)
    yield from ((word, group) for word, group in groups.items() if word)


def _places(
    case: RemedyContext, evidence: list[Evidence], wrong: str, *, whole: bool
) -> list[tuple[StartText, list[str]]]:
    """Where the word stands, with names that stand near it; none where two containers could be meant.

    One Application's text may feed several: then each target has its own place.
    """
    found: dict[tuple[str, str], list[tuple[StartText, list[str]]]] = {}
    pattern = word_pattern(wrong, HOST_JOINERS)
    for target, container, path in containers(case, evidence):
        texts = list(commands(target, container, path))
        here = [one for one in texts if (one.value == wrong if whole else pattern.search(one.value))]
        names = [str(container.get("name", "")), target.manifest.name, _last(str(container.get("image", "")))]
        names += [posixpath.basename(one.value) for one in texts if one.value != wrong]
        found.setdefault(_of(target.application.name, target.manifest.name), []).extend(
            (one, names) for one in here[:1]
        )
    if not whole and not any(found.values()):
        for target in case.targets:
            here = [one for one in configs(case, target) if pattern.search(one.value)]
            found[_of(target.application.name, target.manifest.name)] = [(one, [target.manifest.name]) for one in here]
    return [places[0] for places in found.values() if len(places) == 1]


def _of(application: str, name: str) -> tuple[str, str]:
    return application, name


def _last(image: str) -> str:
    return ImageReference.parse(image).repository.rpartition("/")[2]


def _program(case: RemedyContext, wrong: str, names: list[str]) -> str:
    """The program that was meant, its directory kept; empty where the word is a program in its own right."""
    folder, base = posixpath.split(wrong)
    known = [str(name) for name in _list(case.action.options.get("programs"))]
    if base in known or not base:
        return ""
    whole = nearest(wrong, [word for word in _executed(case) if posixpath.basename(word) != base])
    if whole:
        return whole
    new = nearest(base, [name for name in names if name and name != base]) or _one_slip(base, known)
    return posixpath.join(folder, new) if new else ""


def _one_slip(base: str, known: list[str]) -> str:
    """The single well-known program at the least distance; two at the same distance are no answer."""
    alike = [name for name in known if _digits(name) == _digits(base)]
    ranked = sorted((distance(base, name), name) for name in alike if is_typo(base, name) or _short(base, name))
    if not ranked or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
        return ""
    return ranked[0][1] if ranked[0][0] <= (1 if len(base) < 5 else 2) else ""


def _digits(name: str) -> str:
    """Its digits alone: no slip turns a letter into one."""
    return re.sub(r"\D", "", name)


def _short(base: str, name: str) -> bool:
    return len(name) < _SHORT and len(base) == len(name) + 1 and set(name) <= set(base)


def _executed(case: RemedyContext) -> list[str]:
    """First words of all commands in the repository's workloads."""
    words = []
    for application in case.repository.applications:
        for manifest in case.repository.objects(application):
            for body, _, _ in manifest.containers():
                command = body.get("command")
                if isinstance(command, list) and command and isinstance(command[0], str):
                    words.append(command[0])
    return list(dict.fromkeys(words))


def fix_args(case: RemedyContext) -> Iterator[Fix]:
    """Correct a flag that the program does not know to the one it knows; the history is asked first."""
    for said, evidence in _by_fact(case.signals("unknown_flag"), "flag"):
        wrong = said.strip("-").partition("=")[0]
        for place in _flag_places(case, evidence, wrong):
            new = _flag(case, place, wrong)
            value = _renamed(place.value, wrong, new) if new else place.value
            present = {one.value for one in _words(case, place)}
            yield Fix(
                title=f"correct flag `{wrong}` of `{place.container}` to `{new}`",
                reason=f"the program does not know the flag `{wrong}`; `{new}` is one slip away and known.",
                evidence=case.cite(*evidence),
                wants=(place.want(value),),
                parameters={"container": place.container, "from": wrong, "to": new},
                score=0.7 if new else 0.0,
                accepts=partial(_other_flag, wrong=wrong, present=present),
            )


def _other_flag(old: Any, *, wrong: str, present: set[str]) -> bool:
    """Whether an older word can have stood in this place: none, or one that has not only moved along the list."""
    if old is MISSING:
        return True
    return isinstance(old, str) and bool(old) and old not in present and _stem(old) != wrong and not _names(old, wrong)


def _flag_places(case: RemedyContext, evidence: list[Evidence], wrong: str) -> list[StartText]:
    found: dict[tuple[str, str], list[StartText]] = {}
    for target, container, path in containers(case, evidence):
        for one in commands(target, container, path):
            if one.path[-2] in ("command", "args") and _names(one.value, wrong):
                found.setdefault(_of(target.application.name, target.manifest.name), []).append(one)
    return [places[0] for places in found.values() if len(places) == 1]


def _words(case: RemedyContext, place: StartText) -> list[StartText]:
    for target in case.targets:
        if target.manifest is place.manifest:
            for container, path, _ in target.manifest.containers():
                if container.get("name") == place.container:
                    return list(commands(target, container, path))
    return []


def _names(value: str, flag: str) -> bool:
    """Whether the word holds this flag: alone, with `=value`, or inside a shell's line."""
    return bool(re.search(rf"(?<![\w-])-{{1,2}}{re.escape(flag)}(?![\w.-])", value))


def _renamed(value: str, wrong: str, new: str) -> str:
    return re.sub(rf"(?<![\w-])(-{{1,2}}){re.escape(wrong)}(?![\w.-])", lambda found: found[1] + new, value)


def _stem(value: str) -> str:
    return value.lstrip("-").partition("=")[0]


def _flag(case: RemedyContext, place: StartText, wrong: str) -> str:
    """From the program's own usage text, then what its image is given elsewhere, then the common words of flags."""
    pods = {one.subject.pod for one in case.signals("unknown_flag")}
    told = {flag for one in case.statements if one.subject.pod in pods for flag in _FLAG.findall(one.text)} - {wrong}
    own = {_stem(one.value) for one in _words(case, place) if one.value.startswith("-")}
    elsewhere = _flags_of_image(case, place) | _flags_of_repository(case)
    return (
        nearest(wrong, told - own)
        or nearest(wrong, elsewhere - own - {wrong})
        or _common(wrong, [str(word) for word in _list(case.action.options.get("words"))])
    )


def _flags_of_image(case: RemedyContext, place: StartText) -> set[str]:
    image = next((one for one in _images(place) if one), "")
    return {flag for other, flag in _repository_flags(case) if image and other == image}


def _flags_of_repository(case: RemedyContext) -> set[str]:
    return {flag for _, flag in _repository_flags(case)}


def _images(place: StartText) -> Iterator[str]:
    for body, _, _ in place.manifest.containers():
        if body.get("name") == place.container:
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


def _common(wrong: str, words: list[str]) -> str:
    """A flag whose every part but one is a word that flags are made of, and that one is a slip away from such a word."""
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


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
