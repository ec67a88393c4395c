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
_DENIED_POD = re.compile(rf'\bpods? "(?P<pod>{_NAME})" is forbidden: (?!User)')
_REQUESTED = re.compile(
    rf"could not find (?:version \"[\w.]+\" of )?[\w.-]+/(?P<kind>[A-Z]\w*) for requested resource (?P<namespace>[a-z0-9-]*)/(?P<name>{_NAME})"
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
_IMAGE = re.compile(
    r'(?:[Ff]ailed to pull image|Back-off pulling image|Pulling image|Successfully pulled image|Container image|Failed to inspect image|failed to pull and unpack image) "(?P<image>[^"\s]{1,512})"'
)
_INVALID_IMAGE = re.compile(r"Failed to apply default image tag \"(?P<image>[^\"\s]{1,512})\"")
_BACKOFF = re.compile(
    rf"restarting failed container[ =](?P<container>{_NAME}) (?:in )?pod[ =](?P<pod>{_NAME})_(?P<namespace>[a-z0-9-]+)\((?P<uid>[0-9a-f-]+)\)"
)
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
_ASSIGNED = re.compile(rf"Successfully assigned (?P<namespace>[^\s/]+)/(?P<pod>{_NAME}) to (?P<node>\S+)")
_CREATED_POD = re.compile(rf"Created pod: (?P<pod>{_NAME})")
_REPLICA_SET = re.compile(
    rf"Scaled (?:up|down) replica set (?P<rs>{_NAME}) (?:from \d+ )?to (?P<to>\d+)(?: from (?P<from>\d+))?"
)
_EXEC = re.compile(
    r'exec: "(?P<path>[^"]{1,512})": (?P<why>executable file not found in \$PATH|stat [^:]+: no such file or directory|permission denied|is a directory|no such file or directory)'
)
_EXIT = re.compile(r"\bexit(?:ed)?(?: with)?(?: status| code|Code)[:=]? ?(?P<code>\d{1,3})\b")
_QUOTA = re.compile(
    r"exceeded quota: (?P<quota>[\w.-]+), requested: (?P<requested>\S+), used: (?P<used>\S+), limited: (?P<limited>\S+)"
)
_QUOTA_MUST = re.compile(
    r"failed quota: (?P<quota>[\w.-]+): must specify (?P<resources>[\w.,/-]+)(?: for: (?P<containers>[\w.,-]+))?"
)
_LIMIT_RANGE = re.compile(
    r"(?P<bound>maximum|minimum) (?P<resource>[\w./-]+) usage per (?P<per>Container|Pod|PersistentVolumeClaim) is (?P<limit>[\w.]+), but (?:limit|request) is (?P<value>[\w.]+)"
)
_NODES = re.compile(
    r"\b(?P<fit>\d{1,6})/(?P<nodes>\d{1,6}) nodes are available: (?P<why>.*?)(?:\. ?preemption:|$)", re.DOTALL
)
_REQUEST = re.compile(
    rf"missing request for (?P<resource>[a-z0-9./-]+)(?: in container (?P<container>{_NAME}) of Pod (?P<pod>{_NAME}))?"
)
_VOLUME = re.compile(
    r'(?:MountVolume\.\w+|AttachVolume\.\w+|UnmountVolume\.\w+) failed for volume "(?P<volume>[^"]{1,253})"'
)
_OOM = re.compile(
    r"(?:Killed process|oom-kill:|Out of memory: Kill(?:ed)? process)[ :](?:(?P<pid>\d+) \((?P<process>[^)]{1,64})\))?"
)
_OOM_RSS = re.compile(r"anon-rss:(?P<rss>\d+)kB")
_MUST_FIELD = re.compile(
    r'\b(?P<kind>[A-Z][A-Za-z]{1,60})(?:\.(?P<group>[\w.-]{1,100}))? "(?P<name>[^"]{1,253})" is invalid: (?P<field>[\w.\[\]"/-]+): (?P<problem>[A-Z][\w ]{1,30})(?:: (?P<value>.{0,200}))?',
    re.DOTALL,
)


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


def _quota(text: str, facts: dict[str, str]) -> None:
    for pattern in (_QUOTA, _QUOTA_MUST, _LIMIT_RANGE):
        if match := pattern.search(text):
            facts |= {
                f"quota_{key}" if key != "quota" else key: value for key, value in match.groupdict().items() if value
            }


_SENTENCE = 6_000
"""Characters looked at: the platform's sentences are short, and what stands further in is somebody's payload."""

_SIMPLE: tuple[tuple[str, re.Pattern[str], tuple[tuple[str, str], ...]], ...] = (
    ("image", _IMAGE, (("image", "image"),)),
    ("image tag", _INVALID_IMAGE, (("image", "image"),)),
    ("restarting failed", _BACKOFF, (("container", "container"), ("pod", "pod"), ("namespace", "namespace"))),
    ("Successfully assigned", _ASSIGNED, (("node", "node"), ("pod", "pod"), ("namespace", "namespace"))),
    ("Created pod", _CREATED_POD, (("created_pod", "pod"),)),
    ("replica set", _REPLICA_SET, (("replica_set", "rs"), ("replicas", "to"), ("replicas_before", "from"))),
    ("exec:", _EXEC, (("executable", "path"), ("exec_error", "why"))),
    ("is forbidden: ", _DENIED_POD, (("denied_pod", "pod"),)),
    (
        "requested resource",
        _REQUESTED,
        (("requested_kind", "kind"), ("requested_name", "name"), ("requested_namespace", "namespace")),
    ),
    (
        "missing request for",
        _REQUEST,
        (("request_missing", "resource"), ("request_container", "container"), ("request_pod", "pod")),
    ),
    ("exit", _EXIT, (("exit_code", "code"),)),
    ("nodes are available", _NODES, (("nodes", "nodes"), ("nodes_fit", "fit"), ("unschedulable", "why"))),
    ("failed for volume", _VOLUME, (("volume", "volume"),)),
    ("process", _OOM, (("process", "process"), ("pid", "pid"))),
    ("anon-rss", _OOM_RSS, (("anon_rss_kb", "rss"),)),
    (
        "is invalid:",
        _MUST_FIELD,
        (
            ("invalid_kind", "kind"),
            ("invalid_name", "name"),
            ("field", "field"),
            ("problem", "problem"),
            ("value", "value"),
        ),
    ),
)
"""The needle that a cheap test looks for, the pattern, and which group becomes which fact."""


def message_facts(text: str) -> dict[str, str]:
    """Return the facts in a sentence of the platform; `container`, `pod`, `namespace`, `node`, `image` are the subject's.

    Never raises and costs a few substring tests where the text is no such sentence.
    """
    facts: dict[str, str] = {}
    text = text[:_SENTENCE]
    for needle, pattern, groups in _SIMPLE:
        if needle in text and (match := pattern.search(text)):
            facts |= {fact: value for fact, group in groups if (value := match[group])}
    if "found" in text or "looking up" in text or "couldn't find key" in text or "non-existent" in text:
        _missing(text, facts)
    if "is forbidden" in text:
        _forbidden(text, facts)
        _quota(text, facts)
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
