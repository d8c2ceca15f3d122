"""Camera frames of a bag, one after the other."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import DataError
from harness.recording.images import Picture, blue_green_red
from harness.recording.messages import DamagedBagError, read_damaged, read_messages


def camera_frames(
    bag: Path, topic: str, times_s: Mapping[int, float]
) -> Iterator[tuple[float, Picture]]:
    """Time and picture, uint8 (height, width, 3) in blue-green-red, of frames.

    Of a damaged bag come the frames that are still there.

    Args:
        bag: The bag.
        topic: Where its frames are.
        times_s: The simulated time of each frame wanted, by its number on the topic.

    Raises:
        DataError: No such bag, or a frame that is no picture.
    """
    given = 0
    try:
        for number, (_, _, message) in enumerate(read_messages(bag, {topic})):
            if number in times_s:
                yield _frame(bag, times_s[number], message)
            given += 1
    except DamagedBagError:
        # The same messages come again, in the same order, and more.
        for number, (_, _, message) in enumerate(read_damaged(bag, {topic}, [])):
            if number >= given and number in times_s:
                yield _frame(bag, times_s[number], message)


def _frame(bag: Path, sim_s: float, message: Any) -> tuple[float, Picture]:
    try:
        return sim_s, blue_green_red(message)
    except ValueError as error:
        raise DataError(
            f"{bag}: the camera's frame of {sim_s:.2f} s can't be read: {error}"
        ) from error
