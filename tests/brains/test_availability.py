"""What can be built, loaded and driven here, and the one line that says what is missing."""

from pathlib import Path

import pytest

from brains import availability, cpu
from brains.availability import Availability, Lack, to_build, to_drive, to_load
from brains.catalogue import find_model, load_brain
from harness.errors import DataError, UnavailableError


def test_nothing_is_missing_or_its_line_is_told() -> None:
    Availability().require()
    with pytest.raises(UnavailableError, match="no such engine"):
        Availability(Lack.SOFTWARE, "no such engine").require()


def test_missing_framework_is_one_line_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "tf_keras" else object()
    )
    found = to_drive(find_model("tf_baseline"))
    assert found.lack is Lack.SOFTWARE
    line = str(found.reason)
    assert "tf_keras" in line
    assert "make setup EXTRAS=tf" in line
    with pytest.raises(UnavailableError, match="make setup EXTRAS=tf"):
        load_brain("tf_baseline")


def test_nvidia_models_say_what_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(availability, "nvidia_gpu", lambda: None)
    for name in ("tftrt_fp32", "tftrt_fp16", "tftrt_int8", "trt_fp16", "trt_int8"):
        model = find_model(name)
        found = to_drive(model)
        assert found == to_load(model) == to_build(model)
        assert found.lack is Lack.HARDWARE
        line = str(found.reason)
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
    monkeypatch.setattr(availability, "cpu_flags", cpu.cpu_flags.__wrapped__)
    assert to_load(find_model("openvino_fp32")).lack is not Lack.HARDWARE
    assert to_load(model).lack is Lack.HARDWARE
    assert "avx512_bf16" in str(to_drive(model).reason)
    with pytest.raises(UnavailableError, match="CPU"):
        load_brain(model.name)
    (tmp_path / "cpuinfo").write_text(flags.replace("avx2", "avx512_bf16"))
    assert to_load(model).lack is not Lack.HARDWARE


def test_what_builds_a_model_is_another_question_than_what_runs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "tf_keras" else object()
    )
    model = find_model("tflite_baseline")
    assert to_load(model).ok
    assert to_build(model).lack is Lack.SOFTWARE
    assert "building it needs tf_keras: run `make setup EXTRAS=tf`" in str(to_build(model).reason)


def test_a_row_without_a_brain_is_one_line() -> None:
    found = to_drive(find_model("explicit").model_copy(update={"brain": None}))
    assert (found.lack, "names no brain" in str(found.reason)) == (Lack.SOFTWARE, True)


def test_the_driver_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool, asked = tmp_path / "nvidia-smi", tmp_path / "asked"
    tool.write_text(f"#!/bin/sh\necho x >>{asked}\necho 'Board 9000, 555.1'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("tftrt_fp32", "tftrt_fp16", "trt_fp16"):
        to_drive(find_model(name))
    assert asked.read_text() == "x\n"


def test_missing_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PITWALL_WEIGHTS", str(tmp_path))
    found = to_drive(find_model("tflite_dynamic"))
    assert found.lack is Lack.FILE
    assert "pilotnet_dynamic.tflite is missing" in str(found.reason)
    assert to_load(find_model("tflite_dynamic")).ok
    with pytest.raises(DataError, match=r"pilotnet_dynamic\.tflite is missing"):
        load_brain("tflite_dynamic")
