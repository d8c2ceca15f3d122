"""The frames of a bag, and the commands that were given when it was recorded. No ROS."""

import hashlib
import itertools
import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from brains.interface import Command, Frame
from harness import topics
from harness.conditions.asked import Conditions
from harness.conditions.sight import Sight
from harness.errors import DataError
from harness.metrics.times import drive_starts, missing_stamps
from harness.recording.chosen_topics import camera_topic, no_camera, odometry_topic
from harness.recording.images import COMPRESSED_IMAGE, blue_green_red
from harness.recording.messages import read_messages, topics_of
from harness.run.lockstep import CAMERA_PERIOD_NS
from harness.run.speeds import Speed

Compression = Literal["none", "png", "jpeg"]

# A second of the car's camera.
_DRIVE_FRAMES = 20
_MAGIC: dict[bytes, Compression] = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg"}


@dataclass(frozen=True)
class RecordedFrame:
    """One camera frame of a bag.

    Attributes:
        stamp_ns: Its stamp: simulated time, in a bag of ours.
        pixels: uint8, shape (height, width, 3), red-green-blue.
    """

    stamp_ns: int
    pixels: Frame


@dataclass(frozen=True)
class Source:
    """A bag with camera frames.

    Attributes:
        bag: The file, or the folder of a ROS 2 bag.
        sha256: Of the file; of a folder, of its files one behind the other by their names.
        camera_topic: Where its frames are.
        compression: What they are packed with; all but `jpeg` gives the very pixels of the camera.
        frames: How many there are, of the last drive.
        frames_before: How many there are of earlier drives: where time goes back, the world was
            reset and another drive began.
        model: What drove when it was recorded; None if the bag does not say.
        commands: What was commanded, by the stamp (ns) of the frame that it answered. Frames that
            share a stamp have none: which was answered is not known.
        conditions: Under which it was recorded; its frames are as the camera took them.
        seed: Of the run that was recorded.
        notes: What a reader must know, a line each.
        speeds: The car's measured speed, of the last drive; empty where the bag has no odometry.
    """

    bag: Path
    sha256: str
    camera_topic: str
    compression: Compression
    frames: int
    frames_before: int
    model: str | None
    commands: Mapping[int, Command]
    conditions: Conditions
    seed: int
    notes: tuple[str, ...]
    speeds: tuple[Speed, ...] = ()

    def speed_at(self, stamp_ns: int) -> float:
        """Forward speed in m/s of the last sample at or before a frame.

        Raises:
            DataError: The bag holds none.
        """
        behind = bisect_right(self.speeds, stamp_ns, key=lambda speed: speed.stamp_ns)
        if not behind:
            raise DataError(
                f"{self.bag} holds no odometry before the frame of {stamp_ns / 1e9:.3f} s, and "
                "this model is told the car's speed"
            )
        return self.speeds[behind - 1].m_s


def open_source(bag: Path, camera: str | None = None) -> Source:
    """Look through a bag, its first frame among the rest.

    Args:
        bag: The bag.
        camera: The camera's topic; None takes the usual one, or the only one there is.

    Raises:
        UsageError: The topic given holds no frames.
        DataError: No such file, not a bag, truncated, or without camera frames.
    """
    there = topics_of(bag)
    chosen = camera_topic(bag, there, camera)
    if chosen is None:
        raise no_camera(bag, there)
    packed = there[chosen.topic].kind == COMPRESSED_IMAGE
    compression: Compression = "none"
    spec: Mapping[str, Any] = {}
    stamps_ns: list[int] = []
    # Each with how many frames were recorded before it.
    given: list[tuple[int, int, Command]] = []
    speeds: list[tuple[int, Speed]] = []
    odometry = None
    with suppress(DataError):
        odometry = odometry_topic(bag, there, None).topic
    wanted = {chosen.topic, topics.ITERATIONS, topics.METADATA, *([odometry] if odometry else [])}
    for name, _, message in read_messages(bag, wanted):
        try:
            if name == topics.METADATA:
                spec = _json_object(message.data)
            elif name == odometry:
                speed = Speed(_stamp_ns(message), float(message.twist.twist.linear.x))
                speeds.append((len(stamps_ns), speed))
            elif name == topics.ITERATIONS:
                command = Command(message.v_m_s, message.w_rad_s)
                given.append((len(stamps_ns), _stamp_ns(message), command))
            else:
                if packed and not stamps_ns:
                    compression = _compression(bag, message)
                stamps_ns.append(_stamp_ns(message))
        except AttributeError as error:
            raise DataError(f"{bag}: {name} has an unexpected type ({error})") from error
    model, conditions = spec.get("model"), _conditions(bag, spec)
    before, end = _last_drive(stamps_ns)
    shared = {stamp for stamp, count in Counter(stamps_ns[before:end]).items() if count > 1}
    return Source(
        bag=bag,
        sha256=_sha256(bag),
        camera_topic=chosen.topic,
        compression=compression,
        frames=end - before,
        frames_before=before,
        model=str(model) if model else None,
        commands={
            stamp: command
            for frames, stamp, command in given
            if before < frames <= end and stamp not in shared
        },
        conditions=conditions,
        seed=_seed(spec),
        notes=_notes(chosen.note, end - before, len(stamps_ns), shared, conditions),
        speeds=tuple(sorted(speed for frames, speed in speeds if before <= frames <= end)),
    )


def read_frames(source: Source) -> Iterator[RecordedFrame]:
    """Every frame of a bag's last drive, in the order of the records.

    Raises:
        DataError: The bag is damaged, or a frame is no colour image.
    """
    messages = read_messages(source.bag, {source.camera_topic})
    for number, (_, _, image) in enumerate(messages):
        if not 0 <= number - source.frames_before < source.frames:
            continue
        try:
            pixels = np.ascontiguousarray(blue_green_red(image)[..., ::-1])
        except ValueError as error:
            raise DataError(f"{source.bag}: a camera frame can't be read: {error}") from error
        yield RecordedFrame(_stamp_ns(image), pixels)


def frames_as_seen(source: Source) -> Iterator[tuple[RecordedFrame, Frame]]:
    """Every recorded frame that arrived at the brain, with what that saw of it.

    The conditions of the recorded run are applied as they were then: the frames that it answered
    look the same bit for bit. Those that `frame_drop` lost are left out.

    Raises:
        DataError: The bag is damaged, or a frame is no colour image.
    """
    sight = Sight(source.conditions, source.seed, CAMERA_PERIOD_NS)
    for frame in read_frames(source):
        if not sight.loses(frame.stamp_ns):
            answered = frame.stamp_ns in source.commands
            yield frame, sight.of(frame.pixels, frame.stamp_ns, taken=answered)


def _conditions(bag: Path, spec: Mapping[str, Any]) -> Conditions:
    """The conditions that a bag's metadata tell; none where they are of another kind of bag."""
    told = spec.get("conditions")
    try:
        return Conditions.parse(told) if isinstance(told, str) else Conditions()
    except ValueError as error:
        raise DataError(f"{bag}: its conditions are none of this version: {error}") from None


def _seed(spec: Mapping[str, Any]) -> int:
    seed = spec.get("seed")
    return seed if isinstance(seed, int) and seed >= 0 else 0


def _last_drive(stamps_ns: list[int]) -> tuple[int, int]:
    """The last drive's first frame, and the one behind its last.

    Where the world was reset once more only for the end, that is no drive to replay.
    """
    times_s = np.array(stamps_ns, dtype=np.float64) / 1e9
    times_s[missing_stamps(times_s)] = np.nan
    drives = list(itertools.pairwise([*drive_starts(times_s).tolist(), len(stamps_ns)]))
    long = [(first, end) for first, end in drives if end - first >= _DRIVE_FRAMES]
    return long[-1] if long else max(drives, key=lambda drive: drive[1] - drive[0])


def _notes(
    choice: str, taken: int, recorded: int, shared: set[int], conditions: Conditions
) -> tuple[str, ...]:
    notes = [choice] if choice else []
    if conditions.levels:
        notes.append(f"its frames are shown under the conditions of its run: {conditions}")
    if taken < recorded:
        notes.append(
            "simulated time goes back (the world was reset): the frames are those of the last"
            f" drive, {taken} of {recorded}"
        )
    if shared == {0}:
        notes.append("its camera frames carry no stamps: their commands can't be told apart")
    elif shared:
        notes.append(f"{len(shared)} stamps are shared by frames: those are not compared")
    return tuple(notes)


def _sha256(bag: Path) -> str:
    digest = hashlib.sha256()
    try:
        for path in sorted(bag.iterdir()) if bag.is_dir() else [bag]:
            if path.is_file():
                with path.open("rb") as file:
                    while block := file.read(1 << 20):
                        digest.update(block)
    except OSError as error:
        raise DataError(f"{bag} can't be read: {error.strerror}") from error
    return digest.hexdigest()


def _stamp_ns(message: Any) -> int:
    stamp = message.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def _compression(bag: Path, image: Any) -> Compression:
    data = bytes(image.data[:4])
    for magic, name in _MAGIC.items():
        if data.startswith(magic):
            return name
    raise DataError(f"{bag}: its camera frames are neither JPEG nor PNG ({image.format!r})")


def _json_object(text: str) -> dict[str, Any]:
    """A JSON object; empty where the text is none (a foreign bag may hold anything there)."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
