import json
from pathlib import Path

import numpy as np
import pytest

from brains import artifacts, catalogue
from brains.availability import to_drive
from brains.catalogue import (
    find_model,
    find_models,
    load_brain,
    model_names,
    read_catalogue,
)
from brains.gpu import nvidia_gpu, nvidia_gpus
from harness.errors import DataError, UsageError


def test_names_and_default() -> None:
    wanted = {"null", "explicit", "tf_baseline", "tflite_baseline", "tflite_dynamic"}
    assert wanted <= set(model_names())
    assert catalogue.default_model() == "tflite_dynamic"


def test_unknown_model_lists_the_known_ones() -> None:
    with pytest.raises(
        UsageError, match=r"tflite_dynmic.*null, explicit.*tflite_dynamic.*my_net\.yaml"
    ):
        find_model("tflite_dynmic")


@pytest.mark.parametrize(
    "name", ["net.tflite", "/there/net.onnx", "../net.H5", "net.pt", "./net.keras", "a b.engine"]
)
def test_case_12_a_networks_file_is_no_model_and_the_line_says_how_it_becomes_one(
    name: str,
) -> None:
    with pytest.raises(UsageError, match="harness model add") as caught:
        find_model(name)
    assert str(caught.value).startswith(f"{name} is a network's file: ")
    assert "docs/guides/models.md, A network of your own" in str(caught.value)
    assert "\n" not in str(caught.value)
    guide = Path(catalogue.__file__).parents[1] / "docs" / "guides" / "models.md"
    assert "\n## A network of your own\n" in guide.read_text()


CARD = """\
network: net.tflite
title: Mine
sees:
  image: {crop: [0, 0.5, 1, 1], size: [200, 66], mean: [0.485, 0.456, 0.406],
          deviation: [0.229, 0.224, 0.225]}
says:
  v: {index: 0, gain: 17.5, offset: 6.5}
  w: {index: 1, gain: 14.2, offset: -7.1}
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a user's network of PilotNet's shape, and one in it as current folder."""
    folder = tmp_path / "nets"
    folder.mkdir()
    (folder / "net.yaml").write_text(CARD)
    kept = artifacts.weights_dir() / "pitwall_fast.tflite"
    (folder / "net.tflite").write_bytes(kept.read_bytes())
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(
    "name", ["net", "net.yaml", "./net.yaml", "net.tflite", "{folder}/net.yaml"]
)
def test_a_users_network_by_its_card_its_name_or_its_file(name: str, own: Path) -> None:
    model = find_model(name.format(folder=own))
    assert (model.name, model.title, model.backend) == ("net", "Mine, TFLite", "tflite")
    assert (model.artifact, model.card) == ("net.tflite", str(own / "net.yaml"))
    assert to_drive(model).ok
    version = find_model(f"{name.format(folder=own)}/onnx_int8")
    assert (version.name, version.folder_name) == ("net/onnx_int8", "net--onnx_int8")
    assert artifacts.asked_by(version) == f"{own}/net.yaml/onnx_int8"
    assert find_model(artifacts.asked_by(version)) == version


def test_a_users_network_drives(own: Path) -> None:
    ours, theirs = load_brain("pitwall_fast"), load_brain("net.yaml")
    frame = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    assert theirs.infer(frame) == ours.infer(frame)


def test_all_versions_of_a_network(own: Path) -> None:
    names = [model.name for model in find_models("net.yaml/all")]
    assert names[0] == "net"
    assert {"net/onnx_fp32", "net/onnx_int8", "net/openvino_int8"} <= set(names)
    with pytest.raises(UsageError, match="is many models"):
        find_model("net.yaml/all")
    with pytest.raises(UsageError, match="net has no version 'onnx_int9': of a tflite file there"):
        find_model("net/onnx_int9")


def test_a_folder_of_cards_stands_beside_the_catalogue(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PITWALL_MODELS", str(own))
    monkeypatch.chdir(tmp_path)
    assert "net/onnx_int8" in model_names()
    assert find_model("net").card == str(own / "net.yaml")


def test_a_users_network_that_is_not_whole(own: Path) -> None:
    with pytest.raises(DataError, match="no such card: `harness model add FILE` writes one"):
        find_model("other.yaml")
    (own / "other.yaml").write_text(CARD)
    (own / "other.tflite").write_bytes(b"")
    with pytest.raises(DataError, match=r"is the card of net\.tflite, not of other\.tflite"):
        find_model("other.tflite")
    (own / "net.tflite").write_bytes(b"PK\x03\x04")
    with pytest.raises(DataError, match=r"net\.tflite is broken"):
        find_model("net.tflite")
    (own / "net.tflite").unlink()
    with pytest.raises(DataError, match=r"net\.tflite is missing"):
        find_model("net.yaml")


def test_the_built_in_models_are_those_of_before_they_had_cards() -> None:
    """Names, titles and all else that results and tables show, from the last hand-written rows."""
    rows = json.loads((Path(__file__).parent / "rows_before_cards.json").read_text())
    now = {model.name: model.model_dump(mode="json") for model in read_catalogue().models}
    assert list(rows) != []
    for name, row in rows.items():
        assert {field: now[name][field] for field in row} == row, name


def test_other_names_of_built_in_models() -> None:
    assert find_model("pilotnet").name == "tf_baseline"
    assert find_model("pilotnet/tflite_float32").name == "tflite_baseline"
    assert find_model("torch_pilotnet/torch_script").name == "torch_baseline"
    assert find_model("pitwall_fast/onnx_int8").name == "pitwall_fast/onnx_int8"
    assert len(find_models("pilotnet/all")) == 26


def test_a_gpu_that_does_not_answer_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answers(folder: str, script: str) -> None:
        tool = tmp_path / folder / "nvidia-smi"
        tool.parent.mkdir()
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", str(tool.parent))

    monkeypatch.setenv("PATH", str(tmp_path))
    assert nvidia_gpu() is None
    answers("two", "echo 'Board 9000, 555.1'; echo 'Board 8000, 555.1'")
    assert nvidia_gpu() == "Board 9000, 555.1"
    assert nvidia_gpus() == ("Board 9000, 555.1", "Board 8000, 555.1")
    answers("none", "echo 'no devices were found'; exit 6")
    assert nvidia_gpus() == ()


@pytest.mark.parametrize("how", ["cut", "changed", "unlisted"])
def test_broken_or_swapped_artifact_is_refused_by_name(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PITWALL_WEIGHTS", str(tmp_path))
    artifact = tmp_path / "pilotnet_dynamic.tflite"
    artifact.write_bytes(bytes(range(256)))
    artifacts.write_sums(tmp_path)
    assert to_drive(find_model("tflite_dynamic")).ok
    if how == "cut":
        artifact.write_bytes(artifact.read_bytes()[:100])
    elif how == "changed":
        artifact.write_bytes(bytes(256))
    else:
        (tmp_path / artifacts.SUMS_FILE).write_text("")
    with pytest.raises(DataError, match=r"pilotnet_dynamic\.tflite"):
        load_brain("tflite_dynamic")


def test_right_sum_but_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PITWALL_WEIGHTS", str(tmp_path))
    (tmp_path / "pilotnet_dynamic.tflite").write_bytes(b"no network at all")
    artifacts.write_sums(tmp_path)
    with pytest.raises(DataError, match="not a TFLite network"):
        load_brain("tflite_dynamic")


def test_sums_are_those_of_sha256sum(tmp_path: Path) -> None:
    (tmp_path / "a b.bin").write_bytes(b"abc")
    artifacts.write_sums(tmp_path)
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert (tmp_path / artifacts.SUMS_FILE).read_text() == f"{abc}  a b.bin\n"
    assert artifacts.read_sums(tmp_path) == {"a b.bin": abc}
    assert artifacts.checked_sha256(tmp_path / "a b.bin") == abc


def test_catalogue_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "models.yaml").write_text("models: [{name: x}]")
    with pytest.raises(DataError, match="not a model catalogue"):
        catalogue.read_catalogue(tmp_path / "models.yaml")
