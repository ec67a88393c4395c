"""Facts that the platform's own sentences hold: missing objects, images, probes, verbs, quotas.

The sentences are those of kubelet, scheduler, controllers, API server and container runtimes. Only what a sentence says
literally becomes a fact, so that a category's pattern need not repeat it.
"""

from __future__ import annotations

import re

from remediator.evidence.kinds import kind_of

_NAME = r"[A-Za-z0-9](?:[\w.:-]{0,252}\w)?"

_MISSING = re.compile(
    rf"""(?P<kind>[A-Za-z][\w.-]{{1,60}})\ ["'](?P<name>{_NAME})["']\ (?:was\ )?not\ found"""
    rf"""|error\ looking\ up\ service\ account\ (?P<sans>{_NAME})/(?P<sa>{_NAME}):""",
    re.VERBOSE,
)
_KEY = re.compile(
    r"couldn't find key (?P<key>\S+) in (?P<kind>ConfigMap|Secret) (?P<namespace>[^\s/]+)/(?P<name>[^\s,;\"]+)"
    r"|references non-existent (?P<refkind>secret|config) key:? (?P<refkey>[^\s,;]+)"
)
_FORBIDDEN = re.compile(
    r' is forbidden: User "(?P<user>[^"]{1,300})" cannot (?P<verb>\w+) resource '
    r'"(?P<resource>[^"]{1,200})" in API group "(?P<group>[^"]{0,200})"(?: in the namespace "(?P<namespace>[^"]{1,63})"| at the (?P<scope>cluster) scope)?'
)
_PROBE = re.compile(
    r"\b(?P<probe>Liveness|Readiness|Startup) probe (?P<how>failed|errored|warning)\b[^:]{0,40}: ?(?P<why>.*)",
    re.DOTALL,
)
_URL = re.compile(
    r'(?P<url>(?P<scheme>https?|tcp|grpc)://(?P<host>\[[0-9a-fA-F:]+\]|[^\s:/"\'?]+)(?::(?P<port>\d{1,5}))?(?P<path>/[^\s"\'?]*)?)'
)
_DIAL = re.compile(
    r"dial (?:tcp|udp|unix)[46]? (?:(?P<host>\[[0-9a-fA-F:]+\]|[^\s:]+):(?P<port>\d{1,5})|(?P<socket>/\S+))"
)
_STATUS_CODE = re.compile(r"statuscode: (?P<code>\d{3})")
_CONTAINER = re.compile(
    rf"""(?:Created|Started|Stopping|Killing)\ container:?\ (?P<a>{_NAME})$
       | Container\ (?P<b>{_NAME})\ (?:failed\ (?:liveness|readiness|startup)\ probe|definition\ changed)
       | container\ "?(?P<c>{_NAME})"?\ in\ pod\ "?(?P<pod>{_NAME})"?
       | container:\ (?P<d>{_NAME})\)
       | for\ container\ "(?P<e>{_NAME})"
       | failed\ to\ "\w+"\ for\ "(?P<f>{_NAME})"\ with
    """,
    re.VERBOSE,
)
_POD_REF = re.compile(
    rf'pod: ?"(?P<pod>{_NAME})_(?P<namespace>[a-z0-9-]+)\((?P<uid>[0-9a-f-]+)\)"|pod="(?P<ns2>[a-z0-9-]+)/(?P<pod2>{_NAME})"'
)


def _named_facts(sentence: re.Pattern[str], text: str) -> dict[str, str]:
    match = sentence.search(text)
    return {fact: value for fact, value in match.groupdict().items() if value} if match else {}


def _first(groups: dict[str, str | None], *names: str) -> str:
    return next((value for name in names if (value := groups.get(name))), "")


def _missing(text: str, facts: dict[str, str]) -> None:
    if match := _MISSING.search(text):
        if match["sa"]:
            facts |= {"missing_kind": "ServiceAccount", "missing": match["sa"], "missing_namespace": match["sans"]}
        elif match["name"] and match["kind"].lower() not in {"image", "manifest", "file", "command", "user"}:
            facts |= {"missing_kind": kind_of(match["kind"]), "missing": match["name"]}
    if "key" in text and (match := _KEY.search(text)):
        facts["key"] = match["key"] or match["refkey"]
        if match["name"]:
            facts |= {"key_kind": match["kind"], "key_object": match["name"], "key_namespace": match["namespace"]}


def _forbidden(text: str, facts: dict[str, str]) -> None:
    if not (match := _FORBIDDEN.search(text)):
        return
    facts |= {"user": match["user"], "verb": match["verb"], "resource": match["resource"], "api_group": match["group"]}
    facts["scope"] = "cluster" if match["scope"] else "namespace" if match["namespace"] else ""
    facts["resource_namespace"] = match["namespace"] or ""
    parts = match["user"].split(":")
    if parts[:2] == ["system", "serviceaccount"] and len(parts) == 4:
        facts |= {"service_account_namespace": parts[2], "service_account": parts[3]}


def _probe(text: str, facts: dict[str, str]) -> None:
    if not (match := _PROBE.search(text)):
        return
    facts |= {"probe": match["probe"].lower(), "probe_result": match["how"]}
    why = match["why"]
    if url := _URL.search(why):
        facts |= {"probe_url": url["url"], "probe_port": url["port"] or "", "probe_path": url["path"] or ""}
    if dial := _DIAL.search(why):
        facts["probe_port"] = facts.get("probe_port") or dial["port"] or ""
    if code := _STATUS_CODE.search(why):
        facts["status_code"] = code["code"]


_MOST_CHARACTERS = 6_000
"""Characters that are read: the platform's sentences are short, and what stands further in is somebody's payload."""

_SENTENCES = tuple(
    (needle, re.compile(pattern))
    for needle, pattern in (
        ("image", r'(?:[Ff]ailed to pull image|Back-off pulling image|Pulling image|Successfully pulled image|Container image|Failed to inspect image|failed to pull and unpack image) "(?P<image>[^"\s]{1,512})"'),
        ("image tag", r'Failed to apply default image tag "(?P<image>[^"\s]{1,512})"'),
        ("restarting failed", rf"restarting failed container[ =](?P<container>{_NAME}) (?:in )?pod[ =](?P<pod>{_NAME})_(?P<namespace>[a-z0-9-]+)\([0-9a-f-]+\)"),
        ("Successfully assigned", rf"Successfully assigned (?P<namespace>[^\s/]+)/(?P<pod>{_NAME}) to (?P<node>\S+)"),
        ("Created pod", rf"Created pod: (?P<created_pod>{_NAME})"),
        ("replica set", rf"Scaled (?:up|down) replica set (?P<replica_set>{_NAME}) (?:from \d+ )?to (?P<replicas>\d+)(?: from (?P<replicas_before>\d+))?"),
        ("exec:", r'exec: "(?P<executable>[^"]{1,512})": (?P<exec_error>executable file not found in \$PATH|stat [^:]+: no such file or directory|permission denied|is a directory|no such file or directory)'),
        ("is forbidden: ", rf'\bpods? "(?P<denied_pod>{_NAME}-?)" is forbidden: (?!User)'),
        ("requested resource", rf'could not find (?:version "[\w.]+" of )?[\w.-]+/(?P<requested_kind>[A-Z]\w*) for requested resource (?P<requested_namespace>[a-z0-9-]*)/(?P<requested_name>{_NAME})'),
        ("missing request for", rf"missing request for (?P<request_missing>[a-z0-9./-]+)(?: in container (?P<request_container>{_NAME}) of Pod (?P<request_pod>{_NAME}))?"),
        ("exit", r"\bexit(?:ed)?(?: with)?(?: status| code|Code)[:=]? ?(?P<exit_code>\d{1,3})\b"),
        ("nodes are available", r"(?s)\b(?P<nodes_fit>\d{1,6})/(?P<nodes>\d{1,6}) nodes are available: (?P<unschedulable>.*?)(?:\. ?preemption:|$)"),
        ("failed for volume", r'(?:MountVolume\.\w+|AttachVolume\.\w+|UnmountVolume\.\w+) failed for volume "(?P<volume>[^"]{1,253})"'),
        ("process", r"(?:Killed process|oom-kill:|Out of memory: Kill(?:ed)? process)[ :](?:(?P<pid>\d+) \((?P<process>[^)]{1,64})\))?"),
        ("anon-rss", r"anon-rss:(?P<anon_rss_kb>\d+)kB"),
        ("is invalid:", r'(?s)\b(?P<invalid_kind>[A-Z][A-Za-z]{1,60})(?:\.[\w.-]{1,100})? "(?P<invalid_name>[^"]{1,253})" is invalid: (?P<field>[\w.\[\]"/-]+): (?P<problem>[A-Z][\w ]{1,30})(?:: (?P<value>.{0,200}))?'),
    )
)  # fmt: skip
"""The needle that a cheap test looks for, and the sentence: each of its groups is the fact of that name."""

_QUOTAS = tuple(
    re.compile(pattern)
    for pattern in (
        r"exceeded quota: (?P<quota>[\w.-]+), requested: (?P<quota_requested>\S+), used: (?P<quota_used>\S+), limited: (?P<quota_limited>\S+)",
        r"failed quota: (?P<quota>[\w.-]+): must specify (?P<quota_resources>[\w.,/-]+)(?: for: (?P<quota_containers>[\w.,-]+))?",
        r"(?P<quota_bound>maximum|minimum) (?P<quota_resource>[\w./-]+) usage per (?P<quota_per>Container|Pod|PersistentVolumeClaim) is (?P<quota_limit>[\w.]+), but (?:limit|request) is (?P<quota_value>[\w.]+)",
    )
)
"""Refusals by a quota or a limit range, as facts too."""


def message_facts(text: str) -> dict[str, str]:
    """Return the facts in a sentence of the platform; `container`, `pod`, `namespace`, `node`, `image` are the subject's.

    Never raises and costs a few substring tests where the text is no such sentence.
    """
    facts: dict[str, str] = {}
    text = text[:_MOST_CHARACTERS]
    for needle, sentence in _SENTENCES:
        if needle in text:
            facts |= _named_facts(sentence, text)
    if "found" in text or "looking up" in text or "couldn't find key" in text or "non-existent" in text:
        _missing(text, facts)
    if "is forbidden" in text:
        _forbidden(text, facts)
        for refusal in _QUOTAS:
            facts |= _named_facts(refusal, text)
    if " probe " in text:
        _probe(text, facts)
    if "ontainer" in text or "failed to" in text:
        _container(text, facts)
    if "pod=" in text or "pod: " in text:
        _pod(text, facts)
    if "dial " in text and (match := _DIAL.search(text)) and match["port"]:
        facts |= {"dial_host": match["host"], "dial_port": match["port"]}
    return facts


def _container(text: str, facts: dict[str, str]) -> None:
    if "container" not in facts and (match := _CONTAINER.search(text)):
        name = _first(match.groupdict(), "a", "b", "c", "d", "e", "f")
        if name and name not in {"in", "with", "image", "runtime", "has", "failed"}:
            facts["container"] = name
        if match["pod"]:
            facts.setdefault("pod", match["pod"])


def _pod(text: str, facts: dict[str, str]) -> None:
    if match := _POD_REF.search(text):
        groups = match.groupdict()
        facts.setdefault("pod", _first(groups, "pod", "pod2"))
        facts.setdefault("namespace", _first(groups, "namespace", "ns2"))


SUBJECT_FACTS = ("container", "pod", "namespace", "node", "image")
"""The facts that belong to the subject."""
