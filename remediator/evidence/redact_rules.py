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
    random: bool = False
    """True: only what looks random is one; words that happen to have the shape stay."""
    encoded: bool = False
    """True: it is base64 of `name:password`; another text of the shape stays."""


_PREFIXES = (
    r"aio_|ATATT3|ATCTT3|bkua_|CCIPAT_|CLOJARS_|duffel_(?:test|live)_|figd_|fio-u-|fm[12]_|fo1_|GOCSPX-|gsk_|ico-|"
    r"lsv2_(?:pt|sk)_|nfp_|ntn_|ops_ey|pcsk_|PMAK-|pnu_|pplx-|pscale_(?:tkn|pw|oauth)_|pul-|r8_|rdme_|rubygems_|sbp_|"
    r"sgp_|shippo_(?:live|test)_|sl\.|sntry[su]_|sq0(?:atp|csp|idp)-|squ_|sqp_|sqa_|tfp_|tk-us-|tskey-[a-z]+-|xai-|"
    r"xkeysib-|sm_aat_|dop_v1_|phc_|phx_|pk_live_|rk_live_|glffct-|v1\.0-[0-9a-f]{24}-|secret_"
)
"""What tokens of services begin with, by their issuers' documentation."""
_PREFIX_NEEDLES = (
    "aio_", "atatt3", "atctt3", "bkua_", "ccipat_", "clojars_", "duffel_", "figd_", "fio-u-", "fm1_", "fm2_", "fo1_", "gocspx-",
    "gsk_", "ico-", "lsv2_", "nfp_", "ntn_", "ops_ey", "pcsk_", "pmak-", "pnu_", "pplx-", "pscale_", "pul-", "r8_", "rdme_",
    "rubygems_", "sbp_", "sgp_", "shippo_", "sl.", "sntry", "sq0", "squ_", "sqp_", "sqa_", "tfp_", "tk-us-", "tskey-", "xai-",
    "xkeysib-", "sm_aat_", "dop_v1_", "phc_", "phx_", "_live_", "glffct-", "v1.0-", "secret_",
)  # fmt: skip

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
    Rule("llm-key", r"\bsk-(?:proj-|ant-|svcacct-|or-)[A-Za-z0-9_-]{20,}", ("sk-",)),
    Rule("llm-key", r"\bsk-[A-Za-z0-9_-]{20,}", ("sk-",), random=True),
    Rule("huggingface-token", r"\b(?:hf|api_org)_[A-Za-z]{30,}\b", ("hf_", "api_org_")),
    Rule("vault-token", r"\b(?:hv[sbr]\.[\w-]{20,}|[sbr]\.[A-Za-z0-9]{24})\b", ("hvs.", "hvb.", "hvr.", "s.", "b.", "r.")),
    Rule("digitalocean-token", r"\bdo[opr]_v1_[a-f0-9]{64}\b", ("_v1_",)),
    Rule("sendgrid-key", r"\bSG\.[\w-]{16,32}\.[\w-]{16,64}", ("sg.",)),
    Rule("twilio-key", r"\bSK[0-9a-f]{32}\b", ("sk",)),
    Rule("telegram-token", r"(?:\b|bot)(?P<s>\d{8,10}:AA[\w-]{32,34})", (":aa",)),
    Rule("grafana-token", r"\bgl(?:c_[A-Za-z0-9+/]{32,}={0,2}|sa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8})", ("glc_", "glsa_")),
    Rule("databricks-token", r"\bdapi[a-f0-9]{32}(?:-\d)?\b", ("dapi",)),
    Rule("newrelic-key", r"\bNR(?:AK|II|JS|RA)-[A-Za-z0-9]{20,}", ("nrak-", "nrii-", "nrjs-", "nrra-")),
    Rule("terraform-token", r"\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,}", (".atlasv1.",)),
    Rule("shopify-token", r"\bshp(?:at|ca|pa|ss|ua)_[a-fA-F0-9]{32}\b", ("shp",)),
    Rule("linear-key", r"\blin_(?:api|oauth)_[A-Za-z0-9]{40}", ("lin_",)),
    Rule("doppler-token", r"\bdp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{40,}", ("dp.",)),
    Rule("mailgun-key", r"\bkey-[0-9a-f]{32}\b", ("key-",), random=True),
    Rule("service-token", rf"\b(?:{_PREFIXES})[A-Za-z0-9_+/=.-]{{16,}}", _PREFIX_NEEDLES, random=True),
    Rule("service-token", r"\b(?:AKCp[A-Za-z0-9]{60,}|cmVmd[A-Za-z0-9]{50,}|EAA[A-Za-z0-9]{50,}|ATBB[A-Za-z0-9]{28,}|LTAI[A-Za-z0-9]{16,24}|oy2[a-z0-9]{43}|1//0[\w-]{30,}|AQVN[\w-]{35,}|FLWSECK[_-][\w-]{12,}|EZ[AT]K[A-Za-z0-9]{40,}|HRKU-[\w-]{30,}|API-[A-Z0-9]{26}|A3-[A-Z0-9]{6}-[A-Z0-9-]{20,}|[0-9a-f]{32}-us\d{1,2}|0x4A[\w-]{30,}|dt0[a-z]\d{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}|[ps]k\.eyJ[\w.-]{20,}|(?:api|sdk|mob)-[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|pat-(?:na|eu)\d-[0-9a-f-]{36})", ("akcp", "cmvmd", "eaa", "atbb", "ltai", "oy2", "1//0", "aqvn", "flwseck", "ezak", "eztk", "hrku", "api-", "a3-", "-us", "0x4a", "dt0", "k.ey", "sdk-", "mob-", "pat-")),
    Rule("url-password", r"\b[A-Za-z][A-Za-z0-9+.-]{1,30}://[^\s/:@\"']*:(?P<s>(?:[^\s/\"'@]+|[^\s\d/\"'@][^\s\"'@]*|\d+[^\s\d/\"'@][^\s\"'@]*))@", ("://",)),
    Rule("url-password", r"\bjdbc:oracle:\w+:[^\s/:@]+/(?P<s>[^\s@/]+)@", ("jdbc:oracle",)),
    Rule("url-value", r"(?i)[?&;](?:code|id_token|access_token|refresh_token|token|signature|x-amz-signature|x-amz-security-token|api_?key|key|password|pwd|secret|session|ticket|assertion)=(?P<s>[^&\s\"'#<>]{12,})", ("code=", "token=", "signature=", "key=", "password=", "pwd=", "secret=", "session=", "ticket=", "assertion="), random=True),
    Rule("aws-signature", r"(?i)\bsignature=(?P<s>[0-9a-f]{64})", ("signature=",)),
    Rule("digest-auth", r"(?i)\bdigest\s[^\n]{0,200}?\bresponse=[\"\\]*(?P<s>[A-Za-z0-9]{16,})", ("digest",)),
    Rule("basic-auth", r"(?i)\bbasic\s+(?P<s>[A-Za-z0-9+/]{10,}={0,2})", ("basic",), encoded=True),
    Rule("login", r"\bsshpass\s+-p\s*[\"']?(?P<s>[^\s\"']+)", ("sshpass",)),
    Rule("login", r"\b(?:mysql|mysqldump|mysqladmin|mariadb)\b[^\n|;]{0,200}?\s-p(?P<s>[^\s\"'-][^\s\"']{3,})", ("mysql", "mariadb")),
    Rule("login", r"\b(?:redis-cli\b[^\n|;]{0,200}?\s-a|ldap\w+\b[^\n|;]{0,200}?\s-w|(?:docker|podman|helm|oc|skopeo|az)\b[^\n|;]{0,200}?\blogin\b[^\n|;]{0,200}?\s(?:-p|--password))[ =][\"']?(?P<s>[^\s\"'-][^\s\"']{3,})", ("redis-cli", "ldap", "login")),
    Rule("login", r"\bpass(?:in|out)?\s+pass:(?P<s>[^\s\"']{4,})", ("pass:",)),
    Rule("netrc", r"\blogin\s+\S+\s+password\s+(?P<s>\S+)", ("password",)),
    Rule("pgpass", r"(?m)^[\w.*-]+:\d{2,5}:[\w.*-]+:[\w.*-]+:(?P<s>[^\s:]{4,})$", (":",)),
    Rule("literal", r"--from-literal[= ][\"']?[\w.-]+=(?P<s>[^\s\"']+)", ("--from-literal",)),
    Rule("password-hash", r"\$(?:2[abxy]?|apr1|1|5|6|7|y|argon2\w+|pbkdf2[\w-]*|scrypt)\$[\w./=,$+-]{20,}", ("$",)),
    Rule("session", r"(?i)\b(?:J?SESSION(?:_?ID)?|PHPSESSID|connect\.sid|(?:csrf|xsrf)[-_]?token|ASP\.NET_SessionId|_session)=(?P<s>[^\s;\"'&]{12,})", ("sess", "connect.sid", "srf"), random=True),
    Rule("one-time-code", r"(?i)\b(?:verification|security|one[- ]time|login|auth(?:entication)?|confirmation|2fa|mfa|otp)\s+(?:code|password|pin|passcode)\s*(?:is|:|=)\s*(?P<s>\d{4,10})\b", ("code", "password", "pin")),
    Rule("password", r"(?i)\b(?:password|passphrase|passwd|secret|token)\s+(?:(?:is|was|of|value)\s+)?[\"'`](?P<s>[^\"'`\s]{6,})[\"'`]", ("passw", "passphrase", "secret", "token"), random=True),
    Rule("password", r"(?i)\b(?:password|passphrase|passwd)\s+(?:is|was)\s+(?P<s>[^\s\"'`]{8,})", ("passw", "passphrase"), random=True),
    Rule("password", r"(?:비밀번호|패스워드|암호|비번|인증\s?토큰|토큰|시크릿|비밀\s?키|인증\s?키|접근\s?키|액세스\s?키|API\s?키)(?:은|는|이|가|을|를)?\s*[:=]?\s*[\"']?(?P<s>[!-&(-~]{6,})", ("비밀", "패스워드", "암호", "비번", "토큰", "시크릿", "키")),
    Rule("one-time-code", r"(?:인증\s?번호|인증\s?코드|보안\s?코드)(?:은|는|이|가)?\s*[:=]?\s*[\[\"']?(?P<s>\d{4,8})", ("인증", "보안")),
    Rule("personal-number", r"\b\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])-[1-8]\d{6}\b", ("-",)),
    Rule("phone-number", r"\b01[016789]-\d{3,4}-\d{4}\b", ("01",)),
    Rule("url-token", r"\bhttps?://(?P<s>[A-Za-z0-9_-]{20,})@", ("://",)),
    Rule("authorization", r"(?i)\bauthorization[\"'\\]*\s*[:=]\s*[\"'\\]*(?:bearer|basic|token|digest|negotiate|apikey|aws4-hmac-sha256)\s+(?P<s>[^\s\"'\\,;]{6,})", ("authorization",)),
    Rule("authorization", r"(?i)\bauthorization[\"'\\]*\s*[:=]\s*[\"'\\]*(?P<s>[A-Za-z0-9+/_.=-]{20,})", ("authorization",), random=True),
    Rule("bearer", r"(?i)\bbearer\s+(?P<s>[A-Za-z0-9._~+/=-]{16,})", ("bearer",)),
    Rule("cookie", r"(?i)\b(?:set-)?cookie[\"'\\]*\s*[:=]\s*[\"'\\]*(?P<s>[\w.%-]+=[^\s\"'\\;]{6,}[^\"'\\\r\n]*)", ("cookie",)),
    Rule("basic-auth", r"(?:^|\s)(?:curl|wget|http|https)\s[^\n|;]*?(?:-u|--user)[ =][\"']?[^\s:\"']+:(?P<s>[^\s\"']+)", ("-u", "--user")),
    Rule("registry-auth", r"[\"\\]*\bauth[\"\\]*\s*:\s*[\"\\]+(?P<s>[A-Za-z0-9+/]{8,}={0,2})[\"\\]", ("auth",), encoded=True),
    Rule("kube-secret", r"(?i)(?:client-key-data|id-token|refresh-token|\.dockerconfigjson|\.dockercfg|tls\.key|ssh-privatekey)[\"'\\]*\s*[:=]\s*[\"'\\]*(?P<s>[A-Za-z0-9+/=._-]{8,})", ("-data", "-token", ".docker", "tls.key", "ssh-privatekey")),
)  # fmt: skip

_ALWAYS = r"pass(?:word|wd|phrase|code)?|pwd|passw|pw|bind_?pw|secret[_.-]?key(?:[_.-]?base)?|client[_.-]?secret|api[_.-]?secret|app[_.-]?secret|private[_.-]?key|encryption[_.-]?key|signing[_.-]?key|master[_.-]?key|access[_.-]?key|account[_.-]?key|hmac[_.-]?key|licen[sc]e[_.-]?key|api[_.-]?key|apikey|(?:access|refresh|auth|api|session|id|bot|csrf|oauth|bearer|vault|github|gitlab|slack|npm|deploy|personal|private|job|runner|registration)[_.-]?token|connection[_.-]?string|conn[_.-]?str|sas[_.-]?token|webhook[_.-]?secret|t?otp|(?:mfa|otp|2fa)[_.-]?code"
_GLUED = r"password|passwd|passphrase|passcode|secret|token|bindpw|(?:secret|private|access|api|hmac|licen[sc]e|encryption|signing|master|account|auth)key|mfacode"
"""Names that also count where they end a longer one without a separator: `userPassword`, `LICENSEKEY`."""
_RANDOM = r"secret|token|auth|key|salt|hash|nonce|dsn|cookie|session|credentials?|authorization"
_ENCODED = r"(?:[_.-]?(?:b64|base64|enc(?:oded|rypted)?|value|raw))?"
"""What may follow a name and changes nothing about it: `DB_PASS_B64`."""

KEYED = rf"(?i)(?P<key>(?:^|[^A-Za-z])(?:(?:[A-Za-z0-9_.-]{{0,60}}?[_.-])?(?P<name>{_ALWAYS}|{_RANDOM})|[A-Za-z0-9_.-]{{1,60}}?(?P<glued>{_GLUED})){_ENCODED}[\"'\\]{{0,8}}(?:\s{{0,3}}(?:=>|:=|=|:)\s{{0,40}}))(?P<value>\\{{0,8}}\"(?P<dq>[^\"\\\n]*)\\{{0,8}}\"|'(?P<sq>[^'\n]*)'|(?P<bare>[^\s\"',;&}})\]<>]+))"
"""`DB_PASSWORD=x`, `"apiKey": "x"`, `password: x`, with the names at the end of the key."""

FLAGGED = rf"(?im)(?P<key>(?:^|\s)--?(?:[a-z0-9-]{{0,40}}-)?(?P<name>{_ALWAYS}|secret|token)\s+)(?P<value>\"(?P<dq>[^\"\n]*)\"|'(?P<sq>[^'\n]*)'|(?P<bare>[^\s\"'-][^\s\"']*))"
"""`--password x` on a command line."""

PAIRED = r"(?P<key>\bname[\"\\]{0,4}\s*:\s*[\"'\\]{0,4}(?P<paired>[A-Za-z0-9_.-]{1,80})[\"'\\]{0,4},?\s*[\"\\]{0,4}value[\"\\]{0,4}\s*:\s*)(?P<value>\\{0,8}\"(?P<dq>[^\"\\\n]*)\\{0,8}\"|'(?P<sq>[^'\n]*)'|(?P<bare>[^\s\"',;&})\]<>]+))"
"""`name: API_TOKEN` with `value: x` behind it, as manifests write variables, in YAML and JSON."""

ALWAYS_NAME = rf"(?i)(?:^|.*[_.\- ])(?:{_ALWAYS}){_ENCODED}$|(?i).*(?:password|passwd|passphrase|passcode|bindpw|apikey|secretkey|accesskey|privatekey|hmackey|licen[sc]ekey|mfacode){_ENCODED}$"
RANDOM_NAME = rf"(?i)(?:^|.*[_.\- ])(?:{_RANDOM}){_ENCODED}$|(?i).*(?:secret|token){_ENCODED}$"
"""Names of environment variables and facts whose value is secret always, or only when it looks random."""

HARMLESS_KEY = r"(?i)(?:partition|idempotency|routing|sort|primary|foreign|cache|object|group|lookup|public|range|dedup\w*|message|event|label|annotation|map|row|shard|next|page|continuation|sync|watch|unexpected|invalid|translation|i18n|feature|config)[_. -]?(?:key|token|hash|session)[^A-Za-z]*$"
"""Keys that bear the name of a secret and are none."""

PLAIN_VALUE = r"(?i)^(?:|\$\(.*|\$\{.*|\{\{.*|<.*|%[sdvq].*|\*+|x+|\.+|-|null|nil|none|true|false|yes|no|undefined|unset|empty|required|missing|not|is|was|has|must|invalid|expired|incorrect|wrong|failed|denied|unknown|changeme\?|\[redacted:.*|/[\w./-]+|\d{1,4}|redacted|hidden|masked|secret|password|token|bearer|basic|renew|rotate|check|projected|enabled|disabled|default|[A-Za-z]:\\.*)$"
"""Values that are references, formats, words of prose, paths or masked already."""

EMAIL = r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24}\b"
IPV4 = r"\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b"
IPV6 = r"\b(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}\b|\b(?:[0-9a-fA-F]{1,4}:){1,6}(?::[0-9a-fA-F]{1,4}){1,6}\b|\b(?:[0-9a-fA-F]{1,4}:){2,7}:"
DATA_VALUE = r"(?m)^(?P<key>\s+\"?[\w.-]+\"?:\s+\"?)(?P<s>[A-Za-z0-9+/]{8,}={0,2})\"?,?\s*$"
"""The base64 values of a Secret's `data`, looked for only in texts that hold a Secret."""
