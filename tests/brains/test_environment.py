"""Models whose engine has an environment of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from brains import artifacts, build
from brains.availability import to_drive
from brains.catalogue import find_model, load_brain, model_names, read_catalogue
from brains.environment import installed, interpreter
from brains.workshop import Workshop
from harness.cli.main import build_app
from harness.errors import DataError, PitwallError, UnavailableError
from harness.evaluation.remote import Remote
from tests.brains.other_venv import ROW, other_venv, use

NAME = "elsewhere"

ENTERS = """
import json, os, sys
from brains.catalogue import enter_environment
enter_environment(sys.argv[1])
print(json.dumps([os.getpid(), sys.prefix, sys.argv[1:]]))
"""


@pytest.fixture(scope="session")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return other_venv(tmp_path_factory.mktemp("environments") / "other")


@pytest.fixture
def model(venv: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    use(monkeypatch, venv, NAME)
    return NAME


def test_own_models_stand_beside_the_catalogues(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert model_names()[-1] == NAME
    assert read_catalogue().default == "tflite_dynamic"
    twice = tmp_path / "twice.yaml"
    twice.write_text(Path(os.environ["PITWALL_MODELS"]).read_text().replace(NAME, "explicit", 1))
    monkeypatch.setenv("PITWALL_MODELS", str(twice))
    with pytest.raises(DataError, match="explicit: such a model is in the catalogue"):
        find_model("tflite_dynamic")


def test_a_missing_environment_is_one_line(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert to_drive(find_model(model)).ok
    monkeypatch.setenv("PITWALL_VENV_ELSEWHERE", "/no/such/folder")
    assert "is no virtual environment" in str(to_drive(find_model(model)).reason)
    monkeypatch.delenv("PITWALL_VENV_ELSEWHERE")
    assert "set PITWALL_VENV_ELSEWHERE, then" in str(to_drive(find_model(model)).reason)
    extra = find_model(model).model_copy(update={"extra": "magic"})
    assert "make setup EXTRAS=magic" in str(to_drive(extra).reason)
    with pytest.raises(UnavailableError, match="runs in the environment 'elsewhere'"):
        interpreter(find_model(model))


def test_what_is_missing_is_looked_for_in_the_environment(model: str, venv: Path) -> None:
    (site_packages,) = venv.glob("lib/python3*/site-packages")
    spec = find_model(model).model_copy(update={"needs": ["only_there", "numpy_of_nobody"]})
    (site_packages / "only_there.py").write_text("")
    info = site_packages / "only_there-2.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: only-there\nVersion: 2.5\n")
    assert "needs numpy_of_nobody:" in str(to_drive(spec).reason)
    assert installed(spec) == ("only-there 2.5",)
    assert installed(find_model("tflite_dynamic")) == ()


def test_a_process_goes_on_under_the_other_interpreter(
    model: str, venv: Path, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text(ENTERS)
    for name, prefix in ((model, str(venv)), ("tflite_dynamic", sys.prefix)):
        command = [sys.executable, str(script), name, "more words"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            output, _ = process.communicate()
        assert json.loads(output) == [process.pid, prefix, [name, "more words"]]


def test_the_wrong_interpreter_refuses_to_load(model: str, venv: Path) -> None:
    with pytest.raises(UnavailableError, match=f"runs under {venv}/bin/python3"):
        load_brain(model)


def test_it_is_evaluated_under_its_interpreter(model: str, venv: Path) -> None:
    with Remote(model) as remote:
        proof = remote.ask(120, "judge", bare=False)["proof"]
        measured = remote.ask(120, "measure", count=3, block=0)
    assert Path(proof["interpreter"]).parents[1] == venv
    assert proof["engine"] == "ai-edge-litert"
    assert len(measured["predict"]["times_ms"]) == 3


def test_the_commands_run_it(model: str, venv: Path, tmp_path: Path) -> None:
    harness = Path(build.__file__).parents[1] / "harness" / "bin" / "harness"
    command = [sys.executable, str(harness), "check-brain", model]
    checked = subprocess.run(command, check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    assert "PASS  proof says what runs: ai-edge-litert" in checked.stderr
    profile = tmp_path / "profile.json"
    command = [sys.executable, str(harness), "profile", model, "--frames", "2"]
    subprocess.run([*command, "--output", str(profile)], check=True, capture_output=True)
    assert len(json.loads(profile.read_text())["latency_ms"]) == 2


def tells(workshop: Workshop) -> None:
    """A recipe: tells under what it runs."""
    print("an engine's noise")
    if workshop.model.recipe_options.get("fails"):
        raise DataError("the graph has no engine")
    if workshop.model.recipe_options.get("dies"):
        os.write(2, b"Fatal: out of memory\n")
        os._exit(134)
    workshop.progress("half", 1, 2)
    own = "process" in workshop.model.recipe_options
    workshop.target.write_text(str(os.getpid()) if own else sys.executable)


@pytest.fixture
def recipe(venv: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    np.savez(folder / "pilotnet.npz", w=np.zeros(1))
    artifacts.write_sums(folder)
    monkeypatch.setenv("PITWALL_WEIGHTS", str(folder))
    monkeypatch.setenv("PITWALL_CACHE", str(tmp_path / "cache"))


def test_it_is_built_under_its_interpreter(
    recipe: None, venv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, venv, NAME, f"recipe: {__name__}:tells")
    told: list[tuple[str, int, int]] = []
    path = build.build_artifact(find_model(NAME), lambda *step: told.append(step))
    assert Path(path.read_text()).parents[1] == venv
    assert told == [("half", 1, 2)]
    assert artifacts.checked_artifact(find_model(NAME)) == path
    build.build_artifact(find_model(NAME), lambda *step: pytest.fail("built twice"))


def trains(workshop: Workshop) -> None:
    """A training: tells in which process, of what."""
    workshop.progress("epoch 1", 1, 1)
    workshop.target.write_text(f"{os.getpid()} {workshop.data_set()}")


def test_a_training_has_a_process_of_its_own(
    recipe: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tmp_path / "rows.yaml"
    row = ROW.format(name="one", more=f"training: {__name__}:trains")
    rows.write_text(row.replace("    environment: elsewhere\n", ""))
    monkeypatch.setenv("PITWALL_MODELS", str(rows))
    told: list[tuple[str, int, int]] = []
    model, folder = find_model("one"), tmp_path / "output"
    build.start_weights(folder, [model])
    for _ in range(2):
        path = build.train_file(
            model, tmp_path / "data", folder, lambda *step: told.append(step), apart=True
        )
    process, data = path.read_text().split()
    assert (process != str(os.getpid()), data) == (True, str(tmp_path / "data"))
    assert told == [("epoch 1", 1, 1)]


def test_optimize_builds_each_model_in_a_process_of_its_own(
    recipe: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tmp_path / "rows.yaml"
    more = f"recipe: {__name__}:tells\n    recipe_options: {{process: true}}"
    text = "".join(ROW.removeprefix("\nmodels:").format(name=n, more=more) for n in ("one", "two"))
    rows.write_text("models:" + text.replace("    environment: elsewhere\n", ""))
    monkeypatch.setenv("PITWALL_MODELS", str(rows))
    for _ in range(2):
        done = CliRunner().invoke(build_app(), ["optimize", "one", "two"], catch_exceptions=False)
        assert done.exit_code == 0, done.output
    processes = [
        int(artifacts.checked_artifact(find_model(name)).read_text()) for name in ("one", "two")
    ]
    assert len({os.getpid(), *processes}) == 3


@pytest.mark.parametrize(
    ("option", "kind", "line"),
    [
        ("fails", DataError, "the graph has no engine"),
        ("dies", PitwallError, "ended with status 134: Fatal: out of memory"),
    ],
)
def test_a_build_that_fails_there_is_one_line_here(
    recipe: None,
    venv: Path,
    monkeypatch: pytest.MonkeyPatch,
    option: str,
    kind: type[PitwallError],
    line: str,
) -> None:
    more = f"recipe: {__name__}:tells\n    recipe_options: {{{option}: true}}"
    use(monkeypatch, venv, NAME, more)
    with pytest.raises(kind, match=line):
        build.build_artifact(find_model(NAME))
    assert "is missing: run `harness optimize elsewhere`" in str(to_drive(find_model(NAME)).reason)


def test_an_engine_is_kept_for_its_gpu_and_versions_alone(
    recipe: None, venv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, venv, NAME, f"recipe: {__name__}:tells")
    portable = find_model(NAME)
    engine = portable.model_copy(update={"nvidia": "a GPU"})
    made: list[list[Path]] = []
    for gpu, versions in (("A, 1", "trt 1"), ("A, 2", "trt 1"), ("A, 1", "trt 2")):
        monkeypatch.setattr(artifacts, "nvidia_gpus", lambda gpu=gpu: (gpu,))
        monkeypatch.setattr(artifacts, "installed", lambda _, versions=versions: (versions,))
        made.append([artifacts.built_dir(portable), artifacts.built_dir(engine)])
    assert len({one for one, _ in made}) == 1
    assert len({other for _, other in made}) == 3
