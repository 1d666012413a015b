"""Steps: what they print, and that a long one says why it takes long."""

from __future__ import annotations

import time

import pytest

from local import progress
from local.progress import step


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LONG_SECONDS", 0.05)


def test_a_long_step_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    with step("sam build", "it installs packages") as notes:
        notes.append("nothing new")
        time.sleep(0.2)
    assert capsys.readouterr().out == "  sam build ... it installs packages ... 0.2 s (nothing new)\n"


def test_a_short_one_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    with step("sam build", "it installs packages"):
        pass
    time.sleep(0.1)
    assert capsys.readouterr().out == "  sam build 0.0 s\n"


@pytest.mark.parametrize(("error", "word"), [(KeyboardInterrupt, "interrupted"), (ValueError, "failed")])
def test_what_ended_a_step_is_said(error: type[BaseException], word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(error), step("sam build"):
        raise error
    assert capsys.readouterr().out == f"  sam build {word}\n"
