from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.spec.run import RunSpec
from worlds.circuit import circuit_names


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"circuit": "monza"}, circuit_names()),
        ({"model": "tftrt_fp64"}, ["tflite_dynamic"]),
        ({"laps": 0}, ["laps", "0"]),
        ({"direction": "up"}, ["direction", "forward", "reverse"]),
        ({"start": "here"}, ["start", "station"]),
        ({"clock": "sundial"}, ["clock", "lockstep"]),
        ({"lap": 1}, ["lap"]),
    ],
)
def test_what_makes_no_sense_is_one_line(values: dict[str, object], words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        RunSpec.parse(values)
    text = str(caught.value)
    assert "\n" not in text
    assert all(word in text for word in words), text


def test_launch_arguments_ask_for_the_same_run_again() -> None:
    spec = RunSpec.parse(
        {"circuit": "montmelo", "laps": 2, "record_camera": True, "start": "12.5", "seed": 7}
    )
    pairs = (argument.split(":=", 1) for argument in spec.launch_arguments())
    again = RunSpec.parse(dict(pairs))
    assert again == spec


def test_the_same_place_in_both_directions() -> None:
    forward = RunSpec(circuit="montreal")
    reverse = RunSpec(circuit="montreal", direction="reverse")
    circuit = forward.load_circuit()
    there = circuit.centreline("forward").position(forward.start_station_m())
    same = circuit.centreline("reverse").position(reverse.start_station_m())
    assert there == pytest.approx(same, abs=0.01)


def test_the_timeout_grows_with_the_laps() -> None:
    assert RunSpec(laps=3).timeout_s() == 3 * RunSpec().timeout_s()
    assert RunSpec(laps=3, timeout=10.0).timeout_s() == 10.0


def test_the_recordings_folder() -> None:
    root = Path("/r")
    assert RunSpec(model="m:B").folder(root, "T") == root / "T-m.B-simple_circuit"
    assert RunSpec(output="/else").folder(root, "T") == Path("/else")
