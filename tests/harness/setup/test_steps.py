"""Steps of the set-up: what they show, and two of them at once."""

import sys
import time
from pathlib import Path

import pytest

from harness.errors import UnavailableError
from harness.setup import steps

# Says that it is there, and how it was ended.
_WAITS = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.default_int_handler)
folder = pathlib.Path(sys.argv[1])
try:
    (folder / "there").touch()
    time.sleep(60)
except KeyboardInterrupt:
    (folder / "ended").touch()
"""


def _wait_for(path: Path) -> None:
    deadline_s = time.monotonic() + 30.0
    while not path.exists():
        assert time.monotonic() < deadline_s, f"{path.name} never came"
        time.sleep(0.01)


def test_a_step_shows_what_its_output_means_and_keeps_the_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PITWALL_CACHE", str(tmp_path))
    monkeypatch.setattr(steps, "_HEARTBEAT_S", -1.0)
    command = [sys.executable, "-c", "print('one'); print('two')"]
    log = steps.run_step("some work: of two lines", command, progress=lambda line: f"<{line[0]}>")
    assert log == tmp_path / "logs" / "some_work.log"
    assert log.read_text() == "one\ntwo\n"
    said = capfd.readouterr().err
    assert "some work: <o>" in said
    assert "some work: <t>" in said


def test_a_failed_step_shows_the_end_of_its_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PITWALL_CACHE", str(tmp_path))
    with pytest.raises(UnavailableError, match=r"some work \(exit 3\).*some_work.log"):
        steps.run_step("some work", [sys.executable, "-c", "print('why'); raise SystemExit(3)"])
    assert "why" in capfd.readouterr().err


def test_what_runs_beside_is_waited_for(tmp_path: Path) -> None:
    done = tmp_path / "done"
    with steps.beside([sys.executable, "-c", f"open({str(done)!r}, 'w')"]):
        pass
    assert done.exists()


@pytest.mark.parametrize("error", [UnavailableError, KeyboardInterrupt])
def test_what_runs_beside_a_failed_step_is_ended(
    tmp_path: Path, error: type[BaseException]
) -> None:
    with (
        pytest.raises(error),
        steps.beside([sys.executable, "-c", _WAITS, tmp_path]),
    ):
        _wait_for(tmp_path / "there")
        raise error
    assert (tmp_path / "ended").exists()


def test_what_fails_beside_is_left_to_who_needs_it() -> None:
    with steps.beside([sys.executable, "-c", "raise SystemExit(4)"]):
        pass
