"""A view's inputs as a graph takes them: by its names, in its layout."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from brains.view import layout_of, to_layout
from harness.errors import DataError

Inputs = dict[str, NDArray[np.float32]]
"""Inputs by name, each with a batch of 1 and its channels last."""


def arranged(sample: Inputs, shapes: Mapping[str, Sequence[int | None]]) -> Inputs:
    """A sample under the graph's names, in its layout.

    Args:
        sample: As ``View.inputs`` gives it.
        shapes: Shape of each input of the graph by name; a state that the sample lacks starts at
            zero.

    Raises:
        DataError: The sample has an input that the graph lacks, or of another shape.
    """
    if len(sample) == len(shapes) == 1:
        sample = dict(zip(shapes, sample.values(), strict=True))
    if strangers := sample.keys() - shapes.keys():
        known = ", ".join(shapes)
        raise DataError(f"the network takes {known}, not {', '.join(sorted(strangers))}")
    return {
        name: _placed(name, sample[name], shape)
        if name in sample
        else np.zeros([size or 1 for size in shape], np.float32)
        for name, shape in shapes.items()
    }


def with_states(
    sequences: Sequence[Sequence[Inputs]],
    shapes: Mapping[str, Sequence[int | None]],
    keeps: Mapping[str, str],
    answer: Callable[[Inputs], Mapping[str, NDArray[np.float32]]],
) -> list[Inputs]:
    """Samples as a graph takes them, with the state that it has reached at each.

    Args:
        sequences: As ``View.inputs`` gives them.
        shapes: As of ``arranged``.
        keeps: Outputs that are fed back, and the inputs that take them.
        answer: The float network: outputs by name.
    """
    found = []
    for sequence in sequences:
        state: Inputs = {}
        for sample in sequence:
            given = arranged(sample, shapes) | state
            found.append(given)
            outputs = answer(given)
            state = {
                back: np.array(outputs[name], np.float32).reshape(given[back].shape)
                for name, back in keeps.items()
            }
    return found


def _placed(
    name: str, values: NDArray[np.float32], shape: Sequence[int | None]
) -> NDArray[np.float32]:
    wanted = tuple(None if size is not None and size <= 0 else size for size in shape)
    if values.ndim < 4:
        return values.reshape([1 if size is None else size for size in wanted])
    layout = layout_of(wanted, values.shape)
    if layout is None:
        raise DataError(
            f"the network takes {name} of shape {wanted}, the card gives {values.shape}"
        )
    return np.ascontiguousarray(to_layout(values, layout))
