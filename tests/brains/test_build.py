"""Making models' files: into the cache, into a weights folder, whole or not at all."""

import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from brains import artifacts, availability, build, catalogue, outcomes, sources
from brains.catalogue import find_model
from brains.model import ModelSpec
from brains.network import weights_summary
from brains.workshop import Progress, Workshop
from harness.cli.main import build_app
from harness.errors import DataError, UnavailableError, UsageError

MODEL = ModelSpec(
    name="toy",
    title="Toy",
    family="pilotnet",
    backend="python",
    brain="brains.backends.null:NullBrain",
    artifact="toy/",
    recipe=f"{__name__}:two_files",
)
TRAINED = MODEL.model_copy(
    update={"artifact": "toy.bin", "recipe": None, "training": f"{__name__}:training"}
)


def two_files(workshop: Workshop) -> None:
    workshop.target.mkdir()
    (workshop.target / "net.xml").write_text("layers")
    (workshop.target / "net.bin").write_bytes(workshop.weights().read_bytes())
    (workshop.scratch / "left over").write_text("")


def training(workshop: Workshop) -> None:
    step = workshop.scratch / "step"
    done = int(step.read_text()) if step.exists() else 0
    step.write_text(str(done + 1))
    if done == 0:
        workshop.target.write_text("half")
        raise KeyboardInterrupt
    workshop.target.write_text(f"{workshop.data_set()} {done}")


@pytest.fixture
def weights_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "pilotnet.npz").write_bytes(b"weights")
    artifacts.write_sums(folder)
    monkeypatch.setenv("PITWALL_WEIGHTS", str(folder))
    monkeypatch.setenv("PITWALL_CACHE", str(tmp_path / "cache"))
    return folder


def test_a_folder_is_built_once_and_checked_file_by_file(weights_folder: Path) -> None:
    path = build.build_artifact(MODEL)
    assert artifacts.checked_artifact(MODEL) == path
    assert artifacts.artifact_bytes(path) == len("layers") + len("weights")
    made_ns = (path / "net.xml").stat().st_mtime_ns
    assert (build.build_artifact(MODEL) / "net.xml").stat().st_mtime_ns == made_ns
    (path / "stranger").write_text("")
    with pytest.raises(DataError, match="stranger is not listed"):
        artifacts.checked_artifact(MODEL)
    build.build_artifact(MODEL)
    (path / "net.bin").write_bytes(b"swapped")
    with pytest.raises(DataError, match=r"net\.bin is broken"):
        artifacts.checked_artifact(MODEL)
    (path / "net.bin").unlink()
    with pytest.raises(DataError, match=r"net\.bin is missing"):
        artifacts.checked_artifact(MODEL)
    build.build_artifact(MODEL)
    artifacts.checked_artifact(MODEL)


def test_two_at_once_build_it_once(weights_folder: Path, tmp_path: Path) -> None:
    begun, may_end = threading.Event(), threading.Event()
    built = []

    def slow(workshop: Workshop) -> None:
        built.append(workshop.target)
        begun.set()
        assert may_end.wait(20)
        two_files(workshop)

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor() as threads:
        patch.setattr(build, "find_recipe", lambda name: slow)
        first = threads.submit(build.build_artifact, MODEL)
        assert begun.wait(20)
        second = threads.submit(build.build_artifact, MODEL)
        time.sleep(0.2)  # long enough to do harm, were it not made to wait
        may_end.set()
        assert first.result(20) == second.result(20)
    assert len(built) == 1
    artifacts.checked_artifact(MODEL)


def test_other_weights_or_options_make_another_artifact(weights_folder: Path) -> None:
    first = artifacts.built_dir(MODEL)
    assert artifacts.built_dir(MODEL.model_copy(update={"recipe_options": {"bits": 4}})) != first
    (weights_folder / "pilotnet.npz").write_bytes(b"other weights")
    artifacts.write_sums(weights_folder)
    assert artifacts.built_dir(MODEL) != first


def test_an_edit_of_the_code_that_makes_it_makes_another_artifact(
    weights_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "brains"
    shutil.copytree(
        sources.PROJECT / "brains", package, ignore=shutil.ignore_patterns("weights", "data")
    )
    monkeypatch.setattr(sources, "PROJECT", tmp_path)
    model = find_model("openvino_int8")
    first = artifacts.built_dir(model)
    (package / "backends" / "null.py").write_text("'not imported by the recipe'")
    assert artifacts.built_dir(model) == first
    helpers = ("recipes/openvino.py", "recipes/hub.py", "recipes/pilotnet_onnx.py", "view.py")
    seen = {first}
    for name in (*helpers, "pilotnet_file.py", "training/calibration.py"):
        with (package / name).open("a") as file:
            file.write("\nEDITED = True\n")
        seen.add(artifacts.built_dir(model))
    assert len(seen) == 7


def test_sources_are_those_imported_inside_functions_too(tmp_path: Path) -> None:
    names = {path.name for path in sources.sources_of(__name__)}
    assert {"test_build.py", "build.py", "workshop.py", "view.py"} <= names
    assert "conftest.py" not in names
    assert "onnx.py" not in names
    assert sources.sources_of("no_module_of_this_name") == []


def test_swapped_weights_are_not_built_from(weights_folder: Path) -> None:
    (weights_folder / "pilotnet.npz").write_bytes(b"swapped")
    with pytest.raises(DataError, match=r"pilotnet\.npz is broken"):
        build.build_artifact(MODEL)
    artifacts.write_sums(weights_folder)
    build.build_artifact(MODEL)


def test_a_killed_training_goes_on_and_never_leaves_half_a_file(
    weights_folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "new"
    build.start_weights(output, [TRAINED])
    with pytest.raises(KeyboardInterrupt):
        build.train_file(TRAINED, Path("data"), output)
    assert not (output / "toy.bin").exists()
    path = build.train_file(TRAINED, Path("data"), output)
    assert path.read_text() == "data 1"
    assert artifacts.read_sums(output).keys() == {"pilotnet.npz", "toy.bin"}
    assert build.train_file(TRAINED, Path("data"), output).read_text() == "data 1"


def test_what_has_no_training_or_file_is_refused(weights_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no training"):
        build.train_file(MODEL, Path("data"), tmp_path)
    with pytest.raises(UsageError, match="needs no building"):
        build.build_artifact(MODEL.model_copy(update={"artifact": None}))


def test_command_goes_on_after_a_model_that_fails(weights_folder: Path) -> None:
    result = CliRunner().invoke(build_app(), ["optimize", "tflite_dynamic", "tf_baseline"])
    assert isinstance(result.exception, DataError)
    assert "pilotnet_dynamic.tflite is missing" in " ".join(result.stderr.split())
    assert f"tf_baseline: {weights_folder / 'pilotnet.npz'}" in result.stderr


CATALOGUE = """
default: here
models:
  - &here
    name: here
    title: Can be built here
    family: toy
    backend: python
    brain: brains.backends.null:NullBrain
    artifact: toy/
    recipe: tests.brains.test_build:two_files
  - {<<: *here, name: no_file, artifact: null, recipe: null}
  - {<<: *here, name: no_gpu, nvidia: any GPU}
  - {<<: *here, name: no_cpu, cpu: [flag_of_no_cpu]}
  - {<<: *here, name: no_extra, build_needs: [module_of_nobody], build_extra: magic}
  - {<<: *here, name: no_environment, environment: nowhere, extra: magic}
  - {<<: *here, name: fails_on_it, recipe: "tests.brains.test_build:lacks"}
  - {<<: *here, name: broken, recipe: "tests.brains.test_build:fails"}
"""


def lacks(workshop: Workshop) -> None:
    raise UnavailableError("the compiler is missing")


def fails(workshop: Workshop) -> None:
    raise DataError("the graph is broken")


@pytest.fixture
def toys(weights_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "models.yaml"
    path.write_text(CATALOGUE)
    monkeypatch.setattr(catalogue, "built_in_networks", list)
    content = catalogue.read_catalogue(path)
    monkeypatch.setattr(catalogue, "read_catalogue", lambda: content)
    monkeypatch.setattr(availability, "nvidia_gpu", lambda: None)
    # A process of its own would have the real catalogue.
    made_here = build.build_artifact

    def build_artifact(
        model: ModelSpec, show: Progress = build.silent, *, apart: bool = False
    ) -> Path:
        return made_here(model, show)

    monkeypatch.setattr(outcomes, "build_artifact", build_artifact)


def test_case_24_all_leaves_out_by_name_what_can_not_be_built_here(toys: None) -> None:
    done = CliRunner().invoke(build_app(), ["optimize", "all"])
    assert isinstance(done.exception, DataError)  # of `broken`, and of nothing else
    told = done.stderr
    assert f"here: {artifacts.artifact_path(find_model('here'))}" in told
    assert "broken: the graph is broken" in told
    for name, reason in {
        "no_gpu": "needs an NVIDIA GPU",
        "no_cpu": "needs a CPU with flag_of_no_cpu",
        "no_extra": "make setup EXTRAS=magic",
        "no_environment": "make setup EXTRAS=magic",
        "fails_on_it": "the compiler is missing",
    }.items():
        (line,) = [line for line in told.splitlines() if line.startswith(f"{name}: left out: ")]
        assert reason in line
    assert "no_file" not in told


def test_all_is_done_where_nothing_but_the_machine_is_in_the_way(
    toys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.fails", two_files)
    done = CliRunner().invoke(build_app(), ["optimize", "all"])
    assert done.exit_code == 0, done.output
    assert done.stderr.count("left out") == 5


@pytest.mark.parametrize("words", [["no_gpu"], ["all", "no_gpu"], ["fails_on_it", "here"]])
def test_a_model_that_is_named_itself_must_be_built(toys: None, words: list[str]) -> None:
    done = CliRunner().invoke(build_app(), ["optimize", *words])
    assert isinstance(done.exception, UnavailableError), done.output
    assert done.exception.exit_code == 4


def test_what_is_built_needs_no_builder_any_more(
    toys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = build.build_artifact(find_model("here"))
    lacking = find_model("here").model_copy(update={"build_needs": ["module_of_nobody"]})
    assert build.build_artifact(lacking) == path
    (path / "net.bin").unlink()
    with pytest.raises(UnavailableError, match="module_of_nobody"):
        build.build_artifact(lacking)


def test_command_wants_data_and_output_together() -> None:
    result = CliRunner().invoke(build_app(), ["optimize", "all", "--data", "x"])
    assert isinstance(result.exception, UsageError)


def test_weights_summary_tells_sparse_and_clustered_from_dense() -> None:
    dense = weights_summary(np.random.default_rng(0).normal(size=(100, 100)))
    assert (dense["sparsity"], dense["unique_values"]) == (0.0, None)
    clustered = weights_summary(np.array([[0, 1, 1], [0, 0, 2]], np.int8))
    assert clustered == {"elements": 6, "sparsity": 0.5, "unique_values": 3}
