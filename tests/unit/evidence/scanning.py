"""Helpers of this folder: a scan of one text, and the few fields most of them look at."""

from remediator.evidence import Pattern, Scanner, text_input

TROUBLE = Pattern("trouble", r"(?i)\b(error|failed|refused|panic|not found|denied)\b")


def scan(text, *patterns, name="log.txt"):
    return Scanner(patterns or [TROUBLE]).scan([text_input(name, text)])


def statements(text, *patterns, name="log.txt"):
    return scan(text, *patterns, name=name).statements


def brief(statement):
    subject = statement.subject
    return (statement.line, statement.channel, statement.reason, subject.kind, subject.name, subject.container)
