from __future__ import annotations

import pytest

from .conftest import missing


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_missing_browser_fails_in_continuous_integration_and_is_named(
    monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("CI", ci)

    with pytest.raises(outcome, match=r"no chromium on the PATH; .* install it as \.ci/run does"):
        missing("no chromium on the PATH")
