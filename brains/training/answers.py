"""Which of a network's outputs are v and w: the same for tensors of every framework."""

from collections.abc import Callable, Mapping
from typing import Any

from brains.says import Says


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
