"""What the environment says, read once."""

from __future__ import annotations

import pytest

from remediator.errors import ConfigError
from remediator.settings import Settings


def test_credentials_of_several_targets_come_as_one_text() -> None:
    text = "# Loki\nLOKI_TOKEN__PROD_EU=fake-eu\n\nREMEDIATOR_ARGOCD_TOKEN__PROD_US = fake=us \n"
    settings = Settings.from_environ({"REMEDIATOR_CREDENTIALS": text, "REMEDIATOR_LOKI_TOKEN__PROD_EU": ""})
    assert settings.outside("ARGOCD", "TOKEN", "prod-us") == "fake=us"
    assert settings.outside("LOKI", "TOKEN", "prod-eu") == ""  # a variable of its own counts first, empty or not
    settings = Settings.from_environ({"REMEDIATOR_CREDENTIALS": text})
    assert settings.access("LOKI", "prod-eu").token.get_secret_value() == "fake-eu"


@pytest.mark.parametrize("line", ["LOKI_TOKEN__PROD_EU fake", "PATH=/tmp", "GITHUB_TOKEN=fake", "OPENAI_API_KEY=fake"])
def test_a_line_that_cannot_be_meant_is_named_without_what_it_holds(line: str) -> None:
    with pytest.raises(ConfigError, match="line 2") as found:
        Settings.from_environ({"REMEDIATOR_CREDENTIALS": f"LOKI_TOKEN__A=x\n{line}"})
    assert "fake" not in str(found.value)
