"""Secrets in the shapes in which people paste them, and words that only look like one."""

from __future__ import annotations

import base64
import string
from random import Random

import pytest

from remediator.evidence.redact import Redactor

REDACT = Redactor().text


def fake(length: int, seed: str = "fake", letters: str = string.ascii_letters + string.digits) -> str:
    """Return a made-up secret that looks random, the same in every run."""
    return "".join(Random(seed).choices(letters, k=length))


S, HEX = fake(20), fake(64, letters="0123456789abcdef")
LOGIN = base64.b64encode(f"robot:{fake(10)}".encode()).decode()

SECRETS = [
    # keys, glued, in camel case, with a suffix, in Korean
    (S, f"userPassword={S}"),
    (S, f"LICENSEKEY={S}"),
    (S, f"hmacKey: {S}"),
    (S, f"spring.datasource.hikari.dbPasswd={S}"),
    (S, f"SECRET_KEY_BASE={S}"),
    (S, f"ldap_bindpw={S}"),
    (S, f"DB_PASS_B64={S}"),
    (S, f"mfaCode={S}"),
    (S, f"비밀번호: {S}"),
    (S, f"인증키={S}"),
    (S, f"패스워드는 {S}입니다"),
    ("482913", "인증번호 482913"),
    ("482913", "Your one-time password is 482913"),
    # escapes
    (S, f'"{{\\\\\\"password\\\\\\":\\\\\\"{S}\\\\\\"}}"'),
    (S, f'{{\\"apiKey\\":\\"{S}\\"}}'),
    # manifests
    (S, f"- name: ORDERS_API_TOKEN\n  value: {S}"),
    (S, f'{{"name": "DB_PASSWORD", "value": "{S}"}}'),
    # commands
    (S, f"sshpass -p {S} ssh deploy@host"),
    (S, f"mysqldump -h db -u root -p{S} orders"),
    (S, f"redis-cli -h cache -a {S} ping"),
    (S, f"docker login registry.example.com -u robot -p {S}"),
    (S, f"kubectl create secret generic db --from-literal=password={S}"),
    (S, f"openssl rsa -passin pass:{S} -in key.pem"),
    # files
    (S, f"machine git.example.com login robot password {S}"),
    (S, f"db.example.com:5432:orders:robot:{S}"),
    (f"$2y$10${fake(53)}", f"robot:$2y$10${fake(53)}"),
    # headers and addresses
    (HEX, f"Authorization: AWS4-HMAC-SHA256 Credential=x/20260302/eu/s3/aws4_request, Signature={HEX}"),
    (S, f'Authorization: Digest username="robot", realm="r", nonce="n", response="{S}"'),
    (LOGIN, f"proxy sent Basic {LOGIN}"),
    (LOGIN, f'{{"auths":{{"r.example.com":{{"auth":"{LOGIN}"}}}}}}'),
    (S, f"GET /callback?state=x&code={S} 302"),
    (f"p/{S}", f"postgres://robot:p/{S}@db/orders"),
    (S, f"jdbc:oracle:thin:robot/{S}@//db:1521/X"),
    (S, f"JSESSIONID={S}; Path=/"),
    (S, f"PRIVATE-TOKEN: {S}"),
    # families
    (f"tskey-auth-{S}-{S}", f"joining with tskey-auth-{S}-{S}"),
    (f"gsk_{fake(52)}", f"key gsk_{fake(52)} is used"),
    (f"xai-{fake(80)}", f"xai-{fake(80)}"),
    (f"figd_{fake(40)}", f"figd_{fake(40)}"),
    (f"sntrys_{fake(64)}", f"token sntrys_{fake(64)}"),
    (f"xkeysib-{fake(64)}", f"xkeysib-{fake(64)}"),
    (f"ATATT3{fake(60)}", f"ATATT3{fake(60)}"),
    (f"123456789:AA{fake(33)}", f"https://api.telegram.org/bot123456789:AA{fake(33)}/send"),
    (f"AKCp{fake(69)}", f"jfrog AKCp{fake(69)}"),
    # prose and persons
    (S, f"login failed with password '{S}'"),
    ("900101-1052528", "주민등록번호 900101-1052528"),
]

HARMLESS = [
    "partition_key=Orders2027Q3West",
    "routing_key=orders.created.v3Beta",
    "nextToken: PageTwentySeven27",
    "unexpected token: IDENTIFIER_Long7Name",
    "credential: WorkloadIdentityFederation1",
    "authorization: enabled-by-default-policy-v1",
    "cookie: SameSite=Lax",
    "serviceaccount token: projected",
    '"auth": "oauth2proxyenabled"',
    "pwd=C:\\\\app",
    "sk-learn-pipeline-runner-production-v2",
    "image registry.example.com:5000/shop/web@sha256:" + HEX,
    "secret_reference_missing_in_namespace",
    "password: expired",
    "Renew the licence in the Secret that the workload reads.",
    "GET /orders?code=SHIPPED&page=2",
    "Basic settings were applied to 12 hosts",
    "login page answers 200",
    "version 2026-1103 of 12:34:56:shop:web",
    "the password is wrong",
    "token bucket has 20 left",
    "- name: ORDERS_TABLE\n  value: Orders2027Q3West",
    "ico-moon font was loaded from the cache",
]


@pytest.mark.parametrize(("secret", "line"), SECRETS, ids=[line[:24] for _, line in SECRETS])
def test_a_secret_is_taken_out_whatever_stands_around_it(secret: str, line: str) -> None:
    told = REDACT(line)
    assert secret not in told
    assert "[redacted:" in told
    assert REDACT(told) == told


@pytest.mark.parametrize("line", HARMLESS)
def test_words_that_look_like_a_secret_stay(line: str) -> None:
    assert REDACT(line) == line
