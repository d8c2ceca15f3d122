"""PilotNet in TensorFlow and TFLite against the contract of brains."""

from pathlib import Path

import pytest

from brains.artifacts import artifact_path
from brains.build import build_artifact
from brains.catalogue import find_model, load_brain
from brains.check import check_brain, road_frame
from brains.pilotnet_file import PARAMETERS

# Their relatives are tested with their engines.
NETWORKS = ["tf_baseline", "tflite_baseline", "tflite_dynamic"]


@pytest.mark.parametrize("name", NETWORKS)
def test_contract_of_networks(name: str, weights: Path) -> None:
    if find_model(name).built:
        build_artifact(find_model(name))
    failed = [check for check in check_brain(name) if not check.passed]
    assert not failed


@pytest.mark.parametrize("name", NETWORKS)
def test_proof_of_networks(name: str, weights: Path) -> None:
    model = find_model(name)
    if model.built:
        build_artifact(model)
    proof = load_brain(name).proof()
    # A TFLite file has the leading normalisation folded: 12 parameters become 3 to 6.
    assert PARAMETERS - 12 <= proof["parameters"] <= PARAMETERS
    # Random outputs lie within about +-1: int8 weights shift them by some hundredths.
    assert proof["reference_difference"] < (0.05 if "dynamic" in name else 1e-4)
    if model.backend == "tflite":
        assert proof["operators"].keys() == {"xnnpack"}
        assert proof["operators"]["xnnpack"]["FULLY_CONNECTED"] == 5
        assert proof["threads"] == 1


def test_networks_agree_on_a_frame(weights: Path) -> None:
    build_artifact(find_model("tflite_baseline"))
    frame = road_frame((480, 640, 3))
    keras, lite = (load_brain(name).infer(frame) for name in ("tf_baseline", "tflite_baseline"))
    assert keras.v_m_s == pytest.approx(lite.v_m_s, abs=1e-3)
    assert keras.w_rad_s == pytest.approx(lite.w_rad_s, abs=1e-3)


def test_built_artifact_is_kept_and_a_broken_one_is_made_again(weights: Path) -> None:
    model = find_model("tflite_baseline")
    path = build_artifact(model)
    made_ns = path.stat().st_mtime_ns
    assert build_artifact(model).stat().st_mtime_ns == made_ns
    path.write_bytes(b"broken")
    build_artifact(model)
    assert path == artifact_path(model)
    assert path.stat().st_size > 60 * 2**20
