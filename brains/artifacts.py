"""Where model files lie, and whether they are the ones they should be.

The weights folder holds what is kept (in git, or by a user's own training); a model's artifact is
kept there too, or built from it into the cache. Each of these folders has a ``SHA256SUMS`` (as
``sha256sum`` writes it) that names each file: a file that is broken or swapped is refused by name.
"""

import hashlib
import json
import os
from functools import cache
from pathlib import Path

from brains.agreement import Agreement
from brains.card import cached_card
from brains.checksum import sha256_of
from brains.environment import installed
from brains.gpu import nvidia_gpus
from brains.methods import takes_graph
from brains.model import ModelSpec
from brains.sources import sources_of
from harness.errors import DataError
from harness.setup.cache import cache_root, key_of

WEIGHTS_FILE = "pilotnet.npz"
REFERENCE_FILE = "reference.npz"
SUMS_FILE = "SHA256SUMS"
AGREEMENT_FILE = "agreement.json"
"""Beside a built artifact: what the gate found of it (``brains.gate``)."""


def weights_dir() -> Path:
    """Folder of the weights in use: ``$PITWALL_WEIGHTS``, or the ones kept in git."""
    return Path(os.environ.get("PITWALL_WEIGHTS") or Path(__file__).parent / "weights")


def source_folder(model: ModelSpec) -> Path:
    """Folder of the network's own file: the weights folder, or that of a user's card."""
    return weights_dir() if model.folder is None else Path(model.folder)


def source_path(model: ModelSpec) -> Path:
    """The network's own file, which all its versions are made from."""
    return source_folder(model) / model.weights


def read_sums(folder: Path) -> dict[str, str]:
    """File name to SHA-256 as the folder's ``SHA256SUMS`` states them; empty without one."""
    path = folder / SUMS_FILE
    if not path.is_file():
        return {}
    lines = (line.split(maxsplit=1) for line in path.read_text().splitlines() if line.strip())
    return {parts[-1].strip().lstrip("*"): parts[0] for parts in lines}


def write_sums(folder: Path) -> None:
    """State the SHA-256 of every file below ``folder``, hidden ones excepted (atomically)."""
    names = sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file()
        and path.name != SUMS_FILE
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    text = "".join(f"{sha256_of(folder / name)}  {name}\n" for name in names)
    part = folder / f".{SUMS_FILE}.{os.getpid()}.part"
    part.write_text(text)
    part.replace(folder / SUMS_FILE)


def source_key(model: ModelSpec) -> str:
    """What tells the network's file from others: its SHA-256, or that of all files of a folder.

    Raises:
        DataError: The file is missing, or not listed in the weights folder.
    """
    if model.folder is None:
        stated = read_sums(weights_dir()).get(model.weights)
        if stated is None:
            raise DataError(
                f"{weights_dir() / SUMS_FILE} does not list {model.weights}: {how_to_keep(model)}"
            )
        return stated
    return content_sha256(source_path(model))


def network_key(model: ModelSpec) -> str:
    """What decides a network's answers: its file, and what its card says of it.

    Raises:
        DataError: The file or the card is missing or broken.
    """
    if model.card is None:
        return source_key(model)
    card = cached_card(Path(model.card))
    said = card.model_dump_json(exclude={"versions", "title", "network"})
    parts: list[str | bytes] = [source_key(model), said]
    if card.class_ is not None and model.folder is not None:
        module = Path(model.card).parent.joinpath(*card.class_.partition(":")[0].split("."))
        files = (module.with_suffix(".py"), module / "__init__.py")
        parts += [file.read_bytes() for file in files if file.is_file()]
    return key_of(*parts)


def built_dir(model: ModelSpec) -> Path:
    """Cache folder of the model's built artifact, keyed by all it is made from.

    That is: the network's file and card, the recipe's options, the frames for calibration and
    check, the code of the recipe and of all modules of ``brains`` that it imports; for an NVIDIA
    GPU also the GPU with its driver, and all versions in the model's environment.

    Raises:
        DataError: What it is made from is missing, or not listed in the weights folder.
    """
    from brains.samples import frames_key  # noqa: PLC0415 - brings the reader of bags

    options = json.dumps(model.recipe_options, sort_keys=True)
    made_from = [network_key(model), frames_key(model), str(model.recipe), options]
    if model.nvidia is not None:
        # Engines are made for one GPU, by one version of their library.
        made_from += [*nvidia_gpus(), *installed(model)]
    hub = "brains.recipes.hub:hub" if takes_graph(model.kind, model.method) else None
    makers = [str(model.recipe), *filter(None, [hub, model.hub])]
    code = [path.read_bytes() for maker in makers for path in sources_of(maker.partition(":")[0])]
    return cache_root() / "models" / f"{model.folder_name}-{key_of(*made_from, *code)}"


def artifact_path(model: ModelSpec) -> Path | None:
    """Where the model's artifact belongs (it may not be there yet); None where it has none.

    Raises:
        DataError: It would be built from weights that are not there.
    """
    if model.artifact is None:
        return None
    return (built_dir(model) if model.built else source_folder(model)) / model.artifact


def checked_artifact(model: ModelSpec) -> Path:
    """The model's artifact, there and unbroken.

    Raises:
        DataError: It is missing, or its content is not what SHA256SUMS states.
    """
    path = artifact_path(model)
    if path is None:
        raise DataError(f"model {model.name} has no artifact to load")
    if not path.exists():
        raise DataError(missing(model, path))
    artifact_sha256(model, path)
    return path


def artifact_sha256(model: ModelSpec, path: Path) -> str:
    """SHA-256 of the model's artifact; a user's own file is what it is, all others are checked.

    Raises:
        DataError: It is missing, not listed, or not the stated one; it is named.
    """
    own = model.folder is not None and not model.built
    return content_sha256(path) if own else checked_sha256(path)


def told_of_network(model: ModelSpec) -> dict[str, str]:
    """What tells a user's network from others of its name: hashes of its file and its card."""
    if model.folder is None or model.card is None:
        return {}
    return {
        "network": source_path(model).name,
        "network_sha256": content_sha256(source_path(model)),
        "card": Path(model.card).name,
        "card_sha256": sha256_of(Path(model.card)),
    }


def content_sha256(path: Path) -> str:
    """SHA-256 of a file, or of the names and hashes of all files of a folder.

    Raises:
        DataError: There is no such file.
    """
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        lines = [f"{content_sha256(file)}  {file.relative_to(path)}\n" for file in files]
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    try:
        facts = path.stat()
        return _sha256_once(path, facts.st_size, facts.st_mtime_ns)
    except OSError as error:
        raise DataError(f"{path} can't be read: {error}") from error


@cache
def _sha256_once(path: Path, size: int, mtime_ns: int) -> str:
    """A file's SHA-256, computed again once it has changed."""
    del size, mtime_ns
    return sha256_of(path)


def missing(model: ModelSpec, path: Path) -> str:
    """One line that says the model's artifact is missing and how to make it."""
    if model.built and (refused := refusal(path.parent)) is not None:
        return f"model {model.name}: {refused}"
    how = how_to_keep(model)
    if model.built:
        how = f"run `harness optimize {asked_by(model)}`"
    elif model.folder is not None:
        how = f"the card {model.card} names it"
    return f"model {model.name}: {path} is missing: {how}"


def read_agreement(folder: Path) -> Agreement | None:
    """What the gate found of the artifact in a cache folder; None where it was not asked.

    Raises:
        DataError: The note is broken.
    """
    path = folder / AGREEMENT_FILE
    try:
        return Agreement.model_validate_json(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is broken: remove its folder, and build anew") from error


def refusal(folder: Path) -> str | None:
    """Why the gate refused the artifact in a cache folder; None where it did not."""
    found = read_agreement(folder)
    if found is None or found.verdict != "refused":
        return None
    return f"refused, it does not agree with its network: {found.detail}"


def asked_by(model: ModelSpec) -> str:
    """How a command names the model, wherever it is called."""
    if model.folder is None:
        return model.name
    return "/".join([str(model.card), *model.name.split("/")[1:]])


def how_to_keep(model: ModelSpec) -> str:
    """The commands that bring the model's file into the weights folder."""
    made = "see `harness train --help`"
    if model.training is not None:
        made = f"`harness optimize {model.name} --data DIR --output DIR`"
    return f"restore it with `git checkout -- brains/weights`, or train: {made}"


def artifact_bytes(path: Path) -> int:
    """Size of an artifact, a file or all files of a folder, in bytes."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def checked_sha256(path: Path) -> str:
    """SHA-256 of a file, or of a folder's listing, once all equals what SHA256SUMS states.

    Raises:
        DataError: Something is missing, not listed, or differs; it is named.
    """
    sums = read_sums(path.parent)
    if not path.is_dir():
        return _checked_file(path, path.name, sums)
    listing = {name: sha for name, sha in sums.items() if name.startswith(f"{path.name}/")}
    there = {str(file.relative_to(path.parent)) for file in path.rglob("*") if file.is_file()}
    for name in sorted(listing.keys() | there):
        _checked_file(path.parent / name, name, sums)
    return hashlib.sha256("".join(f"{s}  {n}\n" for n, s in listing.items()).encode()).hexdigest()


def plain_sha256(path: Path) -> str:
    """SHA-256 of a file, or of a listing of a folder's files as ``sha256sum`` would print it.

    Raises:
        DataError: It is not there.
    """
    if not path.exists():
        raise DataError(f"{path} is missing")
    if not path.is_dir():
        return sha256_of(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    listing = "".join(f"{sha256_of(file)}  {file.relative_to(path)}\n" for file in files)
    return hashlib.sha256(listing.encode()).hexdigest()


def _checked_file(path: Path, name: str, sums: dict[str, str]) -> str:
    if not path.is_file():
        raise DataError(f"{path} is missing: restore it or train, see `harness train --help`")
    stated = sums.get(name)
    if stated is None:
        raise DataError(f"{path} is not listed in its {SUMS_FILE}: rebuild or restore it")
    actual = sha256_of(path)
    if actual != stated:
        raise DataError(
            f"{path} is broken or not the stated file: sha256 {actual[:12]}..., "
            f"{SUMS_FILE} says {stated[:12]}...: restore or rebuild it"
        )
    return actual
