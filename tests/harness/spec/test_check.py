"""What stands on roslaunch's command line is looked at before anything starts."""

import subprocess

import pytest

from brains import availability
from brains.availability import Availability, Lack
from harness.errors import UnavailableError, UsageError
from harness.spec.check import check_arguments


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["circuit.launch", "model:=tftrt_fp64"], "tflite_dynamic"),
        (["circuit.launch", "circuit:=monza"], "simple_circuit"),
        (["--screen", "circuit.launch", "laps:=0"], "laps"),
        (["circuit.launch", "lapz:=1"], "unknown argument 'lapz'; known: model, circuit"),
        (["replay.launch", "model:=explicit"], "no bag given"),
    ],
)
def test_a_slip_is_one_line(words: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        check_arguments(["harness", *words])
    assert "\n" not in str(caught.value)


def test_a_model_that_lacks_something_is_refused_before_its_circuit_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        availability,
        "to_drive",
        lambda model: Availability(Lack.HARDWARE, f"{model.name} lacks a GPU"),
    )
    with pytest.raises(UnavailableError, match="tftrt_fp16 lacks a GPU"):
        check_arguments(["harness", "circuit.launch", "model:=tftrt_fp16", "circuit:=monza"])


def test_what_is_right_or_none_of_ours_passes() -> None:
    check_arguments(["harness", "circuit.launch", "model:=explicit", "--port=1"])
    check_arguments(["other_package", "circuit.launch", "model:=nonsense"])
    check_arguments(["some/file.launch", "laps:=0"])
    check_arguments(["--help"])
    check_arguments(["harness", "circuit.launch", "--ros-args"])
    check_arguments([])


def test_roslaunch_itself_ends_with_the_exit_code_of_the_slip() -> None:
    command = ["roslaunch", "harness", "circuit.launch", "laps:=0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert (done.stdout, done.stderr.count("\n")) == ("", 1)
