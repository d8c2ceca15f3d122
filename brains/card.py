"""A network's card: what no file of a network can tell, written by its owner beside the file.

What it sees of a frame, which outputs are speed and yaw rate, whether it keeps a state. Read with
errors that name file and line; ``card.schema.json`` lets an editor help.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError

from brains.says import Says
from brains.source import SourceKind
from brains.view import CardPart, Sees
from harness.errors import DataError

CARD_ENDINGS = (".yaml", ".yml")
BLANK = "???"
"""Stands where a card's owner must still write something."""
_LONGEST_BYTES = 1_000_000

Json = dict[str, Any]


class Versions(CardPart):
    """In what a network's versions differ from the table of methods.

    Attributes:
        kind: Kind of the network's file, so that it is known where the file is not there.
        family: Architecture; None: the card's name.
        reference: File, beside the network, with the float network's answers to check frames.
        hub: ``module:function`` that makes the ONNX graph; None: converted from the file.
        methods: The versions that there are, by method; each with the fields of ``ModelSpec``
            (``brains/model.py``) that differ.
    """

    kind: SourceKind | None = None
    family: str | None = None
    reference: str | None = None
    hub: str | None = None
    methods: dict[str, Json] = Field(default_factory=dict)


class NetworkCard(CardPart):
    """One network.

    Attributes:
        network: Its file or folder, beside the card or by an absolute path.
        class_: ``module:callable`` that builds the network, for a file that holds only weights.
        title: One line for tables; None: the card's name.
        sees: What it sees.
        says: What its outputs mean.
        keeps: ``none``: each answer is of its inputs alone; ``engine``: the engine keeps a state
            from call to call; or each output that is fed back, with the input that takes it.
        lambda_: ``drop``: leave out Keras' Lambda layers, whose code is never run.
        versions: In what its versions differ from the table of methods: published names, kept
            files, settings. None for most.
    """

    network: str
    class_: str | None = Field(None, alias="class", pattern=r"^[\w.]+:\w+$")
    title: str | None = None
    sees: Sees
    says: Says
    keeps: Literal["none", "engine"] | dict[str, str] = "none"
    lambda_: Literal["drop"] | None = Field(None, alias="lambda")
    versions: Versions | None = None

    @property
    def stateful(self) -> bool:
        """Whether an answer depends on what came before."""
        return self.keeps != "none" or self.sees.needs_past()


def read_card(path: Path) -> NetworkCard:
    """Read a card.

    Raises:
        DataError: It is missing or no card; one line, with file, line and field of each fault.
    """
    return card_of(read_card_text(path), path)


def cached_card(path: Path) -> NetworkCard:
    """As ``read_card``; read again only once the file has changed."""
    return _cached(path, path.stat().st_mtime_ns if path.is_file() else 0)


@cache
def _cached(path: Path, changed_ns: int) -> NetworkCard:
    del changed_ns
    return read_card(path)


def read_card_text(path: Path) -> str:
    """The text of a card's file.

    Raises:
        DataError: It is missing, too long or no text.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST_BYTES + 1)
        if len(content) > _LONGEST_BYTES:
            raise DataError(f"{path} is too long for a card: {_LONGEST_BYTES} bytes at most")
        return content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} can't be read as a card: {error}") from error


def card_of(text: str, path: Path) -> NetworkCard:
    """The card of a text; ``path`` stands in its errors.

    Raises:
        DataError: As of ``read_card``.
    """
    if blanks := _blanks(text):
        plural = "lines" if len(blanks) > 1 else "line"
        lines = ", ".join(map(str, blanks))
        raise DataError(f"{path}: fill in what is marked {BLANK} ({plural} {lines})")
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DataError(f"{path} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise DataError(f"{path} is no card: it must hold network, sees and says")
    if twice := [
        f"{path}:{key.start_mark.line + 1}: {key.value}: stands here twice"
        for key in _doubled(tree)
    ]:
        raise DataError("; ".join(twice))
    try:
        return NetworkCard.model_validate(content)
    except ValidationError as error:
        raise DataError("; ".join(_faults(error, tree, path))) from error


def _faults(error: ValidationError, tree: Any, path: Path) -> Iterator[str]:
    said = set()
    for fault in error.errors(include_url=False):
        names, line = _place(tree, fault["loc"])
        what = "no such field" if fault["type"] == "extra_forbidden" else fault["msg"]
        what = what.removeprefix("Value error, ")
        field = ".".join(map(str, names))
        # Of a field that may be one thing or another, each is told: the first is enough.
        if (field, line) not in said:
            said.add((field, line))
            yield f"{path}:{line}: {f'{field}: ' if field else ''}{what}"


def _place(tree: Any, location: tuple[int | str, ...]) -> tuple[list[int | str], int]:
    """Names on the way to a fault, and its line; names of alternatives are left out."""
    names: list[int | str] = []
    node, line = tree, tree.start_mark.line + 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            entries = {key.value: (key, value) for key, value in node.value}
            if part in entries:
                key, node = entries[part]
                line = key.start_mark.line + 1
                names.append(part)
                continue
        elif isinstance(node, yaml.SequenceNode) and part in range(len(node.value)):
            node = node.value[int(part)]
            line = node.start_mark.line + 1
            names.append(part)
    last = location[-1] if location else None
    # A missing field has no line of its own: it is told where it should be.
    if isinstance(last, str) and last not in names and isinstance(node, yaml.MappingNode):
        names.append(last)
    return names, line


def _blanks(text: str) -> list[int]:
    """Lines in which something is still to be filled in; what a comment says does not count."""
    code = (re.split(r"(?:^|\s)#", line)[0] for line in text.splitlines())
    return [number for number, line in enumerate(code, start=1) if BLANK in line]


def _doubled(node: Any) -> Iterator[Any]:
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                yield key
            seen.add(key.value)
    for child in _children(node):
        yield from _doubled(child)


def _children(node: Any) -> Iterator[Any]:
    if isinstance(node, yaml.MappingNode):
        for pair in node.value:
            yield from pair
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def json_schema() -> str:
    """The JSON Schema of a card, as it lies in ``card.schema.json``."""
    schema = NetworkCard.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=2) + "\n"


if __name__ == "__main__":
    print(json_schema(), end="")
