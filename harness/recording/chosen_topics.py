"""Which of a bag's topics hold the odometry and the camera: asked for, usual, or the only one."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness import topics
from harness.errors import DataError, UsageError
from harness.recording.images import COMPRESSED_IMAGE, IMAGE
from harness.recording.open_bag import Topic

ODOMETRY = "nav_msgs/msg/Odometry"
_PACKED = "/compressed"


@dataclass(frozen=True)
class AskedTopics:
    """The topics that the user names; None is not said."""

    odometry: str | None = None
    camera: str | None = None


@dataclass(frozen=True)
class Choice:
    """A topic taken.

    Attributes:
        topic: Its name.
        note: What a reader must know of the choice; empty where it is the usual one.
    """

    topic: str
    note: str = ""


def odometry_topic(bag: object, there: Mapping[str, Topic], asked: str | None) -> Choice:
    """The topic of the car's path.

    The one asked for; else the usual one; else the only one of its type, which is then said.

    Args:
        bag: The bag's name, for what is said of it.
        there: Its topics.
        asked: The topic that the user names.

    Raises:
        UsageError: The topic asked for holds no odometry.
        DataError: There is no odometry, or more than one topic of it and none is the usual one.
    """
    found = _with_messages(there, (ODOMETRY,))
    listed = f"its odometry topics: {', '.join(found) or 'none'}"
    if asked is not None:
        if asked in found:
            return Choice(asked)
        raise UsageError(f"{bag}: {_why_not(there, asked, 'odometry')}; {listed}")
    # Whatever its type is: that it is wrong is told where it is read.
    if there.get(topics.ODOMETRY, Topic("", 0)).count:
        return Choice(topics.ODOMETRY)
    if len(found) == 1:
        return Choice(found[0], f"its odometry is that of {found[0]} (no {topics.ODOMETRY})")
    if found:
        raise DataError(f"{bag} has no {topics.ODOMETRY}; {listed}: choose one by --odometry-topic")
    raise DataError(
        f"{bag} has no {topics.ODOMETRY} and no other odometry (nav_msgs/Odometry): it is no"
        f" recording of a run ({_summary(there)})"
    )


def camera_topic(bag: object, there: Mapping[str, Topic], asked: str | None) -> Choice | None:
    """The topic of the camera's frames; None if nothing is asked for and there is none to take.

    A camera's name stands for its raw images, else for those of its transport `compressed`. The
    one asked for; else the usual one; else the only one, which is then said.

    Args:
        bag: The bag's name, for what is said of it.
        there: Its topics.
        asked: The camera that the user names.

    Raises:
        UsageError: The topic asked for holds no frames.
    """
    found = image_topics(there)
    name = topics.CAMERA if asked is None else asked
    for topic in (name, f"{name}{_PACKED}"):
        if topic in found:
            return Choice(topic)
    if asked is not None:
        raise UsageError(
            f"{bag}: {_why_not(there, asked, 'camera frames')};"
            f" its image topics: {', '.join(found) or 'none'}"
        )
    cameras = list(dict.fromkeys(topic.removesuffix(_PACKED) for topic in found))
    if len(cameras) != 1:
        return None
    return Choice(found[0], f"its camera is that of {found[0]} (no {topics.CAMERA})")


def image_topics(there: Mapping[str, Topic]) -> list[str]:
    """Topics of images that hold some, in the order of their names."""
    return _with_messages(there, (IMAGE, COMPRESSED_IMAGE))


def no_camera(bag: object, there: Mapping[str, Topic]) -> DataError:
    """The error of a bag without frames to take: how to choose some, or how to record them."""
    found = image_topics(there)
    if found:
        return DataError(
            f"{bag} has no {topics.CAMERA}; its image topics: {', '.join(found)}: choose one by"
            " --camera-topic"
        )
    return DataError(
        f"{bag} holds no camera frames: record it with record_camera:=true (`harness lap"
        " --record-camera`)"
    )


def _with_messages(there: Mapping[str, Topic], kinds: tuple[str, ...]) -> list[str]:
    return sorted(name for name, topic in there.items() if topic.kind in kinds and topic.count)


def _why_not(there: Mapping[str, Topic], asked: str, what: str) -> str:
    if asked not in there:
        return f"no topic {asked}"
    if not there[asked].count:
        return f"{asked} holds no message"
    return f"{asked} holds no {what} but {there[asked].kind.replace('/msg/', '/')}"


def _summary(there: Mapping[str, Topic]) -> str:
    names = [name for name, topic in sorted(there.items()) if topic.count]
    return f"its topics: {', '.join(names)}" if names else "it holds no messages"
