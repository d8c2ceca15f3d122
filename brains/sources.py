"""Which of the project's code a module runs: part of what an artifact or a digest is made by."""

import ast
import importlib.util
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).parents[1]


def sources_of(module: str, packages: Collection[str] = ("brains",)) -> list[Path]:
    """Files of a module and of all project modules that it imports, directly or not, sorted.

    Reads the import statements, those inside functions too, and imports nothing.

    Args:
        module: A module of the project, or any other that Python finds.
        packages: The packages of the project whose modules count.
    """
    found: set[Path] = set()
    start = _file_of(module, packages) or _elsewhere(module)
    pending = [] if start is None else [start]
    while pending:
        path = pending.pop()
        if path not in found:
            found.add(path)
            names = _imported(path, path.stat().st_mtime_ns)
            files = (_file_of(name, packages) for name in names)
            pending += [file for file in files if file is not None]
    return sorted(found)


def _file_of(module: str, packages: Collection[str]) -> Path | None:
    """The file of a module of the packages; None for every other name."""
    package, *parts = module.split(".")
    if package not in packages:
        return None
    path = PROJECT.joinpath(package, *parts)
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in files if file.is_file()), None)


def _elsewhere(module: str) -> Path | None:
    spec = importlib.util.find_spec(module)
    return Path(spec.origin) if spec is not None and spec.origin else None


@cache
def _imported(path: Path, mtime_ns: int) -> frozenset[str]:
    """Names that a file imports and that may be modules; read again once the file has changed."""
    del mtime_ns
    return frozenset(_names(ast.parse(path.read_bytes())))


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
