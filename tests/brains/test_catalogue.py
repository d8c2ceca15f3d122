from pathlib import Path

import pytest

from brains import artifacts, catalogue
from brains.availability import to_drive
from brains.catalogue import find_model, load_brain, model_names
from brains.gpu import nvidia_gpu, nvidia_gpus
from harness.errors import DataError, UsageError


def test_names_and_default() -> None:
    wanted = {"null", "explicit", "tf_baseline", "tflite_baseline", "tflite_dynamic"}
    assert wanted <= set(model_names())
    assert catalogue.default_model() == "tflite_dynamic"


def test_unknown_model_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"tflite_dynmic.*null, explicit.*tflite_dynamic"):
        find_model("tflite_dynmic")


@pytest.mark.parametrize(
    "name", ["net.tflite", "/there/net.onnx", "../net.H5", "net.pt", "./net.keras", "a b.engine"]
)
def test_case_12_a_networks_file_is_no_model_and_the_line_says_how_it_becomes_one(
    name: str,
) -> None:
    with pytest.raises(UsageError, match="PITWALL_MODELS") as caught:
        find_model(name)
    assert str(caught.value).startswith(f"{name} is a file, not a model: ")
    assert "docs/guides/models.md, A network of your own" in str(caught.value)
    assert "\n" not in str(caught.value)
    guide = Path(catalogue.__file__).parents[1] / "docs" / "guides" / "models.md"
    assert "\n## A network of your own\n" in guide.read_text()


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
