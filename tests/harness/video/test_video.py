"""Videos: what stands beside the camera's frames, and a film decoded again."""

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from rosbags.rosbag1 import Writer

from harness.errors import DataError
from harness.recording.course import Given
from harness.recording.images import Picture
from harness.topics import CAMERA
from harness.video import canvas
from harness.video.film import make_video
from harness.video.scene import HEIGHT, WIDTH, Scene, Titles, place_camera
from harness.video.telemetry import Telemetry, frame_times
from tests.harness.bagmaker import BagMaker, Iteration, Recording, along, typestore, write_bag
from tests.harness.camerabag import stamped_frames
from worlds.circuit import load_circuit

GREEN = (40, 200, 60)  # of a camera that sees nothing else; blue, green, red


def silent(done: int, of: int) -> None:
    """No progress shown."""


def png(colour: tuple[int, int, int] = GREEN) -> bytes:
    picture = np.full((48, 64, 3), colour, np.uint8)
    return bytes(cv2.imencode(".png", picture)[1].tobytes())


def camera_recording(metres: float = 30.0, **changes: Any) -> Recording:
    recording = Recording(
        poses=along(metres=metres, offset_m=0.1),
        iterations=[Iteration(i / 20.0, i / 20.0 + 0.01) for i in range(5, 60)],
        events=[{"event": "go", "sim_s": 0.0}],
        camera_sim_s=[i / 20.0 for i in range(61)],
        camera_png=png(),
        metadata={"model": "tflite_dynamic", "circuit": "simple_circuit"},
    )
    return replace(recording, **changes)


def image_bag(path: Path, *images: dict[str, Any]) -> Path:
    """A bag of uncompressed images."""
    with Writer(path) as writer:
        bag = BagMaker(writer, typestore())
        for index, fields in enumerate(images):
            header = bag.header(index / 20.0)
            image = bag.make("sensor_msgs/Image", header=header, is_bigendian=0, **fields)
            bag.write("/F1ROS/cameraL/image_raw", "sensor_msgs/Image", index / 20.0, image)
    return path


def scene_at(**columns: float) -> Picture:
    """The picture of a car in the middle of SimpleCircuit."""
    circuit = load_circuit("simple_circuit")
    line = circuit.centreline("forward")
    x_m, y_m = line.position(100.0)
    values = {"sim_s": 7.0, "x_m": x_m, "y_m": y_m, "yaw_rad": 0.0, "speed_m_s": 5.0}
    values |= {"steering_rad_s": 0.0, "lateral_m": 0.0, "progress_m": 100.0, "inference_ms": 2.0}
    telemetry = Telemetry(**{k: np.array([v]) for k, v in (values | columns).items()})
    scene = Scene(circuit, line, 0.0, 1, telemetry, Titles("a_model", "SimpleCircuit", "", ""))
    return scene.picture(0, np.full((48, 64, 3), GREEN, np.uint8))


def centre_of(picture: Picture, colour: canvas.Colour, top: int, bottom: int) -> float:
    """Mean column of a colour in some rows of the panel."""
    near = np.abs(picture[top:bottom, 960:].astype(int) - colour).max(axis=2) < 12
    assert near.any()
    return 960.0 + float(np.nonzero(near)[1].mean())


def test_every_kind_of_frame_is_read(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (4, 6, 3), np.uint8)
    padded = np.zeros((4, 20), np.uint8)
    padded[:, :18] = pixels.reshape(4, 18)
    size: dict[str, Any] = {"height": 4, "width": 6}
    bag = image_bag(
        tmp_path / "raw.bag",
        {**size, "encoding": "bgr8", "step": 18, "data": pixels.ravel()},
        {**size, "encoding": "rgb8", "step": 20, "data": padded.ravel()},
    )
    (first_s, plain), (second_s, turned) = stamped_frames(bag, CAMERA)
    assert (first_s, second_s) == (0.0, 0.05)
    assert np.array_equal(plain, pixels)
    assert np.array_equal(turned, pixels[..., ::-1])
    packed = write_bag(tmp_path / "run.bag", camera_recording(camera_sim_s=[0.0, 0.05]))
    assert [frame[0, 0].tolist() for _, frame in stamped_frames(packed)] == [list(GREEN)] * 2


def test_a_frame_that_is_none_is_named(tmp_path: Path) -> None:
    fields = {"height": 1, "width": 1, "step": 1, "data": np.zeros(1, np.uint8)}
    depth = image_bag(tmp_path / "depth.bag", {**fields, "encoding": "32FC1"})
    with pytest.raises(DataError, match=r"0\.00 s can't be read: .*'32FC1'; known are bgr8"):
        stamped_frames(depth, CAMERA)
    broken = write_bag(tmp_path / "broken.bag", camera_recording(camera_png=b"nothing"))
    with pytest.raises(DataError, match=r"frame of 0\.00 s can't be read: it is no JPEG or PNG"):
        stamped_frames(broken)


def test_a_damaged_bag_gives_the_frames_that_are_there_once(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "run.bag", camera_recording(), chunk_bytes=4000)
    whole = [stamp_s for stamp_s, _ in stamped_frames(bag)]
    bag.write_bytes(bag.read_bytes()[: -bag.stat().st_size // 20])
    assert [stamp_s for stamp_s, _ in stamped_frames(bag)] == whole


def test_frames_come_evenly_from_go_to_the_end() -> None:
    stamps_s = np.array([0.0, 0.05, 0.10, 0.20, 0.25, 0.30])  # one is missing
    times_s, rate_hz = frame_times(stamps_s, 0.07, 0.29)
    assert rate_hz == 20
    assert times_s == pytest.approx([0.07, 0.12, 0.17, 0.22, 0.27])


def test_telemetry_is_that_of_the_run(tmp_path: Path) -> None:
    from harness.recording.bag_metrics import measured_log

    bag = write_bag(tmp_path / "run.bag", camera_recording())
    _, log, drive = measured_log(bag)
    seen = Telemetry.of(log, drive, np.array([0.1, 1.01, 2.0]))
    assert seen.progress_m == pytest.approx([1.0, 10.1, 20.0], abs=1e-2)
    assert seen.lateral_m == pytest.approx([0.1] * 3, abs=1e-3)
    assert seen.speed_m_s == pytest.approx([10.0] * 3, rel=0.02)
    # The first command answers the frame of 0.25 s.
    assert seen.steering_rad_s.tolist() == [0.0, 0.4, 0.4]
    assert np.isnan(seen.inference_ms[0]) and seen.inference_ms[1] == pytest.approx(4.0)
    silent_log = replace(log, iterations=replace(log.iterations, frame_sim_s=np.empty(0)))
    assert Telemetry.of(silent_log, drive, np.array([1.0])).steering_rad_s == pytest.approx([0.4])


def test_left_is_left() -> None:
    rows = (352 + 84, 352 + 3 * 84)
    steering, deviation = (rows[0] + 40, rows[0] + 56), (rows[0] + 84 + 36, rows[1] - 20)
    middle = (982 + 1258) / 2
    assert centre_of(scene_at(steering_rad_s=0.8), canvas.ORANGE, *steering) < middle - 20
    assert centre_of(scene_at(steering_rad_s=-0.8), canvas.ORANGE, *steering) > middle + 20
    left = scene_at(lateral_m=0.8)[:, :, :]
    assert centre_of(left[:, :], canvas.INK, deviation[0] + 4, deviation[1]) < middle - 40
    right = scene_at(lateral_m=-0.8)
    assert centre_of(right, canvas.INK, deviation[0] + 4, deviation[1]) > middle + 40


def test_the_bar_of_speed_grows_to_the_fastest() -> None:
    rows = (352 + 40, 352 + 54)
    bars = []
    for speed_m_s in (2.0, 4.0):
        circuit = load_circuit("simple_circuit")
        line = circuit.centreline("forward")
        columns = {name: np.zeros(2) for name in Telemetry.__dataclass_fields__}
        telemetry = Telemetry(**(columns | {"speed_m_s": np.array([speed_m_s, 8.0])}))
        titles = Titles("a_model_with_quite_a_long_name_of_its_own", "SimpleCircuit", "", "")
        scene = Scene(circuit, line, 0.0, 1, telemetry, titles)
        bars.append(
            centre_of(scene.picture(0, np.zeros((48, 64, 3), np.uint8)), canvas.BLUE, *rows)
        )
    assert bars[1] - bars[0] == pytest.approx((1258 - 982) / 8.0, abs=2.0)


@pytest.mark.parametrize(("width", "height"), [(64, 48), (1920, 1080), (48, 96)])
def test_a_camera_of_any_shape_fits(width: int, height: int) -> None:
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    place_camera(picture, np.full((height, width, 3), GREEN, np.uint8))
    there = (picture == GREEN).all(axis=2)
    assert not there[:, 960:].any()
    across, down = there.any(axis=0).sum(), there.any(axis=1).sum()
    assert across == 960 or down == HEIGHT
    assert across / down == pytest.approx(width / height, rel=0.01)


def test_a_film_has_every_frame_and_the_verdict(tmp_path: Path) -> None:
    import av

    bag = write_bag(tmp_path / "run.bag", camera_recording())
    shown: list[tuple[int, int]] = []
    film = make_video(tmp_path, None, Given(), lambda done, of: shown.append((done, of)))
    assert film.file == tmp_path / "video.mp4"
    (told,) = film.notes
    assert told.startswith("times: simulated by the odometry's stamps")
    assert sorted(path.name for path in tmp_path.iterdir()) == [bag.name, "video.mp4"]
    with av.open(str(film.file)) as file:
        (stream,) = file.streams.video
        assert (stream.width, stream.height) == (WIDTH, HEIGHT)
        assert stream.average_rate == Fraction(20)
        assert stream.codec_context.name == "h264"
        frames = [frame.to_ndarray(format="bgr24") for frame in file.decode(video=0)]
    # 3 s of driving, and the ending.
    assert len(frames) == 61 + 40
    assert shown[-1] == (61, 61)
    assert np.abs(frames[30][600, 480].astype(int) - GREEN).max() < 12
    assert frames[30][330, 480].mean() > 2.0 * frames[-1][280, 480].mean()


def test_of_a_damaged_bag_there_is_a_film_of_what_is_there(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "run.bag", camera_recording(), chunk_bytes=4000)
    bag.write_bytes(bag.read_bytes()[:-100])
    film = make_video(bag, tmp_path / "films" / "short.mp4", Given(), silent)
    assert film.file.stat().st_size > 5000
    assert film.notes


def command(*arguments: str, without_av: bool = False) -> subprocess.CompletedProcess[str]:
    code = "import sys; from harness.cli.main import main; "
    code += "sys.modules['av'] = None; main()" if without_av else "main()"
    words = [sys.executable, "-c", code, "video", *arguments]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


def test_what_keeps_a_film_from_being_made_is_one_line(tmp_path: Path) -> None:
    write_bag(tmp_path / "run.bag", camera_recording(camera_sim_s=()))
    cases = [
        (command(str(tmp_path)), 3, "record_camera:=true"),
        (command(str(tmp_path / "none")), 3, "no such bag"),
        (command(str(tmp_path), without_av=True), 4, "make setup EXTRAS=video"),
    ]
    for done, code, word in cases:
        assert done.returncode == code, done.stderr
        (line,) = done.stderr.strip().splitlines()
        assert line.startswith("error: ") and word in line
    assert [path.name for path in tmp_path.iterdir()] == ["run.bag"]
