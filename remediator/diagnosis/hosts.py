"""Finds the host that a line complains about: a refused connection is not the fault of the one that logs it."""

from __future__ import annotations

import re

from remediator.domain.incident import Subject

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*"
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?:https?|tcp|grpc|amqps?|rediss?|postgres(?:ql)?|mysql|mongodb(?:\+srv)?|nats|kafka|ws)://(?:[^@/\s]*@)?(?P<host>{_HOST})(?::(?P<port>\d+))?",
        rf"(?:lookup|resolve(?: host)?:?|ENOTFOUND|EAI_AGAIN|bad address|UnknownHostException:?|host name|upstream|server host|name) ['\"]?(?P<host>{_HOST})['\"]?(?: on|:|\)|\s|$|,|\.)",
        rf"(?:connect(?:ion|ing)?|dial tcp|call(?:ing)?|reach(?:ing)?|request|talk) (?:to|for) (?:server at )?['\"]?(?P<host>{_HOST})['\"]?(?::| port |,? ?\()?(?P<port>\d+)?",
        rf"(?:target|host|addr(?:ess)?|server|upstream|url|tried)['\"]?\s*[:=]\s*['\"]?(?P<host>{_HOST})(?::(?P<port>\d+))?",
        rf"(?<![\w./@-])(?P<host>{_LABEL}(?:-{_LABEL})*(?:\.{_LABEL})*):(?P<port>\d{{2,5}})(?!\d|[.:]\d|:)",
    )
)
_NEVER = {
    "localhost",
    "tcp",
    "http",
    "https",
    "error",
    "server",
    "host",
    "line",
    "port",
    "the",
    "a",
    "to",
    "failed",
    "at",
    "on",
    "is",
    "db",
    "database",
}
_STOP = {"the", "a", "an", "or", "not", "resolution", "service", "error", "failed", "upstream", "host", "remote"}
_STOP |= {"econnrefused", "econnreset", "etimedout", "ehostunreach", "enotfound", "eai_again", "connectexception"}
_STOP |= {"dial", "lookup", "get", "post", "head", "read", "write", "connect", "tcp", "tcp4", "tcp6", "udp"}


def is_name(host: str) -> bool:
    """Return True where a word before an address is the name of its owner, not a word of the sentence."""
    return host not in _STOP and host not in _NEVER


def host_in(text: str) -> tuple[str, str]:
    """Return the host and port that the line is about; either may be empty, and IP addresses are no names."""
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            host = match["host"].lower()
            if (
                host in _STOP
                or host == "localhost"
                or re.fullmatch(r"[\d.]+", host)
                or host.endswith((".go", ".py", ".js", ".java"))
            ):
                continue
            if not match.groupdict().get("port") and host in _NEVER:
                continue
            return host, match.groupdict().get("port") or ""
    return "", ""


def service_subject(host: str, near: Subject) -> Subject:
    """Return the Service that a host name means for the caller; a name outside the cluster becomes a `Host`."""
    labels = host.split(".")
    inside = len(labels) == 1 or (len(labels) >= 3 and labels[2] == "svc") or (len(labels) == 2)
    if not inside:
        return Subject(cluster=near.cluster, kind="Host", name=host)
    namespace = labels[1] if len(labels) > 1 else near.namespace
    return Subject(cluster=near.cluster, namespace=namespace, kind="Service", name=labels[0])
