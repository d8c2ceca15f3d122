"""How versions of a network are made: the table of methods, by the kind of the network's file."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from brains.source import SourceKind
from harness.errors import DataError, UsageError

METHODS_FILE = Path(__file__).parent / "methods.yaml"
ORIGINAL = "original"
"""The method of a network as it came."""


class Method(BaseModel):
    """One way to make a version of a network, for some kinds of files.

    Attributes:
        name: Of the version, behind the network's: ``my_net/onnx_int8``.
        title: One line for tables.
        kinds: Kinds of files that it takes.
        hub: It takes the network as an ONNX graph (``brains.recipes.hub``), not its file.
        backend: Engine that executes the version.
        brain: ``module:Class`` of the brain that loads it.
        precision: Number format of weights and arithmetic.
        artifact: What is made: a file's name, or a folder's where it ends in ``/``; None where
            the engine takes the network's own file.
        make: ``module:function`` of the recipe; None where nothing is made.
        recipe_options: Settings of the recipe.
        options: Settings of the brain class.
        needs: Python modules that the engine imports.
        extra: Extra that brings them, or the environment.
        build_needs: Python modules that the recipe imports.
        build_extra: Extras that bring these, as ``make setup EXTRAS=`` takes them.
        environment: Environment of its own that the version runs in.
        nvidia: What it needs on a machine with an NVIDIA GPU; None: it needs no such GPU.
        cpu: Flags of ``/proc/cpuinfo``, one of which the processor must have; empty: any will do.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    kinds: frozenset[SourceKind]
    hub: bool = False
    backend: str
    brain: str
    precision: str
    artifact: str | None = None
    make: str | None = None
    recipe_options: dict[str, Any] = Field(default_factory=dict)
    options: dict[str, Any] = Field(default_factory=dict)
    needs: list[str] = Field(default_factory=list)
    extra: str | None = None
    build_needs: list[str] = Field(default_factory=list)
    build_extra: str | None = None
    environment: str | None = None
    nvidia: str | None = None
    cpu: list[str] = Field(default_factory=list)


class Opener(BaseModel):
    """What opens a file of one kind.

    Attributes:
        needs: Python modules that read it.
        extra: Extra that brings them; None where the default installation does.
        hub_needs: Python modules that make an ONNX graph of it, besides.
        hub_extra: Extras that bring both.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    needs: list[str] = Field(default_factory=list)
    extra: str | None = None
    hub_needs: list[str] = Field(default_factory=list)
    hub_extra: str | None = None


class MethodTable(BaseModel):
    """Content of ``methods.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: dict[SourceKind, Opener]
    methods: list[Method]


@cache
def read_methods(path: Path = METHODS_FILE) -> MethodTable:
    """Read the table.

    Raises:
        DataError: The file is no table of methods, or names a method twice for one kind.
    """
    try:
        table = MethodTable.model_validate(yaml.safe_load(path.read_text()))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        line = " ".join(str(error).split())
        raise DataError(f"{path} is no table of methods: {line}") from error
    for kind in SourceKind:
        names = [method.name for method in table.methods if kind in method.kinds]
        if twice := {name for name in names if names.count(name) > 1}:
            raise DataError(f"{path} names {', '.join(sorted(twice))} twice for {kind.value}")
    return table


def methods_for(kind: SourceKind) -> list[Method]:
    """The methods that take a kind of file, the original first, with all that each needs for it."""
    table = read_methods()
    opener = table.sources[kind]
    return [_for_kind(method, opener) for method in table.methods if kind in method.kinds]


def opener_of(kind: SourceKind) -> Opener:
    """What opens a file of a kind."""
    return read_methods().sources[kind]


def find_method(kind: SourceKind, name: str) -> Method:
    """The method called ``name`` for a kind of file.

    Raises:
        UsageError: There is none; with those that there are.
    """
    methods = methods_for(kind)
    for method in methods:
        if method.name == name:
            return method
    known = ", ".join(method.name for method in methods)
    raise UsageError(f"no method {name!r} for a {kind.value} file: choose one of {known}")


def takes_graph(kind: SourceKind | None, name: str | None) -> bool:
    """Whether a method starts from the network's ONNX graph; false for what is no method."""
    if kind is None or name is None:
        return False
    return any(method.name == name and method.hub for method in methods_for(kind))


def _for_kind(method: Method, opener: Opener) -> Method:
    """The method with what opening the file takes added to what it needs itself."""
    # An environment of its own has its own frameworks, and the graph is made in the default one.
    apart = method.environment is not None or method.hub
    opened = Opener() if apart else opener
    if method.make is None:
        # The engine opens the file itself.
        needs, extra = _with(method.needs, opened.needs), _extras(method.extra, opened.extra)
        return method.model_copy(update={"needs": needs, "extra": extra})
    needs = _with(method.needs, opened.needs, method.build_needs)
    extra = _extras(method.extra, opened.extra, method.build_extra)
    return method.model_copy(update={"build_needs": needs, "build_extra": extra})


def _with(*needs: list[str]) -> list[str]:
    return list(dict.fromkeys(name for some in needs for name in some))


def _extras(*extras: str | None) -> str | None:
    names = dict.fromkeys(n for some in extras if some for n in some.split(","))
    return ",".join(names) or None
