from remediator.evidence import Pattern, Scanner, text_input


def test_an_events_table_becomes_statements_about_the_workload():
    table = (
        "$ kubectl get events -n shop\n"
        "LAST SEEN   TYPE      REASON    OBJECT                     MESSAGE\n"
        "2m          Warning   BackOff   pod/web-6b7f8c9d5f-zx4lp   Back-off restarting failed container app in pod web-6b7f8c9d5f-zx4lp_shop(0b7a8f0e-2a56-4b7a-9c36-5f70a1a8f6c1)\n"
    )
    (found,) = Scanner([Pattern("backoff", "Back-off restarting")]).scan([text_input("log", table)]).statements
    assert (found.line, found.channel, found.reason) == (3, "event", "BackOff")
    assert (found.subject.kind, found.subject.name, found.subject.container, found.subject.namespace) == (
        "Deployment",
        "web",
        "app",
        "shop",
    )
