"""From a recording to its video."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.errors import DataError
from harness.recording.bag_metrics import BagMetrics, measured_log
from harness.recording.chosen_topics import AskedTopics, no_camera
from harness.recording.course import Given
from harness.recording.images import Picture
from harness.recording.messages import bag_of, whatever_topics
from harness.video.encoder import check_encoder, write_video
from harness.video.frames import camera_frames
from harness.video.scene import HEIGHT, WIDTH, Scene, Titles
from harness.video.telemetry import Telemetry, frame_times

VIDEO_NAME = "video.mp4"
_ENDING_S = 2.0


@dataclass(frozen=True)
class Film:
    """A video that was made.

    Attributes:
        file: The video.
        notes: What the bag's times mean and whatever else is to be known of it, a line each.
    """

    file: Path
    notes: tuple[str, ...]


def make_video(
    recording: Path,
    output: Path | None,
    given: Given,
    progress: Callable[[int, int], None],
    asked: AskedTopics | None = None,
) -> Film:
    """Make the video of a run.

    Args:
        recording: A recording's folder, or a bag.
        output: The file; None is `video.mp4` beside the bag.
        given: What the user says of the bag's course.
        progress: Told how many of how many pictures are drawn.
        asked: The topics that the user names.

    Raises:
        UnavailableError: No video encoder is installed.
        UsageError: The circuit or a topic given is not known.
        DataError: No bag, no run, no camera frames in it, or no times to show them by.
        StorageError: The video can't be written.
    """
    check_encoder()
    bag = bag_of(recording)
    measured, log, drive = measured_log(bag, given, asked)
    if log.camera_topic is None:
        raise no_camera(bag, whatever_topics(bag))
    if log.times.kind == "none":
        raise DataError(f"{bag} makes no video: {'; '.join(log.times.notes)}")
    if log.camera_sim_s.size < 2:
        raise DataError(f"{bag}: fewer than two frames of {log.camera_topic} can be placed in time")
    times_s, rate_hz = frame_times(log.camera_sim_s, float(drive.path.sim_s[0]), drive.end_sim_s)
    course = measured.course
    scene = Scene(
        course.circuit,
        course.circuit.centreline(course.direction),
        course.start_station_m,
        course.laps,
        Telemetry.of(log, drive, times_s),
        _titles(measured, str(log.metadata.get("model", bag.parent.name))),
    )
    file = output or bag.with_name(VIDEO_NAME)
    numbered = zip(log.camera_numbers.tolist(), log.camera_sim_s.tolist(), strict=True)
    frames = camera_frames(bag, log.camera_topic, dict(numbered))
    write_video(_pictures(scene, frames, times_s, rate_hz, progress), WIDTH, HEIGHT, rate_hz, file)
    return Film(file, (f"times: {measured.times.words}", *measured.notes))


def _pictures(
    scene: Scene,
    frames: Iterator[tuple[float, Picture]],
    times_s: np.ndarray,
    rate_hz: int,
    progress: Callable[[int, int], None],
) -> Iterator[Picture]:
    """The video's pictures, each with the last camera frame of its time; then the verdict."""
    _, camera = next(frames)
    coming = next(frames, None)
    for index, time_s in enumerate(times_s.tolist()):
        while coming is not None and coming[0] <= time_s + 1e-6:
            camera = coming[1]
            coming = next(frames, None)
        picture = scene.picture(index, camera)
        yield picture
        progress(index + 1, len(times_s))
    for _ in range(round(_ENDING_S * rate_hz)):
        yield scene.ending(picture)


def _titles(measured: BagMetrics, model: str) -> Titles:
    course, metrics = measured.course, measured.metrics
    outcome = (measured.outcome or "undecided").replace("_", " ").capitalize()
    figures = []
    if metrics.lap_time_s is not None:
        figures.append(f"lap {metrics.lap_time_s:.2f} s")
    if metrics.average_speed_m_s is not None:
        figures.append(f"{metrics.average_speed_m_s:.2f} m/s")
    if metrics.deviation_mae_m is not None:
        figures.append(f"deviation {metrics.deviation_mae_m:.3f} m")
    if metrics.inference_ms_median is not None:
        figures.append(f"inference {metrics.inference_ms_median:.1f} ms")
    reverse = "" if course.direction == "forward" else ", reverse"
    return Titles(
        model=model,
        course=f"{course.circuit.title}{reverse}",
        verdict=f"{outcome}: {metrics.laps} of {course.laps} laps",
        figures="   ".join(figures),
    )
