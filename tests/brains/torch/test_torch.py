"""PyTorch: versions of a random PilotNet, its training, pruning, and training with rounding."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from brains.artifacts import write_sums
from brains.build import build_artifact, start_weights, train_file
from brains.catalogue import find_model, load_brain
from brains.check import check_brain, road_frame
from brains.model import ModelSpec
from brains.network import NetworkBrain
from brains.preprocess import (
    V_MIN_M_S,
    V_SPAN_M_S,
    W_MIN_RAD_S,
    W_SPAN_RAD_S,
    crop,
    normalise,
)
from brains.reference import write_reference
from brains.training.dataset import Index, RunEntry
from harness.errors import DataError, UnavailableError
from harness.evaluation.row import sparsity
from tests.brains.asked import answers

torch = pytest.importorskip("torch", reason="needs the extra torch")


MIB = 2**20
PARAMETERS = 1_595_528
NORMALISATION = 6
QUANTISED = "quantised x86"
EXAMPLE = (torch.zeros(1, 66, 200, 3).permute(0, 3, 1, 2),)


def road_crops(count: int) -> NDArray[np.uint8]:
    """Frames of one road, shifted sideways at random."""
    road = crop(road_frame((480, 640, 3)))
    shifts = np.random.default_rng(0).integers(-60, 60, count)
    return np.stack([np.roll(road, shift, axis=1) for shift in shifts])


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Small networks on two threads mostly wait."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def random_torch_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights folder with a random PilotNet whose normalisation is not the identity."""
    from brains.torch_pilotnet import build_network, load_network, save_weights, to_tensor

    folder = tmp_path_factory.mktemp("torch_weights")
    torch.manual_seed(3)
    network = build_network()
    with torch.no_grad():
        network[0].running_mean.copy_(torch.tensor([0.2, -0.3, 0.1]))
        network[0].running_var.copy_(torch.tensor([0.5, 1.5, 2.0]))
        # Answers about the middle of the scale, as a trained network's are.
        network[-1].weight.mul_(0.1)
        network[-1].bias.fill_(0.5)
    save_weights(network, folder / "torch_pilotnet.npz")
    crops = road_crops(8)
    with torch.no_grad():
        outputs = load_network(folder / "torch_pilotnet.npz")(to_tensor(normalise(crops)))
    for name in ("torch_reference.npz", "reference.npz"):
        write_reference(folder / name, crops, outputs.numpy())
    write_sums(folder)
    return folder


@pytest.fixture
def torch_weights(
    random_torch_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    monkeypatch.setenv("PITWALL_WEIGHTS", str(random_torch_weights))
    monkeypatch.setenv("PITWALL_CACHE", str(tmp_path / "cache"))
    yield random_torch_weights


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data set of 64 + 16 frames; a road further to the left asks for more steering."""
    folder = tmp_path / "data"
    folder.mkdir()
    runs = []
    for split, count in (("train", 64), ("validation", 16)):
        road = crop(road_frame((480, 640, 3)))
        shifts = np.random.default_rng(count).integers(-60, 60, count)
        crops = np.stack([np.roll(road, -shift, axis=1) for shift in shifts])
        labels = np.column_stack([np.full(count, 12.0), shifts / 20]).astype(np.float32)
        np.save(folder / f"{split}_crops.npy", crops)
        np.save(folder / f"{split}_labels.npy", labels)
        entry = {"run": split, "circuit": "loop", "direction": "forward", "split": split}
        runs.append(RunEntry.model_validate({**entry, "first": 0, "frames": count}))
    (folder / "index.json").write_text(Index(schema_version=1, runs=runs).model_dump_json())
    return folder


def loaded(name: str) -> NetworkBrain:
    brain = load_brain(name)
    assert isinstance(brain, NetworkBrain)
    return brain


def test_the_first_convolution_takes_over_the_normalisation(torch_weights: Path) -> None:
    from brains.torch_network import without_normalisation
    from brains.torch_pilotnet import load_network, to_tensor

    network = load_network(torch_weights / "torch_pilotnet.npz")
    bare = without_normalisation(network)
    images = to_tensor(normalise(road_crops(4)))
    with torch.no_grad():
        np.testing.assert_allclose(bare(images), network(images), atol=1e-5)
        assert float((network[1:](images) - network(images)).abs().max()) > 1e-3


@pytest.mark.parametrize(
    ("name", "published_mib", "difference", "executed"),
    [
        (
            "torch_baseline",
            6.118725776672363,
            1e-5,
            {"aten": {"_convolution": 5, "linear": 5, "batch_norm": 1}},
        ),
        (
            "torch_dynamic",
            1.9464960098266602,
            0.02,
            {"aten": {"_convolution": 5}, QUANTISED: {"linear_dynamic": 5}},
        ),
        (
            "torch_static",
            1.6051549911499023,
            0.05,
            {QUANTISED: {"conv2d_relu": 5, "linear_relu": 4, "linear": 1}},
        ),
    ],
)
def test_torchscript_versions(
    torch_weights: Path,
    few_frames: None,
    capfd: pytest.CaptureFixture[str],
    name: str,
    published_mib: float,
    difference: float,
    executed: dict[str, dict[str, int]],
) -> None:
    build_artifact(find_model(name))
    brain = loaded(name)
    assert not [check for check in check_brain(name) if not check.passed]
    proof = brain.proof()
    assert proof["artifact_bytes"] / MIB == pytest.approx(published_mib, rel=0.01)
    assert proof["reference_difference"] < difference
    for group, kinds in executed.items():
        found = {kind.partition("::")[2]: n for kind, n in proof["operators"][group].items()}
        assert {kind: found.get(kind) for kind in kinds} == kinds
    integer = name == "torch_static"
    assert proof["parameters"] == PARAMETERS - NORMALISATION * integer
    step = 1.1 / 255 if integer else None
    assert proof["output_step_m_s"] == (step and pytest.approx(step * V_SPAN_M_S))
    assert proof["output_step_rad_s"] == (step and pytest.approx(step * W_SPAN_RAD_S))
    int8 = [layer for layer, values in brain.weights() if values.dtype == np.int8]
    assert len(int8) == {"torch_baseline": 0, "torch_dynamic": 5}.get(name, 10)
    # No engine's talk on the user's terminal.
    assert capfd.readouterr().err == ""


def test_a_file_that_is_no_torchscript_is_refused(torch_weights: Path, tmp_path: Path) -> None:
    from brains.backends.torch import TorchScriptBrain

    (tmp_path / "broken.pt").write_bytes(b"no TorchScript")
    with pytest.raises(DataError, match=r"broken\.pt is no PyTorch network that loads"):
        TorchScriptBrain(find_model("torch_baseline"), tmp_path / "broken.pt")


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    from brains.torch_pilotnet import load_network

    np.savez(tmp_path / "other.npz", w00=np.zeros(3, np.float16))
    with pytest.raises(DataError, match="no PyTorch PilotNet weights"):
        load_network(tmp_path / "other.npz")


def test_compiled_code_answers_as_the_network_and_knows_its_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from brains.backends.torch import TorchCompiledBrain
    from brains.recipes.torch import compile_ahead

    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 5, 16), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(208, 2)
    ).eval()
    package = compile_ahead(network, EXAMPLE, 1, tmp_path)
    model = ModelSpec(
        name="small",
        title="Small",
        family="pilotnet",
        backend="torch",
        brain="brains.backends.torch:TorchCompiledBrain",
        options={"threads": 1},
    )
    brain = TorchCompiledBrain(model, package)
    images = normalise(road_crops(2))
    with torch.no_grad():
        wanted = network(torch.from_numpy(images).permute(0, 3, 1, 2))
    np.testing.assert_allclose(answers(brain, images), wanted, atol=1e-5)
    proof = brain.engine()
    assert proof["parameters"] == sum(weight.numel() for weight in network.parameters())
    assert proof["operators"]["aten"] == {
        "mkldnn__convolution_pointwise": 1,
        "_linear_pointwise": 1,
    }
    monkeypatch.setattr(torch, "__version__", "9.9")
    with pytest.raises(DataError, match=r"compiled for torch .*, here is 9\.9"):
        TorchCompiledBrain(model, package)


def test_without_a_compiler_building_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torch._inductor import config

    from brains.recipes.torch import compile_ahead

    monkeypatch.setattr(config.cpp, "cxx", ("no-such-compiler",))
    with pytest.raises(UnavailableError, match=r"install g\+\+"):
        compile_ahead(torch.nn.Flatten(), EXAMPLE, 1, tmp_path)


def small(name: str, **options: float) -> ModelSpec:
    """A model whose training takes a second."""
    fast = {"batch": 16, "warm_up_steps": 2, **options}
    return find_model(name).model_copy(update={"recipe_options": fast})


def test_a_training_that_is_cut_goes_on_and_its_network_has_learned(
    torch_weights: Path, data: Path, tmp_path: Path
) -> None:
    from brains.torch_pilotnet import load_network, to_tensor

    model = small("torch_baseline", epochs=24, learning_rate=1e-3)
    cut, whole = tmp_path / "cut", tmp_path / "whole"

    def stop(text: str, done: int = 0, total: int = 0) -> None:
        if "epoch 3" in text:
            raise KeyboardInterrupt

    start_weights(cut, [model])
    with pytest.raises(KeyboardInterrupt):
        train_file(model, data, cut, stop)
    state = json.loads((cut / ".scratch" / model.name / "state.json").read_text())
    assert len(state["history"]) == 2
    start_weights(whole, [model])
    networks = [load_network(train_file(model, data, folder)) for folder in (cut, whole)]
    images = to_tensor(normalise(np.load(data / "train_crops.npy")))
    with torch.no_grad():
        resumed, uncut = (network(images).numpy() for network in networks)
    np.testing.assert_allclose(resumed, uncut, atol=0.02)
    wanted = np.load(data / "train_labels.npy")[:, 1]
    answered = resumed[:, 1] * W_SPAN_RAD_S - 7.1
    assert np.abs(answered - wanted).mean() < 0.7 * np.abs(wanted - wanted.mean()).mean()
    with np.load(cut / "torch_reference.npz") as check, torch.no_grad():
        answers = networks[0](to_tensor(normalise(check["crops"])))
        np.testing.assert_allclose(check["outputs"], answers, atol=1e-5)


def test_training_with_rounding_ends_as_an_integer_network_that_learned(
    torch_weights: Path,
    data: Path,
    tmp_path: Path,
    few_frames: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = small("torch_qat", epochs=2, steps=4, learning_rate=1e-3)
    output = tmp_path / "out"
    start_weights(output, [model])
    train_file(model, data, output)
    build_artifact(find_model("torch_static"))
    static = loaded("torch_static")
    monkeypatch.setenv("PITWALL_WEIGHTS", str(output))
    aware = loaded("torch_qat")
    assert aware.engine()["operators"] == static.engine()["operators"]
    assert aware.output_step() == pytest.approx(1.1 / 255)
    crops = normalise(np.load(data / "train_crops.npy"))
    wanted = np.load(data / "train_labels.npy")[:, 1] / W_SPAN_RAD_S + 0.5
    errors = [np.abs(answers(brain, crops)[:, 1] - wanted).mean() for brain in (static, aware)]
    assert errors[1] < 0.8 * errors[0]


def pruning(name: str, *zeros: float) -> ModelSpec:
    """A pruned model whose training takes a second."""
    model = find_model(name)
    training = {"epochs": 2, "steps": 4, "batch": 16, "learning_rate": 1e-3, "warm_up_steps": 2}
    options = model.recipe_options | {"zeros": list(zeros), "training": training}
    return model.model_copy(update={"recipe_options": options})


def kernels(path: Path) -> dict[str, NDArray[np.float16]]:
    """Weights of a file's convolutions and dense layers, by name."""
    with np.load(path) as arrays:
        return {name: arrays[name] for name in arrays if arrays[name].ndim > 1}


def smallest(kernel: NDArray[np.float16], zeros: float) -> NDArray[np.bool_]:
    """Where the smallest weights of a kernel are, as many as their share says."""
    magnitudes = np.abs(kernel)
    count = round(zeros * kernel.size)
    bound = np.sort(magnitudes, axis=None)[count - 1]
    return np.asarray(magnitudes <= bound)


@pytest.mark.parametrize(
    ("name", "published_mib"),
    [("torch_pruned_local", 6.119879722595215), ("torch_pruned_global", 6.119948387145996)],
)
def test_pruned_networks_lose_their_smallest_weights_for_good_and_learn_with_the_rest(
    torch_weights: Path,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    published_mib: float,
) -> None:
    model, output = pruning(name, 0.8), tmp_path / "out"
    start_weights(output, [model])
    ended = kernels(train_file(model, data, output))
    started = kernels(torch_weights / "torch_pilotnet.npz")
    if name == "torch_pruned_local":
        large = {layer for layer, kernel in started.items() if kernel.size >= 1000}
        assert len(large) == 8
        shares = {layer: np.mean(kernel == 0) for layer, kernel in ended.items()}
        assert {layer: round(share, 2) for layer, share in shares.items()} == {
            layer: 0.8 if layer in large else 0.0 for layer in ended
        }
        wanted = {layer: smallest(started[layer], 0.8) for layer in large}
    else:
        magnitudes = np.concatenate([np.abs(kernel).ravel() for kernel in started.values()])
        bound = np.sort(magnitudes)[round(0.8 * magnitudes.size) - 1]
        wanted = {layer: np.abs(kernel) <= bound for layer, kernel in started.items()}
    for layer, zeros in wanted.items():
        # float16 holds some weights twice: which of two equal ones goes is not said.
        assert np.mean((ended[layer] == 0) == zeros) > 0.999
        assert not np.allclose(ended[layer][~zeros], started[layer][~zeros], atol=1e-4)
    monkeypatch.setenv("PITWALL_WEIGHTS", str(output))
    build_artifact(find_model(name))
    assert not [check for check in check_brain(name) if not check.passed]
    proof = loaded(name).proof()
    assert proof["artifact_bytes"] / MIB == pytest.approx(published_mib, rel=0.01)
    assert sparsity(proof["weights"]) == pytest.approx(0.8, abs=0.002)


def test_a_pruning_that_is_cut_goes_on_with_the_same_zeros(
    torch_weights: Path, data: Path, tmp_path: Path
) -> None:
    model = pruning("torch_pruned_global", 0.5, 0.9)
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    epochs: list[str] = []

    def stop(text: str, done: int = 0, total: int = 0) -> None:
        if "mse" in text:
            epochs.append(text)
        elif len(epochs) == 3:
            raise KeyboardInterrupt

    start_weights(cut, [model])
    with pytest.raises(KeyboardInterrupt):
        train_file(model, data, cut, stop)
    start_weights(whole, [model])
    one, other = (kernels(train_file(model, data, folder)) for folder in (cut, whole))
    for layer, kernel in one.items():
        # Two that are all but equal may change places at the second share.
        assert np.mean((kernel == 0) == (other[layer] == 0)) > 0.999
        np.testing.assert_allclose(kernel, other[layer], atol=2e-3)


def test_training_with_rounding_keeps_the_zeros_of_a_pruned_network(
    torch_weights: Path,
    data: Path,
    tmp_path: Path,
    few_frames: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    floats = pruning("torch_pruned_global", 0.8)
    model = small("torch_pruned_qat", epochs=1, steps=3, learning_rate=1e-3)
    output = tmp_path / "out"
    start_weights(output, [floats, model])
    zeros = [kernel == 0 for kernel in kernels(train_file(floats, data, output)).values()]
    train_file(model, data, output)
    monkeypatch.setenv("PITWALL_WEIGHTS", str(output))
    brain = loaded(model.name)
    stored = [values for _, values in brain.weights()]
    assert {values.dtype for values in stored} == {np.dtype(np.int8)}
    for layer, values in zip(zeros, stored, strict=True):
        assert not values[layer].any()
        assert values[~layer].any()
    proof = brain.proof()
    share = sparsity(proof["weights"])
    assert share is not None
    assert share >= 0.8
    assert proof["artifact_bytes"] / MIB == pytest.approx(1.606797218322754, rel=0.01)


def test_the_table_of_shares_judges_each_by_the_validation_frames(
    torch_weights: Path,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from brains import torch_pruning_table
    from brains.torch_pilotnet import load_network, to_tensor

    def error(weights: Path) -> float:
        images = to_tensor(normalise(np.load(data / "validation_crops.npy")))
        labels = np.load(data / "validation_labels.npy")
        wanted = (labels - [V_MIN_M_S, W_MIN_RAD_S]) / [V_SPAN_M_S, W_SPAN_RAD_S]
        with torch.no_grad():
            return float(np.mean((load_network(weights)(images).numpy() - wanted) ** 2))

    model = pruning("torch_pruned_global", 0.5, 0.9)
    folder = tmp_path / "out"
    monkeypatch.setattr(torch_pruning_table, "SHARES", (0.5, 0.9))
    monkeypatch.setattr(torch_pruning_table, "find_model", lambda _: model)
    monkeypatch.setattr("sys.argv", ["table", model.name, str(data), str(folder)])
    assert torch_pruning_table.main() == 0
    first, last = capsys.readouterr().out.splitlines()

    def train_nothing(text: str, done: int = 0, total: int = 0) -> None:
        raise AssertionError(text)

    start_weights(folder, [model])
    weights = train_file(model, data, folder, train_nothing)
    ratio = error(weights) / error(torch_weights / "torch_pilotnet.npz")
    assert first.startswith(f"{model.name}, 50% zeros: MSE ")
    # The file holds the weights in float16.
    assert last.startswith(f"{model.name}, 90% zeros: MSE ")
    assert float(last.split()[-3]) == pytest.approx(ratio, abs=0.005)
    monkeypatch.setattr("sys.argv", ["table", model.name, str(tmp_path / "none"), str(folder)])
    assert torch_pruning_table.main() == 3
    assert "is no data set" in capsys.readouterr().err
    monkeypatch.setattr(torch_pruning_table, "find_model", find_model)
    monkeypatch.setattr("sys.argv", ["table", "torch_qat", str(data), str(folder)])
    assert torch_pruning_table.main() == 2
    assert "torch_qat is not made by" in capsys.readouterr().err
