"""What the brains of all network engines share: one way in, one way out, one form of proof."""

import sys
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self, TypedDict

import numpy as np
from numpy.typing import NDArray

from brains.artifacts import (
    artifact_bytes,
    artifact_sha256,
    checked_artifact,
    told_of_network,
)
from brains.interface import Brain, CarState, Command, Frame
from brains.model import ModelSpec
from brains.reference import greatest_difference
from brains.versions import PILOTNET_CARD, card_of_model
from brains.view import Layout, View, layout_of, to_layout
from harness.errors import DataError

UNIQUE_VALUES_LIMIT = 4096

Inputs = dict[str, NDArray[np.float32]]
"""A network's inputs by name, each with a batch of 1."""
Shape = tuple[int | None, ...]
"""Sizes of an input; None where one is free."""


class EngineProof(TypedDict):
    """What executes a network.

    Attributes:
        engine: Its name.
        engine_version: Its version.
        device: ``cpu``, or the GPU's name.
        operators: Count of executed operators by kind, for each delegate or provider.
        parameters: Number of weights; None where the engine does not tell.
    """

    engine: str
    engine_version: str
    device: str
    operators: dict[str, dict[str, int]]
    parameters: int | None


class NetworkBrain(Brain):
    """A network that sees what its card says, and whose outputs mean what its card says.

    A subclass loads the artifact, tells with ``takes`` what it wants, and calls the engine.

    Attributes:
        untold_layout: Layout of a picture where neither card nor engine tells it.
        copied: Whether the engine wants a picture of another layout in memory of that order.
    """

    untold_layout: Layout = "nhwc"
    copied: bool = True

    def __init__(self, model: ModelSpec, artifact: Path) -> None:
        """Reads the card; a subclass loads the artifact with its engine.

        Args:
            model: The model; its option ``threads`` says how many the engine may use.
            artifact: Checked file or folder.
        """
        self.model = model
        self.artifact = artifact
        threads = model.options.get("threads")
        self.threads = None if threads is None else int(threads)
        self.card = card_of_model(model)
        self.view = View(self.card.sees)
        self.says = self.card.says
        self.stateful = self.card.stateful
        self.needs_speed = self.card.sees.needs_speed()
        self.card_folder = Path(model.card).parent if model.card else PILOTNET_CARD.parent
        self._fed_back = self.card.keeps if isinstance(self.card.keeps, dict) else {}
        self._places: list[Place] = []
        self._starts: dict[str, NDArray[np.float32]] = {}
        self._kept: dict[str, NDArray[np.float32]] = {}
        self._state: CarState | None = None

    @classmethod
    def load(cls, model: ModelSpec) -> Self:
        """Load the artifact of ``model``, once it is the stated one."""
        return cls(model, checked_artifact(model))

    def takes(self, shapes: Mapping[str, Shape | None]) -> None:
        """Decide, once, which of the view's inputs goes where in the engine, and in which layout.

        Args:
            shapes: Shape of each of the engine's inputs, by name; None where it does not tell.

        Raises:
            DataError: The card and the engine do not fit.
        """
        fed = set(self._fed_back.values())
        wanted = {name: shape for name, shape in shapes.items() if name not in fed}
        layout = self.card.sees.image.layout or self.untold_layout
        self._places = placed(self.view.shapes(), wanted, layout, copied=self.copied)
        for name in fed:
            shape = shapes.get(name)
            if shape is None:
                known = ", ".join(shapes)
                raise DataError(
                    f"the card of {self.model.name} feeds back {name}, and the network takes "
                    f"{known}: such an input must be there and tell its shape"
                )
            self._starts[name] = np.zeros([size or 1 for size in shape], np.float32)
        self._kept = dict(self._starts)

    @property
    def stateful_engine(self) -> bool:
        """Whether an answer depends on more than its inputs: on outputs before, or the engine."""
        return self.card.keeps != "none"

    def engine_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each input as the engine gets it for one frame, by the engine's names."""
        shapes = self.view.shapes()
        given = {
            place.name: place.put(np.zeros(shapes[place.seen], np.float32)).shape
            for place in self._places
        }
        return given | {name: start.shape for name, start in self._starts.items()}

    def encode(self, inputs: Inputs) -> Any:
        """What the engine takes for inputs, float32 by the engine's names: as they are."""
        return inputs

    @abstractmethod
    def predict(self, data: Any) -> Any:
        """Call the engine on what was encoded; it has finished when this returns."""

    @abstractmethod
    def decode(self, output: Any) -> Mapping[str, NDArray[np.float32]]:
        """The engine's raw outputs as float32, shape (1, ...), by the network's names."""

    @abstractmethod
    def engine(self) -> EngineProof:
        """What really executes the network."""

    def output_step(self) -> float | None:
        """Size of one step of the outputs where they are integers; None for floats."""
        return None

    def weights(self) -> Iterable[tuple[str, NDArray[Any]]]:
        """Name and values of each tensor of weights as the engine stores it, where it tells."""
        return ()

    def reset_engine(self) -> None:
        """Forget what the engine itself keeps from call to call; the default keeps nothing."""
        return

    def reset(self) -> None:
        """Forget earlier frames, and the state that outputs feed back or the engine keeps."""
        self.view.reset()
        self._kept = dict(self._starts)
        if self.card.keeps == "engine":
            self.reset_engine()

    def observe(self, state: CarState | None) -> None:
        """Keep the car's state for the next frame's inputs."""
        self._state = state

    def preprocess(self, frame: Frame) -> Any:
        """The engine's input for one frame."""
        return self.encoded(self.view.inputs(frame, self._state))

    def postprocess(self, output: Any) -> Command:
        """Command of the raw output."""
        return self.says.command(self._answered(output))

    def answers(self, samples: Iterable[Inputs]) -> NDArray[np.float32]:
        """The values that become commands, for one sequence of inputs.

        Args:
            samples: As ``View.inputs`` gives them: by the card's names, channels last.

        Returns:
            float32, shape (n, 2), as ``Says.picked``.
        """
        self.reset()
        picked = [self.says.picked(self._answered(self._raw(sample))) for sample in samples]
        self.reset()
        return np.concatenate(picked) if picked else np.empty((0, 2), np.float32)

    def proof(self) -> dict[str, Any]:
        """What executes, of which file, how exactly, and how far from the float network."""
        step = self.output_step()
        v_step, w_step = (None, None) if step is None else self.says.step(step)
        return {
            **self.engine(),
            "interpreter": sys.executable,
            "threads": self.threads,
            "artifact": self.artifact.name,
            "artifact_bytes": artifact_bytes(self.artifact),
            "artifact_sha256": artifact_sha256(self.model, self.artifact),
            **told_of_network(self.model),
            "reference_difference": greatest_difference(self.answers, self.view, self.model),
            "output_step_m_s": v_step,
            "output_step_rad_s": w_step,
            "weights": {name: weights_summary(values) for name, values in self.weights()},
        }

    def encoded(self, sample: Inputs) -> Any:
        """What ``predict`` takes, of inputs as ``View.inputs`` gives them."""
        return self.encode(self.engine_inputs(sample))

    def _raw(self, sample: Inputs) -> Any:
        return self.predict(self.encoded(sample))

    def engine_inputs(self, sample: Inputs) -> Inputs:
        """A view's inputs by the engine's names and in its layouts, with what is fed back."""
        placed = {place.name: place.put(sample[place.seen]) for place in self._places}
        return placed | self._kept if self._kept else placed

    def _answered(self, output: Any) -> Mapping[str, NDArray[np.float32]]:
        """The outputs by name; those that are fed back are kept for the next frame."""
        outputs = self.decode(output)
        for name, back in self._fed_back.items():
            if name not in outputs:
                raise DataError(
                    f"the card of {self.model.name} feeds back {name}, and the network gives "
                    f"{', '.join(outputs)}"
                )
            # Copied: an engine may overwrite its buffers in the next call.
            self._kept[back] = np.array(outputs[name], np.float32).reshape(self._starts[back].shape)
        return outputs


class Place(NamedTuple):
    """Where one of the view's inputs goes.

    Attributes:
        seen: Its name in the view.
        name: Its name in the engine.
        layout: Of a picture.
        shape: The engine's, where it is not the view's: numbers may have another rank.
        copied: A picture in another layout is copied, so that its memory has that order.
    """

    seen: str
    name: str
    layout: Layout
    shape: tuple[int, ...] | None
    copied: bool = True

    def put(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """The values in the engine's layout and shape."""
        if self.shape is not None:
            return values.reshape(self.shape)
        if self.layout == "nchw":
            turned = to_layout(values, "nchw")
            return np.ascontiguousarray(turned) if self.copied else turned
        return values


def placed(
    seen: Mapping[str, tuple[int, ...]],
    wanted: Mapping[str, Shape | None],
    layout: Layout,
    *,
    copied: bool = True,
) -> list[Place]:
    """Which of the view's inputs goes where: by name; the only one whatever it is called.

    Args:
        seen: Shapes of the view's inputs.
        wanted: Shapes of the engine's inputs; None where it does not tell.
        layout: The picture's, where the shape does not tell.
        copied: As of ``Place``.

    Raises:
        DataError: They do not fit; in one line.
    """
    if len(seen) == len(wanted) == 1:
        pairs = [(next(iter(seen)), next(iter(wanted)))]
    elif seen.keys() == wanted.keys():
        pairs = [(name, name) for name in wanted]
    else:
        raise DataError(
            f"the network takes {', '.join(wanted)}, the card gives {', '.join(seen)}: name the "
            "inputs in the card as the network does (image.input, numbers)"
        )
    return [_place(name, seen[name], to, wanted[to], layout, copied) for name, to in pairs]


def _place(
    name: str, given: tuple[int, ...], to: str, wanted: Shape | None, layout: Layout, copied: bool
) -> Place:
    if len(given) < 4:
        shape = None if wanted is None else tuple(size or 1 for size in wanted)
        if shape is not None and np.prod(shape) != np.prod(given):
            raise DataError(f"the network takes {to} of shape {wanted}, the card gives {given[1]}")
        return Place(name, to, "nhwc", None if shape == given else shape)
    told = layout if wanted is None else layout_of(wanted, given)
    if wanted is not None and told is None:
        raise DataError(
            f"the network takes {to} of shape {_text(wanted)}, and the card's picture is "
            f"{_text(given)} (height, width, channels last): check size, colour, frames, axis"
        )
    return Place(name, to, told or layout, None, copied)


def _text(shape: Shape) -> str:
    return "x".join("?" if size is None else str(size) for size in shape)


def weights_summary(values: NDArray[Any]) -> dict[str, int | float | None]:
    """How sparse and how clustered a tensor of weights is.

    Returns:
        ``elements``, ``sparsity`` (share of zeros) and ``unique_values`` (None where there are
        more than any clustering leaves).
    """
    unique = len(np.unique(values))
    return {
        "elements": int(values.size),
        "sparsity": float(np.count_nonzero(values == 0) / values.size),
        "unique_values": unique if unique <= UNIQUE_VALUES_LIMIT else None,
    }
