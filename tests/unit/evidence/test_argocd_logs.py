"""Lines of Argo CD's own controllers name the Application, set or object that they are about, in fields of their own."""

from __future__ import annotations

import pytest

from remediator.evidence import Pattern, Scanner, text_input

SCANNER = Scanner([Pattern("failed", "(?i)failed|forbidden")])


def subjects(text: str) -> list[tuple[str, str, str, str]]:
    """Return application, namespace, kind and name of each statement."""
    statements = SCANNER.scan([text_input("log.txt", text)]).statements
    return [
        (item.subject.application, item.subject.namespace, item.subject.kind, item.subject.name) for item in statements
    ]


@pytest.mark.parametrize(
    ("line", "subject"),
    [
        (
            'time="2026-03-20T09:21:08Z" level=info msg="Adding resource result, status: \'SyncFailed\'" application=argocd/shop kind=Job name=migrate namespace=goods phase=Sync',
            ("shop", "goods", "Job", "migrate"),
        ),
        (
            'time="2026-03-20T09:21:09Z" level=warning msg="Skipping auto-sync: failed previous sync attempt" application=argocd/shop',
            ("shop", "argocd", "Application", "shop"),
        ),
        (
            '{"application":"shop","grpc.code":"Unknown","grpc.service":"repository.RepoServerService","level":"error","msg":"failed call"}',
            ("shop", "", "Application", "shop"),
        ),
        (
            '{"applicationset":{"Namespace":"argocd","Name":"addons"},"level":"error","msg":"failed to validate"}',
            ("", "argocd", "ApplicationSet", "addons"),
        ),
        (
            'time="2026-03-20T09:21:09Z" level=error msg="failed to generate" applicationset=argocd/addons',
            ("", "argocd", "ApplicationSet", "addons"),
        ),
        ('{"application":"shop","level":"error","msg":"payment failed"}', ("", "", "", "")),
    ],
)
def test_the_fields_name_the_subject(line: str, subject: tuple[str, str, str, str]) -> None:
    assert subjects(line + "\n") == [subject]


def test_another_program_that_prints_such_a_line_speaks_for_itself() -> None:
    line = 'time="2026-03-20T09:21:09Z" level=error msg="sync failed" application=argocd/shop'
    text = f"$ kubectl logs -n web pod/web-5d7b9c6f8b-x2m7k\n{line}\n"
    (statement,) = SCANNER.scan([text_input("log.txt", text)]).statements
    assert statement.speaker == "log:web"


def test_a_refused_pod_is_the_subject_of_an_event_without_one() -> None:
    text = (
        "$ kubectl -n shop describe rs -l app=web | grep Warning\n"
        '  Warning  FailedCreate  2m9s (x21 over 47h)  replicaset-controller  Error creating: pods "web-5d7b9c6f8b-x2m7k" is forbidden: violates PodSecurity "restricted:v1.31": runAsNonRoot != true\n'
    )
    assert subjects(text) == [("", "shop", "Deployment", "web")]


@pytest.mark.parametrize(
    ("line", "subject"),
    [
        (
            'time="2026-03-20T09:21:08Z" level=error msg="`helm template . --name-template shop-core --namespace goods --values v.yaml` failed exit status 1: Error: x" execID=1',
            ("shop-core", "", "Application", "shop-core"),
        ),
        (
            '2026-03-20T09:21:08Z\tERROR\tReconciler error\t{"controller": "applicationset", "ApplicationSet": {"name":"addons","namespace":"argocd"}, "error": "failed: no key"}',
            ("", "argocd", "ApplicationSet", "addons"),
        ),
    ],
)
def test_the_release_or_the_set_that_a_message_names_is_its_subject(line: str, subject: tuple[str, str, str, str]):
    assert subjects(line + "\n") == [subject]


def test_a_message_that_names_a_release_is_the_word_of_the_program_that_prints_it() -> None:
    line = "`helm template . --name-template other` failed exit status 1: Error: x"
    (statement,) = SCANNER.scan([text_input("log.txt", f"$ kubectl logs -n web pod/web-0\n{line}\n")]).statements
    assert statement.speaker == "log:web"
