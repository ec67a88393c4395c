"""Values that look like secrets are put together here at run time, so that no scanner takes this file for a leak."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediator.errors import ConfigError
from remediator.evidence import Redactor
from tests.processor_time import assert_grows_linearly
from tests.unit.evidence.scanning import statements

FAKE = "Ab1" * 20
HEX = "0f1e2d3c" * 8
redactor = Redactor()


def tokens():
    return {
        "github-token": "gh" + "p_" + FAKE[:36],
        "gitlab-token": "gl" + "pat-" + FAKE[:20],
        "aws-key-id": "AK" + "IA" + "ABCDEFGH12345678",
        "gcp-api-key": "AI" + "za" + FAKE[:35],
        "slack-token": "xo" + "xb-" + FAKE[:24],
        "stripe-key": "sk" + "_live_" + FAKE[:24],
        "npm-token": "np" + "m_" + FAKE[:36],
        "pypi-token": "py" + "pi-" + FAKE[:56],
        "llm-key": "sk" + "-proj-" + FAKE[:40],
        "vault-token": "hv" + "s." + FAKE[:24],
        "digitalocean-token": "do" + "p_v1_" + HEX,
        "docker-token": "dc" + "kr_pat_" + FAKE[:27],
        "jwt": "ey" + "J" + FAKE[:20] + ".ey" + "J" + FAKE[:30] + "." + FAKE[:20],
        "azure-client-secret": "abc" + "8Q~" + FAKE[:34],
        "telegram-token": "123456789:" + "AA" + FAKE[:33],
    }


@pytest.mark.parametrize("kind", tokens())
def test_known_tokens_are_replaced_wherever_they_stand(kind):
    secret = tokens()[kind]
    for text in (secret, f"before {secret} after", f'{{"x":"{secret}"}}', f"url?x={secret}&y=1"):
        out = redactor.text(text)
        assert secret not in out
        assert "[redacted:" in out


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("POSTGRES_PASSWORD=hunter2", "hunter2"),
        ("password: hunter2", "hunter2"),
        ('{"clientSecret": "hunter2"}', "hunter2"),
        (r'msg="{\"password\":\"hunter2\"}"', "hunter2"),
        ("--password hunter2 run", "hunter2"),
        ("postgres://app:hunt@er2@db:5432/x", "hunt@er2"),
        ("Server=db;User Id=sa;Password=hunter2;", "hunter2"),
        ("Authorization: Basic aHVudGVyMjp4", "aHVudGVyMjp4"),
        ("authorization: Bearer abcdef123456", "abcdef123456"),
        ("Set-Cookie: session=abcdef0123456789; Path=/", "abcdef0123456789"),
        ("client-key-data: LS0tLS1CRUdJTiBS", "LS0tLS1CRUdJTiBS"),
        ('{"auths":{"r.io":{"auth":"dXNlcjpodW50ZXI="}}}', "dXNlcjpodW50ZXI="),
        ("AccountKey=" + "Ab1+" * 21 + "==;x", "Ab1+" * 21),
        ("curl -u user:hunter2 https://x", "hunter2"),
        ("TOKEN=aB3dE5gH7jK9mN1p", "aB3dE5gH7jK9mN1p"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc\n-----END RSA PRIVATE KEY-----", "MIIEow"),
        ("apiVersion: v1\nkind: Secret\ndata:\n  anything: aHVudGVyMg==\n", "aHVudGVyMg=="),
    ],
)
def test_values_of_secret_keys_are_replaced(text, secret):
    out = redactor.text(text)
    assert secret not in out
    assert "[redacted:" in out


@pytest.mark.parametrize(
    "text",
    [
        'secret "database-secret" not found',
        "POSTGRES_PASSWORD:  <set to the key 'password' in secret 'db'>  Optional: false",
        "couldn't find key password in Secret shop/db",
        "image: nginx@sha256:" + HEX,
        "sync to 4f1c2ab6c0de93b7a1f05f6f2b1f4bd7e6a9f311",
        "pod web-6b7f8c9d5f-zx4lp_shop(0b7a8f0e-2a56-4b7a-9c36-5f70a1a8f6c1)",
        "may require authorization: server message: insufficient_scope: authorization failed",
        'User "system:serviceaccount:shop:web" cannot list resource "secrets"',
        "SecretName:  web-tls",
        "secretName: web-tls",
        "TokenExpirationSeconds:  3607",
        "password authentication failed for user postgres",
        'panic: environment variable "POSTGRES_PASSWORD" not set',
        "DB_PASSWORD=$(DB_PASSWORD)",
        "imagePullSecrets: regcred",
        "pod-template-hash=7c9b8d6f55",
        "Liveness:  http-get http://:8080/healthz delay=10s timeout=1s period=5s #success=1 #failure=3",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    ],
)
def test_evidence_stays(text):
    assert redactor.text(text) == text


def test_one_secret_has_one_placeholder_in_every_line_and_run():
    first, second = redactor.text("password=hunter2"), Redactor().text("retry with password=hunter2 again")
    assert first.removeprefix("password=") in second
    assert redactor.text("password=other1") != first
    assert Redactor(key=b"mine").text("password=hunter2") != first


@pytest.mark.parametrize("kind", tokens())
def test_redacting_twice_changes_nothing(kind):
    once = redactor.text(f"password={tokens()[kind]} {tokens()[kind]} token: {tokens()[kind]}")
    assert redactor.text(once) == once


@given(st.text(max_size=300))
def test_any_text_can_be_redacted_twice(text):
    once = redactor.text(text)
    assert redactor.text(once) == once


def test_addresses_only_where_the_policy_asks():
    text = "mail bob@example.com from 10.1.2.3 and 2001:db8::1 via 127.0.0.1"
    assert redactor.text(text) == text
    out = Redactor(emails=True, ips=True).text(text)
    assert "bob@" not in out
    assert "10.1.2.3" not in out
    assert "2001:db8" not in out
    assert "127.0.0.1" in out


def test_own_expressions():
    assert "X-123" not in Redactor(extra=[r"X-\d+"]).text("id X-123")
    assert Redactor(extra=[r"id=(?P<s>\d+)"]).text("id=77").startswith("id=[redacted:custom:")
    with pytest.raises(ConfigError, match="no valid"):
        Redactor(extra=["(?<=a)"])


def test_a_statement_loses_secrets_in_text_and_facts():
    described = "Name: web-0\nNamespace: shop\nLabels: <none>\nContainers:\n  app:\n    State:  Running\n    Environment:\n      DB_PASSWORD:  hunter2\n      MODE:         prod\n"
    found = [redactor.statement(s) for s in statements(described)]
    assert "hunter2" not in "".join(s.model_dump_json() for s in found)
    box = next(s for s in found if s.subject.container)
    assert box.facts["env_MODE"] == "prod"
    assert box.facts["env_DB_PASSWORD"].startswith("[redacted:")


@pytest.mark.parametrize(
    ("unit", "count"),
    [
        ("a", 300_000),
        ("password", 40_000),
        ("=", 300_000),
        ("://", 100_000),
        ('"', 300_000),
        ("ey", 150_000),
        ("-----BEGIN PRIVATE KEY-----", 10_000),
    ],
)
def test_time_is_linear(unit, count):
    assert_grows_linearly(redactor.text, unit, count)
