"""What kind of network a file holds, told by its content alone: no framework is imported.

Whatever would run code of the file's maker when it is loaded is refused here, in one line: pickles
of whole modules, Keras' Lambda layers, machine code, operators that read or write files.
"""

import json
import pickletools
import re
import zipfile
from collections.abc import Callable, Iterator
from enum import StrEnum
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from brains import protobuf_wire as wire
from harness.errors import DataError, UnavailableError


class SourceKind(StrEnum):
    """The kinds of networks that Pitwall takes."""

    KERAS2 = "keras2"
    KERAS3 = "keras3"
    SAVEDMODEL = "savedmodel"
    TFLITE = "tflite"
    ONNX = "onnx"
    TORCHSCRIPT = "torchscript"
    TORCH_EXPORT = "torch_export"
    TORCH_WEIGHTS = "torch_weights"
    KERAS_WEIGHTS = "keras_weights"


TITLES = {
    SourceKind.KERAS2: "a Keras 2 network",
    SourceKind.KERAS3: "a Keras 3 network",
    SourceKind.SAVEDMODEL: "a TensorFlow SavedModel",
    SourceKind.TFLITE: "a TFLite network",
    SourceKind.ONNX: "an ONNX network",
    SourceKind.TORCHSCRIPT: "a TorchScript network",
    SourceKind.TORCH_EXPORT: "a torch.export network",
    SourceKind.TORCH_WEIGHTS: "PyTorch weights",
    SourceKind.KERAS_WEIGHTS: "weights in a NumPy archive",
}

_TORCH_ENDINGS = (".pt", ".pth", ".pt2", ".ckpt", ".torchscript", ".bin", ".pkl")
_ENDINGS: dict[SourceKind, tuple[str, ...]] = {
    SourceKind.KERAS2: (".h5", ".hdf5", ".keras"),
    SourceKind.KERAS3: (".h5", ".hdf5", ".keras"),
    SourceKind.TFLITE: (".tflite",),
    SourceKind.ONNX: (".onnx",),
    SourceKind.TORCHSCRIPT: _TORCH_ENDINGS,
    SourceKind.TORCH_EXPORT: _TORCH_ENDINGS,
    SourceKind.TORCH_WEIGHTS: (*_TORCH_ENDINGS, ".npz"),
    SourceKind.KERAS_WEIGHTS: (".npz",),
}
"""How files of each kind may end; other endings than these say nothing."""
_CLAIMED = {ending for endings in _ENDINGS.values() for ending in endings} - {".bin", ".pkl"}

NETWORK_ENDINGS = _CLAIMED | {".pb", ".bin", ".pkl", ".safetensors", ".engine", ".plan", ".xml"}
"""How files of networks end, of kinds that Pitwall takes or refuses."""

_LONGEST_TEXT = 64 << 20
"""How much of a description (a configuration, a listing of code) is read at most, bytes."""


def kind_of(path: Path, *, drop_lambda: bool = False) -> SourceKind:
    """Kind of the network in a file or folder, by its content.

    Args:
        path: The file, or a SavedModel's folder.
        drop_lambda: The card says that Lambda layers are left out.

    Raises:
        DataError: It is missing, broken, of no known kind, has another kind's ending, or would run
            code when loaded.
        UnavailableError: h5py, which looks into a Keras file, is not installed.
    """
    if not path.exists():
        raise DataError(f"{path} is missing: name a network's file, or restore it")
    try:
        kind = _folder(path) if path.is_dir() else _file(path, drop_lambda)
    except (OSError, EOFError, zipfile.BadZipFile, wire.BrokenMessageError) as error:
        raise DataError(f"{path} is broken or cut off: {_line(error)}") from error
    except (NotImplementedError, RuntimeError) as error:
        # Of zipfile: encrypted, or compressed in a way that nobody uses for networks.
        raise DataError(f"{path} can't be read: {_line(error)}") from error
    ending = path.suffix.lower()
    if ending in _CLAIMED and ending not in _ENDINGS.get(kind, ()):
        fitting = _ENDINGS.get(kind, ("",))[0] or "no ending, as a folder"
        raise DataError(
            f"{path} is {TITLES[kind]} by its content, and {ending} is the ending of another kind: "
            f"rename it (to {fitting}) if that is what you meant"
        )
    return kind


def _file(path: Path, drop_lambda: bool) -> SourceKind:
    with path.open("rb") as file:
        head = file.read(512)
        if not head:
            raise DataError(f"{path} is empty")
        for fits, look in _LOOKS:
            if fits(head):
                return look(path, file, drop_lambda)
        if (kind := _onnx(path, file)) is not None:
            return kind
    raise DataError(
        f"{path} is no network that Pitwall knows: it takes Keras (.h5, .keras), SavedModel, "
        "TFLite, ONNX, TorchScript, torch.export and PyTorch weights"
    )


def _folder(path: Path) -> SourceKind:
    graph = path / "saved_model.pb"
    if not graph.is_file():
        raise DataError(f"{path} is a folder without saved_model.pb: no SavedModel")
    unsafe = sorted(_unsafe_operators(graph))
    if unsafe:
        raise DataError(
            f"{path} reads or writes files or runs Python ({', '.join(unsafe)}), which Pitwall "
            "does not let a network do: export it without"
        )
    return SourceKind.SAVEDMODEL


# --- Keras


def _hdf5(path: Path, file: BinaryIO, drop_lambda: bool) -> SourceKind:
    del file
    try:
        import h5py  # noqa: PLC0415 - comes with the extra tf, and only .h5 files need it
    except ImportError as error:
        raise UnavailableError(
            f"{path} is a Keras file, and h5py is not installed: run `make setup EXTRAS=tf`"
        ) from error
    with h5py.File(path, "r") as content:
        if "model_config" not in content.attrs:
            raise DataError(
                f"{path} holds weights without an architecture: save the whole model "
                "(model.save, not model.save_weights)"
            )
        if content.attrs.get_id("model_config").get_storage_size() > _LONGEST_TEXT:
            raise DataError(f"{path} has a configuration too long to be one")
        config = _text(content.attrs["model_config"])
        version = _text(content.attrs.get("keras_version", ""))
    return _keras(path, config, version, drop_lambda)


def _keras_archive(path: Path, archive: zipfile.ZipFile, drop_lambda: bool) -> SourceKind:
    config = _member(path, archive, "config.json").decode(errors="replace")
    metadata = _json(path, _member(path, archive, "metadata.json").decode(errors="replace"))
    if "model.weights.h5" not in archive.namelist():
        raise DataError(f"{path} holds no weights: save the whole model (model.save)")
    version = str(metadata.get("keras_version", "")) if isinstance(metadata, dict) else ""
    return _keras(path, config, version, drop_lambda)


def _keras(path: Path, config: str, version: str, drop_lambda: bool) -> SourceKind:
    parts = list(_parts(_json(path, config), drop_lambda=drop_lambda))
    if not drop_lambda and any(
        part.get("class_name") in ("Lambda", "__lambda__") for part in parts
    ):
        raise DataError(
            f"{path} holds a Lambda layer, that is Python code, which Pitwall does not run: if it "
            'only scales the picture, say so in the card (scale, offset) and add "lambda: drop"'
            " (`harness model add --drop-lambda` does)"
        )
    for part in parts:
        if part.get("class_name") != "Lambda" and (name := _foreign_code(part)):
            raise DataError(
                f"{path} names code that is none of Keras' own ({name}), which Pitwall does not run"
            )
    major = version.partition(".")[0]
    if major == "3":
        return SourceKind.KERAS3
    if major in ("0", "1"):
        raise DataError(
            f"{path} was saved by Keras {version}, which no Keras of today reads: load it with "
            "Keras 2 and save it anew"
        )
    return SourceKind.KERAS2


# What a graph of TensorFlow's functions in a Keras 2 file may call, by the beginning of the name.
_KERAS_FUNCTIONS = re.compile(
    r"(math|nn|image|linalg|signal|keras|__operators__|compat\.v1\.(nn|shape|transpose))\."
    r"|(cast|reshape|concat|stack|unstack|split|squeeze|expand_dims|transpose|shape|tile|slice"
    r"|strided_slice|clip_by_value|where|identity|ones_like|zeros_like|pad|reverse|gather"
    r"|convert_to_tensor|broadcast_to|one_hot|constant|range|fill|zeros|ones)(_v2)?$"
)
_KERAS_MODULES = re.compile(r"(keras|tf_keras|builtins)(\.|$)")


def _foreign_code(part: dict[str, Any]) -> str | None:
    """Name of what is not Keras' own and would be imported by loading a part of a configuration."""
    module = part.get("module")
    if isinstance(module, str) and module and not _KERAS_MODULES.match(module):
        return f"{module}.{part.get('class_name')}"
    if module == "builtins" and part.get("class_name") not in ("function", "dict", "list", "tuple"):
        return f"builtins.{part.get('class_name')}"
    if part.get("class_name") in ("TFOpLambda", "SlicingOpLambda", "ClassMethod"):
        config = part.get("config")
        function = config.get("function") if isinstance(config, dict) else None
        if not _KERAS_FUNCTIONS.match(str(function)):
            return f"tf.{function}"
    return None


def _parts(node: Any, *, drop_lambda: bool) -> Iterator[dict[str, Any]]:
    """All dictionaries in a configuration, less what belongs to layers that are dropped."""
    pending = [node]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            yield node
            if not (drop_lambda and node.get("class_name") == "Lambda"):
                pending += node.values()
        elif isinstance(node, list):
            pending += node


# --- zip files: Keras, PyTorch, NumPy


def _zip(path: Path, file: BinaryIO, drop_lambda: bool) -> SourceKind:
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        if min((entry.header_offset for entry in archive.infolist()), default=0) > 0:
            # Of a file cut off the end of an archive within it is found instead of its own.
            raise DataError(f"{path} is broken or cut off: its listing is missing")
        if "config.json" in names and "metadata.json" in names:
            return _keras_archive(path, archive, drop_lambda)
        if any("data/aotinductor/" in name or name.endswith(".so") for name in names):
            raise DataError(
                f"{path} is machine code of one processor (AOTInductor), not a network: give the "
                "torch.export file it was made from"
            )
        exported = any(
            name.endswith("/models/model.json") or name == "serialized_exported_program.json"
            for name in names
        )
        if exported:
            return _torch_export(path, archive)
        if any(name.endswith("/data.pkl") or name == "data.pkl" for name in names):
            return _torch_archive(path, archive)
        if names and all(name.endswith(".npy") for name in names):
            return _numpy_archive(path, names)
    raise DataError(f"{path} is a zip file without a network: give the network's own file")


def _numpy_archive(path: Path, names: list[str]) -> SourceKind:
    """Weights as ``brains.weights_file`` writes them: in Keras' order, or by PyTorch's names."""
    if all(re.fullmatch(r"w\d+\.npy", name) for name in names):
        return SourceKind.KERAS_WEIGHTS
    if any(name.endswith(".weight.npy") for name in names):
        return SourceKind.TORCH_WEIGHTS
    raise DataError(f"{path} holds arrays that are no weights: {', '.join(names[:3])}")


def _torch_export(path: Path, archive: zipfile.ZipFile) -> SourceKind:
    for name in archive.namelist():
        # Loaded by pickle whatever is asked for.
        if re.search(r"/constants/(opaque|custom)_obj", name):
            raise DataError(
                f"{path} holds pickled objects ({name}), which would run code on loading: export "
                "the network without them"
            )
        with archive.open(name) as member:
            head = member.read(4)
        # torch.export.load falls back to full unpickling of what is no mere tensors.
        if head == b"PK\x03\x04":
            with zipfile.ZipFile(BytesIO(_member(path, archive, name))) as inner:
                pickles = [inner_name for inner_name in inner.namelist() if _is_pickle(inner_name)]
                for pickle in pickles:
                    _refuse_code(path, _member(path, inner, pickle))
        elif head[:1] == b"\x80" and not re.search(r"/data/(weights|constants)/", name):
            _refuse_code(path, _member(path, archive, name))
    return SourceKind.TORCH_EXPORT


def _torch_archive(path: Path, archive: zipfile.ZipFile) -> SourceKind:
    names = archive.namelist()
    code = [name for name in names if re.search(r"(^|/)code/.*\.py$", name)]
    if not code:
        (pickle, *_) = (name for name in names if _is_pickle(name))
        _refuse_code(path, _member(path, archive, pickle))
        return SourceKind.TORCH_WEIGHTS
    for name in code:
        if found := _FILE_CALLS.search(_member(path, archive, name).decode(errors="replace")):
            raise DataError(
                f"{path} reads or writes files ({found[0]}), which Pitwall does not let a network "
                "do: save it without"
            )
    return SourceKind.TORCHSCRIPT


_FILE_CALLS = re.compile(r"\b(torch|ops\.\w+)\.(save|from_file|load_library|_pickle\w*)\b")


def _is_pickle(name: str) -> bool:
    return name == "data.pkl" or name.endswith("/data.pkl")


def _legacy_pickle(path: Path, file: BinaryIO, drop_lambda: bool) -> SourceKind:
    """torch.save of before 1.6: pickles one after the other, then the numbers."""
    del drop_lambda
    file.seek(0)
    _refuse_code(path, file.read(_LONGEST_TEXT))
    return SourceKind.TORCH_WEIGHTS


def _refuse_code(path: Path, pickle: bytes) -> None:
    """Accept a pickle of tensors alone.

    Raises:
        DataError: It names other functions or classes, which unpickling calls.
    """
    try:
        named = _named(pickle)
    except (ValueError, IndexError, KeyError) as error:
        raise DataError(f"{path} is a broken pickle: {_line(error)}") from error
    if foreign := [name for name in dict.fromkeys(named) if not _TENSORS.fullmatch(name)]:
        raise DataError(
            f"{path} is a pickled module (names {foreign[0]}), which would run code on loading: "
            "save it as TorchScript (torch.jit.save) or torch.export.save"
        )


_TENSORS = re.compile(
    r"collections OrderedDict"
    r"|torch (\w+Storage|Size|device|\w*int\d*|b?float\d*|half|double|bool|per_\w+)"
    r"|torch\._utils _rebuild_\w+"
    r"|torch\._tensor _rebuild_from_type_v2"
    r"|torch\.storage (UntypedStorage|TypedStorage)"
    r"|torch\.nn\.parameter (Parameter|Buffer)"
)
_LEGACY_PICKLES = 5
"""How many a file of torch.save of before 1.6 begins with: magic number, protocol, system, the
object, names of its storages; the numbers follow."""


def _named(pickle: bytes) -> Iterator[str]:
    """Module and name of all that unpickling would look up."""
    stream = BytesIO(pickle)
    for _ in range(_LEGACY_PICKLES):
        texts: list[str] = []
        for operator, argument, _ in pickletools.genops(stream):
            if isinstance(argument, str) and operator.name not in ("GLOBAL", "INST"):
                texts.append(argument)
            elif operator.name in ("GLOBAL", "INST"):
                yield str(argument)
            elif operator.name == "STACK_GLOBAL" or operator.name.startswith("EXT"):
                # What it looks up depends on the stack; torch.save never writes it.
                yield f"{'.'.join(texts[-2:])} (by {operator.name})"
        rest = pickle[stream.tell() : stream.tell() + 1]
        if rest != b"\x80":
            return


# --- other formats


def _tflite(path: Path, file: BinaryIO, drop_lambda: bool) -> SourceKind:
    del drop_lambda
    file.seek(0)
    root = int.from_bytes(file.read(4), "little")
    size = path.stat().st_size
    if not 8 <= root < size - 4:
        raise DataError(f"{path} is broken or cut off: a TFLite file that begins beyond its end")
    return SourceKind.TFLITE


def _onnx(path: Path, file: BinaryIO) -> SourceKind | None:
    """ONNX has no magic bytes: its fields must be those of a model."""
    size = path.stat().st_size
    kinds: dict[int, int] = {}
    graph: wire.Field | None = None
    try:
        for field in wire.fields(file, 0, size):
            kinds[field.number] = field.kind
            graph = field if field.number == _ONNX_GRAPH else graph
    except wire.BrokenMessageError as error:
        # Its first field is the version, its second who made it: enough to know what was meant.
        if kinds.get(1) == wire.VARINT and kinds.keys() - {1} and kinds.keys() <= _ONNX_FIELDS:
            raise DataError(f"{path} is broken or cut off: an ONNX file, but {error}") from error
        return None
    if kinds.get(1) != wire.VARINT or graph is None or not kinds.keys() <= _ONNX_FIELDS:
        return None
    if _ONNX_OPSET not in kinds:
        raise DataError(f"{path} is broken or cut off: an ONNX file that names no opset")
    for tensor in wire.fields(file, graph.start, graph.end):
        if tensor.number == _ONNX_INITIALIZER and any(
            field.number == _ONNX_LOCATION and field.value == 1
            for field in wire.fields(file, tensor.start, tensor.end)
        ):
            raise DataError(
                f"{path} keeps its weights in other files: save it as one "
                "(onnx.save with save_as_external_data=False)"
            )
    return SourceKind.ONNX


_ONNX_GRAPH, _ONNX_OPSET, _ONNX_INITIALIZER, _ONNX_LOCATION = 7, 8, 5, 14
_ONNX_FIELDS = {1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26}
"""Of onnx.proto's ModelProto."""


def _unsafe_operators(graph: Path) -> set[str]:
    """Operators of a SavedModel that touch files or run Python."""
    size = graph.stat().st_size
    found = set()
    with graph.open("rb") as file:
        for definition in _within(file, [(0, size)], (2, 2)):
            nodes = _within(file, [definition], (1,))
            functions = _within(file, [definition], (2, 1))
            nodes += _within(file, functions, (3,))
            for start, end in nodes:
                for field in wire.fields(file, start, end):
                    if field.number == 2 and _UNSAFE.fullmatch(name := wire.text(file, field)):
                        found.add(name)
    return found


_UNSAFE = re.compile(
    r"(Read|Write)File|(Eager|Stateless)?PyFunc(Stateless)?|MatchingFiles|PrintV2|Print"
    r"|.*(Summary|Dataset|Reader)(V\d)?|WholeFile.*|DebugIdentity.*|Assert.*File|Copy.*File"
)


def _within(
    file: BinaryIO, messages: list[tuple[int, int]], numbers: tuple[int, ...]
) -> list[tuple[int, int]]:
    """Where the messages stand that are reached by fields of these numbers, one in the other."""
    for number in numbers:
        messages = [
            (field.start, field.end)
            for start, end in messages
            for field in wire.fields(file, start, end)
            if field.number == number and field.kind == wire.BYTES
        ]
    return messages


def _refusal(what: str, instead: str) -> "_Look":
    def refuse(path: Path, file: BinaryIO, drop_lambda: bool) -> SourceKind:
        del file, drop_lambda
        raise DataError(f"{path} is {what}: {instead}")

    return refuse


def _is_safetensors(head: bytes) -> bool:
    return head[8:9] == b"{" and b'"' in head[9:11]


_Look = Callable[[Path, BinaryIO, bool], SourceKind]
_LOOKS: tuple[tuple[Callable[[bytes], bool], _Look], ...] = (
    (lambda head: head.startswith(b"\x89HDF\r\n\x1a\n"), _hdf5),
    (lambda head: head.startswith(b"PK\x03\x04"), _zip),
    (lambda head: head[4:8] == b"TFL3", _tflite),
    (lambda head: head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05", _legacy_pickle),
    (
        lambda head: head.startswith(b"version https://git-lfs"),
        _refusal("a pointer of Git LFS, not the file", "run `git lfs pull`"),
    ),
    (
        lambda head: head.startswith(b"\x7fELF"),
        _refusal("machine code, not a network", "give the file it was made from"),
    ),
    (
        _is_safetensors,
        _refusal(
            "a safetensors file, weights without a network",
            "save them by torch.save(state_dict) and name the class in the card",
        ),
    ),
)


def _member(path: Path, archive: zipfile.ZipFile, name: str) -> bytes:
    """Content of an archive's member, however long its header says it is.

    Raises:
        DataError: It is longer than any description or pickle of tensors' names.
    """
    with archive.open(name) as member:
        content = member.read(_LONGEST_TEXT + 1)
    if len(content) > _LONGEST_TEXT:
        raise DataError(f"{path} holds a {name} too long to be one")
    return content


def _json(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} has a broken configuration: {_line(error)}") from error


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
