"""What a network sees: a camera frame, and what else is known of the car, as its inputs.

A card's ``sees`` says it (``brains.card``); one implementation for all engines and the training.
"""

import math
from collections import deque
from typing import Annotated, Any, Literal, NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from brains.interface import CarState, Frame

FRAME_PERIOD_S = 0.05
"""Time from one camera frame to the next; the ages of stacked frames count in it."""
IMAGE = "image"
"""Name of the picture among the inputs where the card names none."""

Resize = Literal["nearest", "linear", "area", "cubic"]
Colour = Literal["rgb", "bgr", "yuv", "hsv", "grey"]
Layout = Literal["nhwc", "nchw"]

_INTERPOLATIONS: dict[str, int] = {
    "nearest": cv2.INTER_NEAREST,
    "linear": cv2.INTER_LINEAR,
    "area": cv2.INTER_AREA,
    "cubic": cv2.INTER_CUBIC,
}
_CONVERSIONS: dict[str, int] = {
    "bgr": cv2.COLOR_RGB2BGR,
    "yuv": cv2.COLOR_RGB2YUV,
    "hsv": cv2.COLOR_RGB2HSV,
    "grey": cv2.COLOR_RGB2GRAY,
}
_OLDEST = -100


def _quotient(value: Any) -> Any:
    """The number of a text like ``1/255``; all else as it is."""
    if isinstance(value, str) and "/" in value:
        try:
            over, under = value.split("/")
            return float(over) / float(under)
        except (ValueError, ZeroDivisionError) as error:
            raise ValueError(f"{value!r} is no quotient like 1/255") from error
    return value


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("must be finite")
    return value


Real = Annotated[float, BeforeValidator(_quotient), AfterValidator(_finite)]
"""A finite number; in a card also a quotient: ``1/255``."""
PerChannel = Real | tuple[Real, ...]


class CardPart(BaseModel):
    """Base of a card's parts: no unknown fields, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Image(CardPart):
    """How the picture is made of a frame: cropped, resized, its colour changed, scaled.

    Attributes:
        input: Name of the network's input; None: it has only one.
        crop: Left, top, right and bottom edge of what is seen, as shares of the frame.
        size: Width and height in pixels.
        resize: Interpolation, as OpenCV names them.
        colour: Colours and their order.
        layout: Whether colours stand last or before height and width; None: as the shape of the
            input tells. TorchScript and weights tell none.
        scale: Each value p of 0 to 255 becomes scale p + offset; one number, or one a channel.
        offset: See ``scale``.
        mean: Instead of scale and offset: p becomes (p / 255 - mean) / deviation.
        deviation: See ``mean``.
    """

    input: str | None = None
    crop: tuple[Real, Real, Real, Real] = (0.0, 0.0, 1.0, 1.0)
    size: tuple[int, int]
    resize: Resize = "linear"
    colour: Colour = "rgb"
    layout: Layout | None = None
    scale: PerChannel | None = None
    offset: PerChannel | None = None
    mean: PerChannel | None = None
    deviation: PerChannel | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        left, top, right, bottom = self.crop
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
            raise ValueError("crop must be left, top, right, bottom, as shares of the frame (0..1)")
        if not all(1 <= side <= 4096 for side in self.size):
            raise ValueError("size must be width and height, 1 to 4096 pixels each")
        if (self.mean is None) != (self.deviation is None):
            raise ValueError("mean and deviation go together")
        if self.mean is not None and (self.scale is not None or self.offset is not None):
            raise ValueError("give scale and offset, or mean and deviation, not both")
        for name in ("scale", "offset", "mean", "deviation"):
            value = getattr(self, name)
            if isinstance(value, tuple) and len(value) != self.channels:
                raise ValueError(f"{name} must be one number, or {self.channels} (one a channel)")
        if self.deviation is not None and 0 in np.atleast_1d(np.asarray(self.deviation)):
            raise ValueError("deviation must not be zero")
        return self

    @property
    def channels(self) -> int:
        """How many values a pixel has."""
        return 1 if self.colour == "grey" else 3

    def gain_and_offset(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What a pixel's values are multiplied by, and what is added: float32 (channels,)."""
        if self.mean is not None:
            deviation, mean = np.asarray(self.deviation), np.asarray(self.mean)
            gain, offset = 1 / (255 * deviation), -mean / deviation
        else:
            gain = np.asarray(1.0 if self.scale is None else self.scale)
            offset = np.asarray(0.0 if self.offset is None else self.offset)
        shape = (self.channels,)
        return (
            np.broadcast_to(gain.astype(np.float32), shape),
            np.broadcast_to(offset.astype(np.float32), shape),
        )


class Number(CardPart):
    """One number that a network is told besides the picture.

    Attributes:
        from_: Where it comes from: measured speed in m/s, or the last command's v in m/s or w in
            rad/s.
        constant: Always this, instead.
        scale: The value x becomes scale x + offset.
        offset: See ``scale``.
    """

    from_: Literal["measured_speed", "previous_v", "previous_w"] | None = Field(None, alias="from")
    constant: Real | None = None
    scale: Real = 1.0
    offset: Real = 0.0

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.from_ is None) == (self.constant is None):
            raise ValueError("a number is `from` the car or a `constant`: give one of the two")
        return self

    def of(self, state: CarState) -> float:
        """The number for a state of the car."""
        match self.from_:
            case "measured_speed":
                value = state.speed_m_s
            case "previous_v":
                value = state.previous.v_m_s
            case "previous_w":
                value = state.previous.w_rad_s
            case None:
                value = self.constant or 0.0
        return self.scale * value + self.offset


class Sees(CardPart):
    """All that a network sees.

    Attributes:
        image: The picture.
        frames: Ages of the pictures that it sees at once, in camera frames (20 a second), in its
            order: 0 is the newest, -1 the one before.
        axis: Where they stand: along an axis of their own before height, or behind one another in
            the channels; None: there is one, without an axis.
        numbers: Numbers for each other input, by its name; several where the input takes several.
    """

    image: Image
    frames: tuple[int, ...] = (0,)
    axis: Literal["time", "channels"] | None = None
    numbers: dict[str, Number | tuple[Number, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _frames_have_a_place(self) -> Self:
        if not self.frames or not all(_OLDEST <= age <= 0 for age in self.frames):
            raise ValueError(f"frames must be ages from 0 (the newest) to {_OLDEST}")
        if len(self.frames) > 1 and self.axis is None:
            raise ValueError("several frames need an axis: time or channels")
        return self

    def needs_speed(self) -> bool:
        """Whether it is told the car's measured speed."""
        return any(n.from_ == "measured_speed" for ns in self.numbers.values() for n in _all(ns))

    def needs_past(self) -> bool:
        """Whether what it sees depends on earlier frames or commands."""
        return any(self.frames) or self.numbers_from_commands()

    def numbers_from_commands(self) -> bool:
        """Whether it is told the last command."""
        commanded = ("previous_v", "previous_w")
        return any(n.from_ in commanded for ns in self.numbers.values() for n in _all(ns))


class Geometry(NamedTuple):
    """What decides the pixels of a view's pictures, before they are scaled."""

    crop: tuple[float, float, float, float]
    size: tuple[int, int]
    resize: str
    colour: str


class View:
    """The eyes of one network; they remember what they have seen until they are reset."""

    def __init__(self, sees: Sees) -> None:
        """Nothing has been seen yet.

        Args:
            sees: Of a card.
        """
        self.sees = sees
        image = sees.image
        self.geometry = Geometry(image.crop, image.size, image.resize, image.colour)
        self.image_input = image.input or IMAGE
        width, height = image.size
        self.picture_shape = (height, width, image.channels)
        # Repeated over a row of pixels: one long multiplication is quicker than many of three.
        gain, offset = image.gain_and_offset()
        self._gain, self._offset = np.tile(gain, width), np.tile(offset, width)
        self._kept = 1 - min(sees.frames)
        self._seen: deque[NDArray[np.float32]] = deque(maxlen=self._kept)
        self._seen_s: float | None = None
        self._numbers = {name: _all(numbers) for name, numbers in sees.numbers.items()}

    def reset(self) -> None:
        """Forget all frames: a new sequence begins."""
        self._seen.clear()
        self._seen_s = None

    def picture(self, frame: Frame) -> NDArray[np.uint8]:
        """The picture of a frame: cropped, resized, in the network's colours.

        Args:
            frame: uint8, shape (H, W, 3), red-green-blue; is not changed.

        Returns:
            uint8, shape (h, w, channels).
        """
        height, width = frame.shape[:2]
        left, top, right, bottom = self.geometry.crop
        seen = frame[_pixel(top, height) : _pixel(bottom, height)]
        if (left, right) != (0, 1):
            seen = seen[:, _pixel(left, width) : _pixel(right, width)]
        size, resize = self.geometry.size, _INTERPOLATIONS[self.geometry.resize]
        small = cv2.resize(seen, size, interpolation=resize)
        if self.geometry.colour in _CONVERSIONS:
            small = cv2.cvtColor(small, _CONVERSIONS[self.geometry.colour])
        return np.asarray(small, np.uint8).reshape(self.picture_shape)

    def scaled(self, pictures: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
        """Pictures as the network takes their values.

        Args:
            pictures: uint8, or such values as float32, shape (..., h, w, channels).

        Returns:
            float32 of the same shape.
        """
        rows = pictures.reshape(*pictures.shape[:-2], -1).astype(np.float32)
        rows *= self._gain
        rows += self._offset
        return rows.reshape(pictures.shape)

    def inputs(self, frame: Frame, state: CarState | None = None) -> dict[str, NDArray[np.float32]]:
        """The network's inputs for the next frame of a sequence.

        Args:
            frame: uint8, shape (H, W, 3), red-green-blue.
            state: The car at the frame's time; None: it stands, and no frame was missed.

        Returns:
            By name, float32, always with the channels last: the picture, shape (1, h, w, c),
            (1, t, h, w, c) with an axis of time, (1, h, w, t c) where frames stand in the channels;
            numbers, shape (1, n).
        """
        return self.inputs_of(self.picture(frame), state)

    def inputs_of(
        self, picture: NDArray[np.uint8], state: CarState | None = None
    ) -> dict[str, NDArray[np.float32]]:
        """As ``inputs``, of a frame's picture, shape (h, w, channels)."""
        image = self.scaled(picture)
        if self.sees.axis is not None:
            image = self._stacked(image, state)
        inputs = {self.image_input: image[np.newaxis]}
        if self._numbers:
            known = CarState.standing() if state is None else state
            for name, numbers in self._numbers.items():
                values = [[number.of(known) for number in numbers]]
                inputs[name] = np.array(values, np.float32)
        return inputs

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each input that ``inputs`` gives, by name."""
        height, width, channels = self.picture_shape
        count = len(self.sees.frames)
        image: tuple[int, ...] = (1, height, width, channels)
        if self.sees.axis == "time":
            image = (1, count, height, width, channels)
        elif self.sees.axis == "channels":
            image = (1, height, width, count * channels)
        numbers = {name: (1, len(numbers)) for name, numbers in self._numbers.items()}
        return {self.image_input: image, **numbers}

    def _stacked(self, image: NDArray[np.float32], state: CarState | None) -> NDArray[np.float32]:
        """The picture with the earlier ones; in place of missed ones stands the one before."""
        if not self._seen:
            self._seen.extend([image] * (self._kept - 1))
        elif state is not None and self._seen_s is not None:
            missed = round((state.stamp_s - self._seen_s) / FRAME_PERIOD_S) - 1
            self._seen.extend([self._seen[-1]] * min(missed, self._kept))
        self._seen.append(image)
        self._seen_s = None if state is None else state.stamp_s
        chosen = [self._seen[age - 1] for age in self.sees.frames]
        if self.sees.axis == "time":
            return np.stack(chosen)
        return np.concatenate(chosen, axis=-1)


def to_layout(image: NDArray[np.float32], layout: Layout) -> NDArray[np.float32]:
    """A picture as ``View.inputs`` gives it in a layout: ``nchw`` puts the channels before height.

    Args:
        image: shape (..., h, w, c).
        layout: ``nhwc`` changes nothing.

    Returns:
        A view of the same memory, shape (..., c, h, w) for ``nchw``.
    """
    return image if layout == "nhwc" else np.moveaxis(image, -1, -3)


def layout_of(shape: tuple[int | None, ...], seen: tuple[int, ...]) -> Layout | None:
    """Layout of an input by its shape; None where the shape fits neither.

    Args:
        shape: The input's, with None where it is free.
        seen: The picture's as ``View.shapes`` tells it, channels last.
    """
    if _fits(shape, seen):
        return "nhwc"
    channels_first = (*seen[:-3], seen[-1], *seen[-3:-1])
    return "nchw" if _fits(shape, channels_first) else None


def _fits(shape: tuple[int | None, ...], wanted: tuple[int, ...]) -> bool:
    return len(shape) == len(wanted) and all(
        size is None or size == want for size, want in zip(shape, wanted, strict=True)
    )


def _all(numbers: Number | tuple[Number, ...]) -> tuple[Number, ...]:
    return (numbers,) if isinstance(numbers, Number) else numbers


def _pixel(share: float, size: int) -> int:
    # 0.29 of 100 is 28.999999999999996.
    return math.floor(share * size + 1e-6)
