"""The definition of a secret: the shapes of known tokens, and the keys whose values are secret.

Shapes follow the issuers' published formats, as the rule sets of gitleaks and detect-secrets also do. All of it is
google-re2 syntax; the group `s` (the whole match where there is none) is what gets replaced.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of secret: its name in placeholders, its shape, and lower-case text one of which must be there at all."""

    kind: str
    regex: str
    needles: tuple[str, ...]


TOKENS: tuple[Rule, ...] = (
    Rule("private-key", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?P<s>(?:[^-]|-[^-])*)(?:-----END|--|$)", ("private key",)),
    Rule("age-key", r"\bAGE-SECRET-KEY-1[0-9A-Z]{58}\b", ("age-secret-key",)),
    Rule("jwt", r"\bey[A-Za-z0-9_-]{10,}\.ey[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*", (".ey",)),
    Rule("jwe", r"\bey[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}", ("ey",)),
    Rule("github-token", r"\b(?:gh[pousr]_[A-Za-z0-9_.-]{30,}|github_pat_[A-Za-z0-9_]{22,})", ("gh", "github_pat_")),
    Rule("gitlab-token", r"\b(?:gl(?:pat|dt|rt|rtr|cbt|ptt|ft|soat|imt|agent|oas|ffct)-[A-Za-z0-9_.-]{20,}|GR1348941[\w-]{20,})", ("gl", "gr1348941")),
    Rule("aws-key-id", r"\b(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{16}\b", ("akia", "asia", "abia", "acca", "a3t")),
    Rule("aws-secret-key", r"(?i)aws[\w.-]{0,20}(?:secret|access)[\w.-]{0,20}[\"'\\]*\s*[:=]\s*[\"'\\]*(?P<s>[A-Za-z0-9/+=]{40})", ("aws",)),
    Rule("gcp-api-key", r"\bAIza[0-9A-Za-z_-]{35}", ("aiza",)),
    Rule("gcp-oauth", r"\bya29\.[0-9A-Za-z_-]{20,}", ("ya29.",)),
    Rule("azure-key", r"(?i)\b(?:AccountKey|SharedAccessKey|SharedSecretKey)=(?P<s>[A-Za-z0-9+/=]{20,})", ("key=",)),
    Rule("azure-sas", r"[?&;](?:sig)=(?P<s>[A-Za-z0-9%+/=_-]{20,})", ("sig=",)),
    Rule("azure-client-secret", r"\b[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34}", ("q~",)),
    Rule("slack-token", r"\bx(?:ox[a-z]|app)-[0-9A-Za-z-]{10,}", ("xox", "xapp-")),
    Rule("slack-webhook", r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<s>[A-Za-z0-9_/+-]{20,})", ("hooks.slack.com",)),
    Rule("discord-webhook", r"discord(?:app)?\.com/api/webhooks/(?P<s>\d{10,}/[\w-]{20,})", ("api/webhooks",)),
    Rule("teams-webhook", r"webhook\.office\.com/(?P<s>webhookb2/[\w@./-]{40,})", ("webhook.office.com",)),
    Rule("stripe-key", r"\b(?:[sr]k_(?:live|test|prod)_[0-9A-Za-z]{10,}|whsec_[0-9A-Za-z+/=]{24,})", ("k_live_", "k_test_", "k_prod_", "whsec_")),
    Rule("npm-token", r"\bnpm_[A-Za-z0-9]{36}\b|:_authToken=(?P<s>[^\s\"']{8,})", ("npm_", "_authtoken")),
    Rule("pypi-token", r"\bpypi-[A-Za-z0-9_-]{50,}", ("pypi-",)),
    Rule("docker-token", r"\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}", ("dckr_",)),
    Rule("llm-key", r"\bsk-(?:proj-|ant-|svcacct-|or-)?[A-Za-z0-9_-]{20,}", ("sk-",)),
    Rule("huggingface-token", r"\b(?:hf|api_org)_[A-Za-z]{30,}\b", ("hf_", "api_org_")),
    Rule("vault-token", r"\b(?:hv[sbr]\.[\w-]{20,}|[sbr]\.[A-Za-z0-9]{24})\b", ("hvs.", "hvb.", "hvr.", "s.", "b.", "r.")),
    Rule("digitalocean-token", r"\bdo[opr]_v1_[a-f0-9]{64}\b", ("_v1_",)),
    Rule("sendgrid-key", r"\bSG\.[\w-]{16,32}\.[\w-]{16,64}", ("sg.",)),
    Rule("twilio-key", r"\bSK[0-9a-f]{32}\b", ("sk",)),
    Rule("telegram-token", r"\b\d{8,10}:AA[\w-]{33}", (":aa",)),
    Rule("grafana-token", r"\bgl(?:c_[A-Za-z0-9+/]{32,}={0,2}|sa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8})", ("glc_", "glsa_")),
    Rule("databricks-token", r"\bdapi[a-f0-9]{32}(?:-\d)?\b", ("dapi",)),
    Rule("newrelic-key", r"\bNR(?:AK|II|JS|RA)-[A-Za-z0-9]{20,}", ("nrak-", "nrii-", "nrjs-", "nrra-")),
    Rule("terraform-token", r"\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,}", (".atlasv1.",)),
    Rule("shopify-token", r"\bshp(?:at|ca|pa|ss|ua)_[a-fA-F0-9]{32}\b", ("shp",)),
    Rule("linear-key", r"\blin_(?:api|oauth)_[A-Za-z0-9]{40}", ("lin_",)),
    Rule("doppler-token", r"\bdp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{40,}", ("dp.",)),
    Rule("mailgun-key", r"\bkey-[0-9a-f]{32}\b", ("key-",)),
    Rule("url-password", r"\b[A-Za-z][A-Za-z0-9+.-]{1,30}://[^\s/:@\"']*:(?P<s>[^\s/\"']+)@", ("://",)),
    Rule("url-token", r"\bhttps?://(?P<s>[A-Za-z0-9_-]{20,})@", ("://",)),
    Rule("authorization", r"(?i)\bauthorization[\"'\\]*\s*[:=]\s*[\"'\\]*(?:bearer|basic|token|digest|negotiate|apikey|aws4-hmac-sha256)\s+(?P<s>[^\s\"'\\,;]{6,})", ("authorization",)),
    Rule("authorization", r"(?i)\bauthorization[\"'\\]*\s*[:=]\s*[\"'\\]*(?P<s>[A-Za-z0-9+/_.=-]{20,})", ("authorization",)),
    Rule("bearer", r"(?i)\bbearer\s+(?P<s>[A-Za-z0-9._~+/=-]{16,})", ("bearer",)),
    Rule("cookie", r"(?i)\b(?:set-)?cookie[\"'\\]*\s*[:=]\s*[\"'\\]*(?P<s>[^\s\"'\\][^\"'\\\r\n]{5,})", ("cookie",)),
    Rule("basic-auth", r"(?:^|\s)(?:curl|wget|http|https)\s[^\n|;]*?(?:-u|--user)[ =][\"']?[^\s:\"']+:(?P<s>[^\s\"']+)", ("-u", "--user")),
    Rule("registry-auth", r"[\"\\]*\bauth[\"\\]*\s*:\s*[\"\\]+(?P<s>[A-Za-z0-9+/]{8,}={0,2})[\"\\]", ("auth",)),
    Rule("kube-secret", r"(?i)(?:client-key-data|id-token|refresh-token|\.dockerconfigjson|\.dockercfg|tls\.key|ssh-privatekey)[\"'\\]*\s*[:=]\s*[\"'\\]*(?P<s>[A-Za-z0-9+/=._-]{8,})", ("-data", "-token", ".docker", "tls.key", "ssh-privatekey")),
)  # fmt: skip

_ALWAYS = r"pass(?:word|wd|phrase|code)?|pwd|passw|secret[_.-]?key|client[_.-]?secret|api[_.-]?secret|app[_.-]?secret|private[_.-]?key|encryption[_.-]?key|signing[_.-]?key|master[_.-]?key|access[_.-]?key|account[_.-]?key|api[_.-]?key|apikey|(?:access|refresh|auth|api|session|id|bot|csrf|oauth|bearer|vault|github|gitlab|slack|npm|deploy|personal)[_.-]?token|credentials?|connection[_.-]?string|conn[_.-]?str|sas[_.-]?token|webhook[_.-]?secret"
_RANDOM = r"secret|token|auth|key|salt|hash|nonce|dsn|cookie|session"

KEYED = rf"(?i)(?P<key>(?:^|[^A-Za-z])(?:[A-Za-z0-9_.-]{{0,60}}?[_.-])?(?P<name>{_ALWAYS}|{_RANDOM})[\"'\\]{{0,4}}(?:\s{{0,3}}(?:=>|:=|=|:)\s{{0,40}}))(?P<value>\\?\"(?P<dq>[^\"\\\n]*)\\?\"|'(?P<sq>[^'\n]*)'|(?P<bare>[^\s\"',;&}})\]<>]+))"
"""`DB_PASSWORD=x`, `"apiKey": "x"`, `password: x`, with the names at the end of the key."""

FLAGGED = rf"(?im)(?P<key>(?:^|\s)--?(?:[a-z0-9-]{{0,40}}-)?(?P<name>{_ALWAYS}|secret|token)\s+)(?P<value>\"(?P<dq>[^\"\n]*)\"|'(?P<sq>[^'\n]*)'|(?P<bare>[^\s\"'-][^\s\"']*))"
"""`--password x` on a command line."""

ALWAYS_NAME = (
    rf"(?i)(?:^|.*[_.\- ])(?:{_ALWAYS})$|(?i).*(?:password|passwd|apikey|secretkey|accesskey|privatekey|token)$"
)
RANDOM_NAME = rf"(?i)(?:^|.*[_.\- ])(?:{_RANDOM})$"
"""Names of environment variables and facts whose value is secret always, or only when it looks random."""

PLAIN_VALUE = r"(?i)^(?:|\$\(.*|\$\{.*|\{\{.*|<.*|%[sdvq].*|\*+|x+|\.+|-|null|nil|none|true|false|yes|no|undefined|unset|empty|required|missing|not|is|was|has|must|invalid|expired|incorrect|wrong|failed|denied|unknown|changeme\?|\[redacted:.*|/[\w./-]+|\d{1,4}|redacted|hidden|masked|secret|password|token|bearer|basic)$"
"""Values that are references, formats, words of prose, paths or masked already."""

EMAIL = r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24}\b"
IPV4 = r"\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b"
IPV6 = r"\b(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}\b|\b(?:[0-9a-fA-F]{1,4}:){1,6}(?::[0-9a-fA-F]{1,4}){1,6}\b|\b(?:[0-9a-fA-F]{1,4}:){2,7}:"
DATA_VALUE = r"(?m)^(?P<key>\s+\"?[\w.-]+\"?:\s+\"?)(?P<s>[A-Za-z0-9+/]{8,}={0,2})\"?,?\s*$"
"""The base64 values of a Secret's `data`, looked for only in texts that hold a Secret."""
