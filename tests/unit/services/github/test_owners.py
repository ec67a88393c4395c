"""CODEOWNERS, by the examples of GitHub's own documentation."""

from __future__ import annotations

import pytest

from remediator.services.github.owners import owners

TEXT = """\
# a comment
*       @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment.
*.go docs@example.com
*.txt @octo-org/octocats
/build/out/ @doctocat
docs/*  docs@example.com @docs
apps/ @octocat
/scripts/ @doctocat @octocat
**/logs @logger
/apps/github
/name\\ with\\ space/ @spaced
"""


@pytest.mark.parametrize(
    ("file", "people", "teams"),
    [
        ("a.yaml", ("global-owner1", "global-owner2"), ()),
        ("deep/er/a.js", ("js-owner",), ()),
        ("a.go", (), ()),
        ("a.txt", (), ("octocats",)),
        ("build/logs/x", ("logger",), ()),
        ("other/build/logs.x/y", ("global-owner1", "global-owner2"), ()),
        ("docs/a.md", ("docs",), ()),
        ("docs/deep/a.md", ("global-owner1", "global-owner2"), ()),
        ("x/apps/y/z", ("octocat",), ()),
        ("build/out/x", ("doctocat",), ()),
        ("scripts/x", ("doctocat", "octocat"), ()),
        ("deep/logs/x", ("logger",), ()),
        ("apps/github/x", (), ()),
        ("name with space/x", ("spaced",), ()),
    ],
)
def test_the_last_matching_line_counts(file: str, people: tuple[str, ...], teams: tuple[str, ...]) -> None:
    found = owners(TEXT, [file])
    assert (found.people, found.teams) == (people, teams)


def test_owners_of_several_files_are_named_once() -> None:
    assert owners("* @a\nx @b @a\n", ["x", "y"]).people == ("b", "a")
