"""Makes models' files: artifacts into the cache, trained ones into a weights folder."""

import shutil
import sys
from collections.abc import Collection
from pathlib import Path

from brains import availability, gate
from brains.artifacts import (
    artifact_path,
    artifact_sha256,
    built_dir,
    checked_sha256,
    read_sums,
    refusal,
    weights_dir,
    write_sums,
)
from brains.build_elsewhere import build_elsewhere, train_elsewhere
from brains.environment import interpreter
from brains.methods import opener_of, takes_graph
from brains.model import ModelSpec
from brains.workshop import Progress, Workshop, find_recipe
from harness.errors import DataError, PitwallError, UsageError, one_line
from harness.setup.cache import build_once, forget, is_complete


def silent(text: str, done: int = 0, total: int = 0) -> None:
    """A progress that tells nobody."""
    del text, done, total


def build_artifact(model: ModelSpec, progress: Progress = silent, *, apart: bool = False) -> Path:
    """Make the model's artifact in the cache unless it is there and unbroken.

    Args:
        model: The model.
        progress: Is told how far it is.
        apart: Make it in a process of its own: who makes several must not have the frameworks of
            all of them in one. A model with an environment always has one.

    Returns:
        Where it is; for a kept one, its place in the weights folder.

    Raises:
        UsageError: The model has no artifact.
        UnavailableError: This machine lacks what the model needs, or what builds it.
        DataError: The weights are missing or broken, the method can't make it of this network, or
            it does not agree with it.
    """
    path = artifact_path(model)
    if path is None:
        availability.to_drive(model).require()
        raise UsageError(f"model {model.name} has no file: it needs no building")
    if not model.built:
        artifact_sha256(model, path)
        if model.folder is not None:
            # What the versions are compared with: it must load, and answer numbers.
            availability.to_load(model).require()
            gate.original_answers(model, progress)
        return path
    folder = built_dir(model)
    # A folder that is not complete may be another process's work: build_once waits for that.
    if is_complete(folder):
        if refusal(folder) is None and not _is_unbroken(path):
            forget(folder)
        else:
            return _offered(model, path)
    availability.to_build(model).require()
    prepare(model, progress)
    python = interpreter(model) or (Path(sys.executable) if apart else None)
    if python is not None:
        build_elsewhere(python, model, progress)
        return _offered(model, path)

    def build() -> None:
        folder.mkdir()
        scratch = folder / ".scratch"
        make_file(model, str(model.recipe), path, weights_dir(), scratch, None, progress)
        shutil.rmtree(scratch)
        if not gate.passes(model, path, progress):
            remove(path)
        write_sums(folder)

    build_once(folder, build)
    return _offered(model, path)


def prepare(model: ModelSpec, progress: Progress = silent) -> None:
    """Make what the model's file is made from and checked against, each in its own process.

    Raises:
        UnavailableError: What makes it is not installed.
        DataError: The network can't be turned into a graph, or does not answer.
    """
    if takes_graph(model.kind, model.method):
        hub_of(model, progress)
    if gate.asks(model):
        gate.original_answers(model, progress)


def hub_of(model: ModelSpec, progress: Progress = silent) -> Path:
    """The model's network as an ONNX graph, in the cache; made in a process of its own."""
    return build_artifact(hub_model(model), progress, apart=True)


def hub_model(model: ModelSpec) -> ModelSpec:
    """The model's network as an ONNX graph: what many versions are made from, itself none.

    Raises:
        UsageError: The model has no network's file.
    """
    if model.kind is None:
        raise UsageError(f"model {model.name} has no network's file")
    opener = opener_of(model.kind)
    needs = ["onnx"] if model.hub else [*opener.needs, *opener.hub_needs]
    network = model.name.rpartition("/")[0] or Path(model.weights).stem
    return ModelSpec(
        name=f"{network}/hub",
        title="ONNX graph",
        family=model.family,
        backend="onnxruntime",
        brain="brains.backends.onnxruntime:OnnxRuntimeBrain",
        artifact="hub.onnx",
        card=model.card,
        kind=model.kind,
        hub=model.hub,
        folder=model.folder,
        weights=model.weights,
        recipe="brains.recipes.hub:hub",
        reference=None,
        build_needs=needs,
        build_extra="onnx" if model.hub else opener.hub_extra or opener.extra,
    )


def _offered(model: ModelSpec, path: Path) -> Path:
    """The artifact, unless the gate refused it.

    Raises:
        DataError: It did; with the figure.
    """
    if (refused := refusal(path.parent)) is not None:
        raise DataError(f"model {model.name}: {refused}")
    return path


def remove(path: Path) -> None:
    """Remove a file or a folder."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def train_file(
    model: ModelSpec,
    data: Path,
    folder: Path,
    progress: Progress = silent,
    *,
    apart: bool = False,
) -> Path:
    """Make the model's kept file in a weights folder unless it is there and unbroken.

    A killed training goes on from its last checkpoint.

    Args:
        model: A model with a training, or with a kept artifact that a recipe makes.
        data: Data set.
        folder: Weights folder; it gets the weights in use that the training starts from.
        progress: Is told how far it is.
        apart: As of ``build_artifact``.

    Raises:
        UsageError: The model's file is not made this way.
        UnavailableError: What trains it is not installed.
        DataError: Data set or weights are missing or broken.
    """
    recipe = model.training or (model.recipe if model.kept else None)
    if recipe is None or model.kept_file is None:
        raise UsageError(f"model {model.name} has no training of its own: `harness train` makes it")
    target = folder / model.kept_file
    if target.exists() and _is_unbroken(target):
        return target
    availability.to_build(model).require()
    if apart:
        train_elsewhere(model, data, folder, progress)
        return target
    scratch = scratch_of(model, folder)
    part = folder / f".{model.kept_file}.part"
    make_file(model, recipe, part, folder, scratch, data, progress)
    part.replace(target)
    write_sums(folder)
    shutil.rmtree(scratch)
    return target


def scratch_of(model: ModelSpec, folder: Path) -> Path:
    """Where a training into a weights folder keeps what lets it go on."""
    return folder / ".scratch" / model.name


def make_file(
    model: ModelSpec,
    recipe: str,
    target: Path,
    folder: Path,
    scratch: Path,
    data: Path | None,
    progress: Progress,
) -> None:
    """Run a recipe of a model.

    Raises:
        DataError: It left nothing at ``target``.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    workshop = Workshop(
        model=model,
        target=target,
        folder=folder,
        scratch=scratch,
        data=data,
        progress=progress,
        hub_of=lambda model: hub_of(model, progress),
    )
    try:
        find_recipe(recipe)(workshop)
    except PitwallError:
        raise
    except Exception as error:
        if model.folder is None:
            raise
        # Tools raise whatever they stumble over in a user's network.
        raise DataError(one_line(error)) from error
    if not target.exists():
        raise DataError(f"{recipe} made no {target.name} for model {model.name}")


def start_weights(folder: Path, trained: Collection[ModelSpec]) -> None:
    """Give a weights folder what is in use, but for the files that are to be trained anew.

    Raises:
        DataError: A file in use is broken.
    """
    folder.mkdir(parents=True, exist_ok=True)
    anew = {model.kept_file for model in trained}
    for name in read_sums(weights_dir()).keys() - anew:
        if not (folder / name).exists():
            checked_sha256(weights_dir() / name)
            shutil.copyfile(weights_dir() / name, folder / name)
    write_sums(folder)


def _is_unbroken(path: Path) -> bool:
    try:
        checked_sha256(path)
    except PitwallError:
        return False
    return True
