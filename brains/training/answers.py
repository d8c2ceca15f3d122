"""A network's outputs by name, and of these v and w: the same for tensors of every framework."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from brains.says import Says


def named(outputs: Any, names: Sequence[str] | None = None) -> dict[str, Any]:
    """Outputs of a call by name.

    Args:
        outputs: One tensor, several in a list or tuple, or a dict by name.
        names: Names of one or several, in their order; None: they have none of their own, and are
            called ``output_0``, ``output_1``, ..., a single one ``output``.
    """
    if isinstance(outputs, Mapping):
        return dict(outputs)
    several = isinstance(outputs, list | tuple)
    values = list(outputs) if several else [outputs]
    if names is None:
        names = [f"output_{index}" for index in range(len(values))] if several else ["output"]
    return dict(zip(names, values, strict=True))


def columns(
    says: Says, outputs: Mapping[str, Any], rows: Callable[[Any], Any]
) -> tuple[Any | None, Any | None]:
    """The outputs' values that become v and w, each of shape (n,); None of what is constant.

    Unlike ``Says.picked`` it keeps the tensors, through which a loss is derived.

    Args:
        says: Of the card; without bins.
        outputs: Tensors by name, each of shape (n, ...).
        rows: Makes a tensor's shape (n, k).
    """
    v, w = (
        None if value.constant is not None else rows(value.array_of(outputs))[:, value.index or 0]
        for value in (says.v, says.w)
    )
    return v, w
