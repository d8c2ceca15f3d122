import math
import xmlrpc.client
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.spec.launch import model_file_name, model_name
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
        # ROS's parameter server ends at 2**31 - 1: what it can't hold would end the launch.
        ({"seed": 4294967295}, ["seed", "2147483647", "4294967295"]),
        ({"seed": 2**31}, ["seed", "2147483647"]),
        ({"seed": -1}, ["seed", "0"]),
        ({"appearance": 2**31}, ["appearance", "2147483647"]),
        ({"laps": 2**31}, ["laps", "2147483647"]),
        ({"laps": "1e3"}, ["laps", "integer"]),
        ({"timeout": "inf"}, ["timeout", "finite"]),
        ({"timeout": "nan"}, ["timeout", "finite"]),
        ({"timeout": -1.0}, ["timeout", "0"]),
        ({"timeout": 10**12}, ["timeout", "2147483647"]),
        ({"start": "nan"}, ["start", "station"]),
        ({"start": "-inf"}, ["start", "station"]),
        ({"start": "1e999"}, ["start", "station"]),
        ({"latency": "quick"}, ["latency", "measured", "fixed:<ms>", "profile:<file>"]),
        ({"latency": "fixed:nan"}, ["latency", "fixed:<ms>", "10000"]),
        ({"latency": "fixed:-1"}, ["latency", "fixed:<ms>"]),
        ({"latency": "profile:"}, ["latency", "profile:<file>"]),
        ({"image_width": 63}, ["image_width", "64"]),
        ({"image_height": 10**9}, ["image_height", "1080"]),
        ({"image_width": 640.5}, ["image_width", "integer"]),
        ({"conditions": "camera_noise=-1"}, ["conditions", "camera_noise", "0 to 128"]),
        ({"conditions": "fog=1"}, ["conditions", "fog", "camera_noise", "latency_jitter_ms"]),
        ({"conditions": "gusts=1,gusts=2"}, ["conditions", "gusts", "twice"]),
        ({"conditions": "latency_jitter_ms=5"}, ["latency_jitter_ms", "clock:=lockstep"]),
        (
            {"conditions": "latency_jitter_ms=5", "clock": "lockstep"},
            ["latency_jitter_ms", "fixed:MS"],
        ),
        ({"conditions": "gusts=1,camera_blur=2", "model": "expert"}, ["camera_blur", "expert"]),
    ],
)
def test_case_19_what_makes_no_sense_is_one_line(
    values: dict[str, object], words: list[str]
) -> None:
    with pytest.raises(UsageError) as caught:
        RunSpec.parse(values)
    text = str(caught.value)
    assert "\n" not in text
    assert all(word in text for word in words), text


def test_whatever_is_taken_gets_through_the_parameter_server() -> None:
    spec = RunSpec.parse(
        {
            "seed": 2**31 - 1,
            "appearance": 2**31 - 1,
            "laps": 2**31 - 1,
            "timeout": 2**31 - 1,
            "start": "1e300",
        }
    )
    values = spec.model_dump()
    assert xmlrpc.client.loads(xmlrpc.client.dumps((values,)))[0] == (values,)
    assert 0.0 <= spec.start_station_m() < spec.load_circuit().centreline("forward").length_m
    assert math.isfinite(spec.timeout_s())


def test_launch_arguments_ask_for_the_same_run_again() -> None:
    spec = RunSpec.parse(
        {
            **{"circuit": "montmelo", "laps": 2, "record_camera": True, "start": "12.5", "seed": 7},
            "conditions": "gusts=0.5, camera_noise=8.0",
        }
    )
    assert spec.conditions == "camera_noise=8,gusts=0.5"
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


@pytest.mark.parametrize(
    ("model", "name", "file_name"),
    [
        ("tflite_dynamic", "tflite_dynamic", "tflite_dynamic"),
        ("my_module:MyBrain", "my_module:MyBrain", "my_module.MyBrain"),
        ("/there/my_net.yaml", "my_net", "my_net"),
        ("my_net.yml/onnx_int8", "my_net/onnx_int8", "my_net--onnx_int8"),
        ("/a/b.yaml/c/net.v2.yaml/onnx_int8", "net.v2/onnx_int8", "net.v2--onnx_int8"),
    ],
)
def test_a_cards_path_is_shown_by_its_name(model: str, name: str, file_name: str) -> None:
    assert (model_name(model), model_file_name(model)) == (name, file_name)
    spec = RunSpec(model=model)
    assert f"-{file_name}-simple" in spec.folder(Path("recordings"), "now").name
