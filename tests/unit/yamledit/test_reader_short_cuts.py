"""Where ruamel.yaml is not asked, it would have said the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediator.yamledit.readers import ruamel_tag, tag_12

_TEXTS = st.one_of(
    st.from_regex(r"[A-Za-z_/][A-Za-z0-9_./@-]{0,12}", fullmatch=True),
    st.from_regex(r"-?[0-9]{1,12}", fullmatch=True),
    st.from_regex(r"[0-9]{1,6}[A-Za-z]{0,2}", fullmatch=True),
    st.text(min_size=1, max_size=8),
)


@given(_TEXTS)
def test_the_short_cut_agrees_with_the_reader(text: str) -> None:
    assert tag_12(text) == ruamel_tag(text)


@pytest.mark.parametrize(
    "text",
    ["true", "null", "on", "512Mi", "0644", "1e3", "0o17", "12:30:45", "-0", "0", ".inf", "~", "infinity", "e3", "_1"],
)
def test_what_readers_quarrel_about(text: str) -> None:
    assert tag_12(text) == ruamel_tag(text)
