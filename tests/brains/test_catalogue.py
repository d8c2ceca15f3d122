from pathlib import Path

import pytest

from brains import artifacts, catalogue, cpu
from brains.catalogue import brain_class, find_model, load_brain, model_names, why_not
from brains.gpu import nvidia_gpu, nvidia_gpus
from harness.errors import DataError, UnavailableError, UsageError


def write_module(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.py").write_text(text)


def test_names_and_default() -> None:
    wanted = {"null", "explicit", "tf_baseline", "tflite_baseline", "tflite_dynamic"}
    assert wanted <= set(model_names())
    assert catalogue.default_model() == "tflite_dynamic"


def test_unknown_model_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"tflite_dynmic.*null, explicit.*tflite_dynamic"):
        find_model("tflite_dynmic")


def test_user_brain_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_module(
        tmp_path,
        "brain_of_mine",
        "from brains.interface import Brain, Command\n"
        "class Mine(Brain):\n    def predict(self, frame):\n        return Command(7.0, 0.5)\n"
        "class Other:\n    pass\n",
    )
    monkeypatch.chdir(tmp_path)
    assert why_not(find_model("brain_of_mine:Mine")) is None
    brain = load_brain("brain_of_mine:Mine")
    assert type(brain).__name__ == "Mine"
    with pytest.raises(UsageError, match="no class 'Missing'"):
        load_brain("brain_of_mine:Missing")
    with pytest.raises(UsageError, match="not a Brain"):
        load_brain("brain_of_mine:Other")
    with pytest.raises(UsageError, match="names no brain"):
        load_brain("brain_of_mine:")


def test_module_that_does_not_exist_or_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_module(tmp_path, "brain_that_fails", "raise RuntimeError('two\\nlines')\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="cannot import 'no_such_module'") as missing:
        brain_class("no_such_module:Brain")
    with pytest.raises(UsageError, match=r"'brain_that_fails'.*two lines") as failing:
        brain_class("brain_that_fails:Brain")
    assert "\n" not in str(missing.value) + str(failing.value)


def test_abstract_brain_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_module(
        tmp_path,
        "brain_half_done",
        "from brains.interface import Brain\nclass Half(Brain):\n    pass\n",
    )
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"Half.*predict"):
        load_brain("brain_half_done:Half")


def test_missing_framework_is_one_line_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "tf_keras" else object()
    )
    line = why_not(find_model("tf_baseline"))
    assert line is not None
    assert "tf_keras" in line
    assert "make setup EXTRAS=tf" in line
    with pytest.raises(UnavailableError, match="make setup EXTRAS=tf"):
        load_brain("tf_baseline")


def test_nvidia_models_say_what_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "nvidia_gpu", lambda: None)
    for name in ("tftrt_fp32", "tftrt_fp16", "tftrt_int8", "trt_fp16", "trt_int8"):
        line = why_not(find_model(name))
        assert line is not None
        assert "needs an NVIDIA GPU, and here is none; with one:" in line
        assert "\n" not in line
        with pytest.raises(UnavailableError, match="NVIDIA GPU"):
            load_brain(name)


def test_a_cpu_without_the_instructions_is_known_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = find_model("openvino_bf16")
    flags = "flags\t\t: fpu avx2\n"
    (tmp_path / "cpuinfo").write_text("processor\t: 0\n" + flags)
    monkeypatch.setattr(cpu, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(catalogue, "cpu_flags", cpu.cpu_flags.__wrapped__)
    assert catalogue.why_not_this_cpu(find_model("openvino_fp32")) is None
    assert "avx512_bf16" in str(why_not(model))
    with pytest.raises(UnavailableError, match="CPU"):
        load_brain(model.name)
    (tmp_path / "cpuinfo").write_text(flags.replace("avx2", "avx512_bf16"))
    assert catalogue.why_not_this_cpu(model) is None


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


def test_the_driver_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool, asked = tmp_path / "nvidia-smi", tmp_path / "asked"
    tool.write_text(f"#!/bin/sh\necho x >>{asked}\necho 'Board 9000, 555.1'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("tftrt_fp32", "tftrt_fp16", "trt_fp16"):
        why_not(find_model(name))
    assert asked.read_text() == "x\n"


def test_missing_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PITWALL_WEIGHTS", str(tmp_path))
    line = why_not(find_model("tflite_dynamic"))
    assert line is not None
    assert "pilotnet_dynamic.tflite is missing" in line
    with pytest.raises(DataError, match=r"pilotnet_dynamic\.tflite is missing"):
        load_brain("tflite_dynamic")


@pytest.mark.parametrize("how", ["cut", "changed", "unlisted"])
def test_broken_or_swapped_artifact_is_refused_by_name(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PITWALL_WEIGHTS", str(tmp_path))
    artifact = tmp_path / "pilotnet_dynamic.tflite"
    artifact.write_bytes(bytes(range(256)))
    artifacts.write_sums(tmp_path)
    assert why_not(find_model("tflite_dynamic")) is None
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
