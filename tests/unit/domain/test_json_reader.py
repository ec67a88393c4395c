"""JSON from outside: whatever is missing or of another type gives the empty answer."""

import pytest

from remediator.domain.json_reader import objects_at, text_at, value_at

POD = {"status": {"phase": "Running", "ready": True, "restarts": 3, "conditions": [{"type": "Ready"}, None, "x"]}}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("status", "phase"), "Running"),
        (("status", "ready"), "true"),
        (("status", "restarts"), "3"),
        (("status", "conditions"), ""),
        (("status", "phase", "deeper"), ""),
        (("spec",), ""),
    ],
)
def test_a_scalar_is_read_as_json_spells_it(path, text):
    assert text_at(POD, *path) == text


def test_only_the_objects_of_a_list_are_read():
    assert objects_at(POD, "status", "conditions") == [{"type": "Ready"}]
    assert objects_at(POD, "status", "phase") == []


@pytest.mark.parametrize("document", [None, [], "text", 3, {}])
def test_no_document_is_refused(document):
    assert value_at(document, "a", "b") is None
    assert objects_at(document, "a") == []
    assert text_at(document, "a") == ""
