"""Bags from the field, case by case: the right figures, or one line that says what is wrong."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.rosbag1 import Reader, Writer

from harness.errors import DataError, UsageError
from harness.recording.bag_metrics import BagMetrics, measure_bag
from harness.recording.chosen_topics import AskedTopics
from harness.recording.course import Given
from harness.recording.log import read_run_log
from harness.recording.messages import bag_of, mend_bag
from harness.replay.source import open_source, read_frames
from harness.report.bag_sheet import json_sheet
from tests.harness.bagmaker import (
    WALL_ORIGIN_S,
    BagMaker,
    Pose,
    Recording,
    along,
    odometry,
    on_circle,
    typestore,
    write_bag,
)
from tests.harness.camerabag import random_frames, write_camera_bag
from tests.harness.fieldbags import (
    Sample,
    as_ros2,
    field_bag,
    image,
    old_format,
    on_the_wall,
    samples,
    ticks,
    twice,
    with_index_fields_turned,
)
from tests.harness.test_cli import harness
from worlds.circuit import load_circuit

LAP_M = load_circuit("simple_circuit").centreline().length_m
LAP_S = LAP_M / 10.0
WORLD = {"world": "simple_circuit.launch"}
OF_TIME = (
    *("lap_time_s", "duration_sim_s", "average_speed_m_s", "real_time_factor"),
    *("real_time_factor_worst_second", "images_per_sim_s", "control_rate_hz"),
    *("published_average_speed", "odometry_sha256", "inference_ms_median"),
)


def lap(metres: float = LAP_M + 4.0, **changes: Any) -> list[Pose]:
    """A lap of SimpleCircuit at 10 m/s, 0.1 m to the left."""
    return along(metres=metres, offset_m=0.1, **changes)


def assert_line_alone(measured: BagMetrics) -> None:
    """Laps, distance and deviation of `lap()`; every figure of time null."""
    figures = measured.metrics
    assert (measured.outcome, figures.laps) == ("completed", 1)
    assert figures.progress_m == pytest.approx(LAP_M, abs=0.01)
    assert figures.deviation_mae_m == pytest.approx(0.1, abs=2e-3)
    assert figures.published_completed_distance == pytest.approx(LAP_M, abs=6.0)
    values = figures.model_dump()
    assert {name: values[name] for name in OF_TIME} == dict.fromkeys(OF_TIME)
    assert figures.lap_times_s == ()
    assert not measured.times.known


def assert_lap_time(measured: BagMetrics, factor: float | None) -> None:
    """The lap of `lap()` in simulated time, and its real-time factor."""
    assert (measured.outcome, measured.metrics.laps) == ("completed", 1)
    assert measured.metrics.lap_time_s == pytest.approx(LAP_S, abs=0.03)
    assert measured.metrics.average_speed_m_s == pytest.approx(10.0, abs=0.02)
    assert measured.metrics.deviation_mae_m == pytest.approx(0.1, abs=2e-3)
    assert measured.metrics.real_time_factor == (
        None if factor is None else pytest.approx(factor, rel=0.01)
    )


# Case 1: stamps that are missing.


@pytest.mark.parametrize("span_s", [90.0, 0.9, 0.0])
def test_case_01_without_stamps_there_are_the_figures_of_the_line_alone(
    tmp_path: Path, span_s: float
) -> None:
    sent = samples(lap(), lambda _: 0.0, lambda sim_s: span_s * sim_s / LAP_S)
    bag = field_bag(tmp_path / "perfect_lap.bag", sent, metadata=WORLD)
    measured = measure_bag(bag)
    assert_line_alone(measured)
    assert any(note.startswith("its odometry carries no stamps") for note in measured.notes)
    done = harness("metrics", str(bag))
    assert done.returncode == 0
    assert "Times: none, simulated time is unknown" in done.stdout
    assert "its odometry carries no stamps" in done.stdout
    assert json.loads(json_sheet(measured))["lap_time_s"] is None


def test_case_01_a_line_without_stamps_is_judged_by_where_it_runs(tmp_path: Path) -> None:
    bag = field_bag(tmp_path / "a.bag", samples(lap(200.0), lambda _: 0.0), metadata=WORLD)
    measured = measure_bag(bag)
    assert measured.outcome is None
    assert measured.outcome_reason == f"the bag ends at 200.0 m of {LAP_M:.1f} m"
    away = [replace(p, x_m=p.x_m + 20.0) if n > 100 else p for n, p in enumerate(lap(200.0))]
    off = field_bag(tmp_path / "b.bag", samples(away, lambda _: 0.0), metadata=WORLD)
    assert measure_bag(off).outcome == "off_track"


def test_case_01_single_missing_stamps_are_left_out(tmp_path: Path) -> None:
    sent = [
        replace(sample, stamp_s=0.0) if number % 10 == 3 else sample
        for number, sample in enumerate(samples(lap()))
    ]
    measured = measure_bag(field_bag(tmp_path / "a.bag", sent, ticks(50.0), WORLD))
    assert_lap_time(measured, 1.0)
    (told,) = (note for note in measured.notes if "left out" in note)
    assert told.startswith(f"{len(sent) // 10} of {len(sent)} odometry samples carry no stamp")


def test_case_01_stamps_missing_before_the_car_moves_are_left_out(tmp_path: Path) -> None:
    poses = lap()
    still = [Sample(n / 50.0, 0.0, poses[0]) for n in range(50)]
    moving = samples(poses, lambda sim_s: 30.0 + sim_s, lambda sim_s: 1.0 + 2.0 * sim_s)
    measured = measure_bag(field_bag(tmp_path / "a.bag", [*still, *moving], metadata=WORLD))
    assert_lap_time(measured, None)
    assert any(note.startswith("50 of") for note in measured.notes)


def test_case_01_a_simulation_begins_at_zero(tmp_path: Path) -> None:
    poses = lap()
    still = [Sample(n / 50.0 - 1.0, 0.0, poses[0]) for n in range(50)]
    clock = ticks(50.0, twice)
    measured = measure_bag(
        field_bag(tmp_path / "a.bag", [*still, *samples(poses, record=twice)], clock, WORLD)
    )
    assert_lap_time(measured, 0.5)
    assert measured.notes == ()


def test_case_01_a_third_without_stamps_leaves_the_line(tmp_path: Path) -> None:
    sent = samples(lap(), lambda sim_s: 0.0 if 10.0 < sim_s < 25.0 else sim_s, twice)
    measured = measure_bag(field_bag(tmp_path / "a.bag", sent, ticks(50.0, twice), WORLD))
    assert_line_alone(measured)
    assert any("carry no stamp: simulated time is unknown" in note for note in measured.notes)


def test_case_01_records_squeezed_into_a_second_tell_no_wall_time(tmp_path: Path) -> None:
    sent = samples(lap(), record=lambda sim_s: sim_s / LAP_S)
    clock = ticks(45.0, lambda sim_s: sim_s / LAP_S)
    measured = measure_bag(field_bag(tmp_path / "a.bag", sent, clock, WORLD))
    assert_lap_time(measured, None)
    assert measured.metrics.duration_wall_s is None
    assert any("too fast to be of the wall" in note for note in measured.notes)


# Case 2: index records with their fields in different orders.


def turned_camera_bag(path: Path) -> Path:
    whole = write_camera_bag(path / "whole.bag", random_frames(60))
    return with_index_fields_turned(whole, path / "turned.bag")


def test_case_02_index_fields_in_any_order_are_no_damage(tmp_path: Path) -> None:
    recording = Recording(poses=lap(), metadata=WORLD)
    whole = write_bag(tmp_path / "whole.bag", recording, "lz4", chunk_bytes=50_000)
    turned = with_index_fields_turned(whole, tmp_path / "turned.bag")
    # The very fault of the library that is mended; without it the mending can go.
    with pytest.raises((AssertionError, IndexError)), Reader(turned):
        pass
    assert measure_bag(turned).metrics == measure_bag(whole).metrics
    assert read_run_log(turned).losses == ()
    assert not mend_bag(turned)


def test_case_02_a_replay_has_every_frame_and_command(tmp_path: Path) -> None:
    source = open_source(turned_camera_bag(tmp_path))
    whole = open_source(tmp_path / "whole.bag")
    assert (source.frames, source.commands) == (60, whole.commands)
    for frame, other in zip(read_frames(source), read_frames(whole), strict=True):
        assert frame.stamp_ns == other.stamp_ns
        assert np.array_equal(frame.pixels, other.pixels)


# Case 3: odometry stamped with wall time.


@pytest.mark.parametrize("late_s", [0.0, 3600.0])
def test_case_03_wall_stamps_get_their_simulated_time_from_clock(
    tmp_path: Path, late_s: float
) -> None:
    # An hour late: another machine's clock.
    sent = samples(lap(), lambda sim_s: on_the_wall(sim_s) + late_s, twice)
    bag = field_bag(tmp_path / "a.bag", sent, ticks(50.0, twice), WORLD)
    measured = measure_bag(bag)
    assert_lap_time(measured, 0.5)
    assert measured.metrics.duration_wall_s == pytest.approx(2.0 * LAP_S, abs=0.05)
    assert any("stamped with wall time" in note and "/clock" in note for note in measured.notes)
    assert json.loads(json_sheet(measured))["times"].startswith("simulated by /clock")


def test_case_03_without_a_clock_simulated_time_is_unknown(tmp_path: Path) -> None:
    slow = samples(lap(), lambda sim_s: WALL_ORIGIN_S + 9.0 * sim_s, lambda sim_s: 9.0 * sim_s)
    measured = measure_bag(field_bag(tmp_path / "a.bag", slow, metadata=WORLD))
    # 387 s of the wall: no timeout, for the limit is one of simulated time.
    assert_line_alone(measured)
    assert measured.metrics.duration_wall_s == pytest.approx(9.0 * LAP_S, abs=0.5)
    assert any("wall time, without a /clock" in note for note in measured.notes)


def test_case_03_what_lies_beyond_the_clock_has_no_time(tmp_path: Path) -> None:
    sent = samples(lap(), on_the_wall, twice)
    measured = measure_bag(field_bag(tmp_path / "a.bag", sent, ticks(20.0, twice), WORLD))
    assert_line_alone(measured)
    assert any("lie beyond the recorded /clock" in note for note in measured.notes)


def test_case_03_a_clock_that_tells_the_wall_s_date_is_simulated_time(tmp_path: Path) -> None:
    clock = [(record_s, WALL_ORIGIN_S + sim_s) for record_s, sim_s in ticks(50.0, twice)]
    sent = samples(lap(), lambda sim_s: WALL_ORIGIN_S + sim_s, twice)
    assert_lap_time(measure_bag(field_bag(tmp_path / "a.bag", sent, clock, WORLD)), 0.5)


@pytest.mark.parametrize("with_clock", [True, False])
def test_case_03_wall_stamped_frames_beside_simulated_odometry(
    tmp_path: Path, with_clock: bool
) -> None:
    frames = random_frames(200)
    camera = "/F1ROS/cameraL/image_raw"
    images = [
        (2.0 * (n + 1) / 20.0, on_the_wall((n + 1) / 20.0), camera, f) for n, f in enumerate(frames)
    ]
    clock = ticks(50.0, twice) if with_clock else []
    bag = field_bag(tmp_path / "a.bag", samples(lap(), record=twice), clock, WORLD, images=images)
    log = read_run_log(bag)
    assert log.camera_sim_s == pytest.approx(np.arange(1, 201) / 20.0, abs=0.011)
    assert log.camera_numbers.tolist() == list(range(200))
    assert any("camera frames are stamped by another clock" in note for note in log.times.notes)
    assert measure_bag(bag).metrics.images_per_sim_s == pytest.approx(20.0, rel=0.01)


# Case 4: simulated time goes back.


def test_case_04_after_a_reset_the_figures_are_of_the_last_drive(tmp_path: Path) -> None:
    first = samples(along(metres=200.0, offset_m=-0.4, speed_m_s=5.0), record=twice)
    second = samples(lap(), record=twice, after_s=90.0)
    clock = [*ticks(40.0, twice), *ticks(50.0, twice, after_s=90.0)]
    bag = field_bag(tmp_path / "a.bag", [*first, *second], clock, WORLD)
    measured = measure_bag(bag)
    assert_lap_time(measured, 0.5)
    (told,) = (note for note in measured.notes if "went back" in note)
    assert told.startswith("simulated time went back at 40.00 s")
    assert "of the last of 2 drives" in told


def test_case_04_of_three_drives_the_last_that_moves_is_taken(tmp_path: Path) -> None:
    first = samples(along(metres=100.0), record=twice)
    second = samples(lap(), record=twice, after_s=40.0)
    pose = lap()[0]
    third = samples([replace(pose, sim_s=n / 20.0) for n in range(40)], record=twice, after_s=150.0)
    measured = measure_bag(field_bag(tmp_path / "a.bag", [*first, *second, *third], metadata=WORLD))
    assert_lap_time(measured, None)
    assert any("at 10.00 s and at 43." in n and "2 of 3 drives" in n for n in measured.notes)


def test_case_04_wall_stamps_are_split_where_the_clock_goes_back(tmp_path: Path) -> None:
    first = samples(along(metres=200.0, speed_m_s=5.0), on_the_wall, twice)
    second = samples(lap(), lambda s: on_the_wall(s) + 90.0, twice, after_s=90.0)
    clock = [*ticks(40.0, twice), *ticks(50.0, twice, after_s=90.0)]
    measured = measure_bag(field_bag(tmp_path / "a.bag", [*first, *second], clock, WORLD))
    assert_lap_time(measured, 0.5)
    assert any("went back at 40.00 s" in note for note in measured.notes)


def test_case_04_a_recorder_in_simulated_time_goes_back_too(tmp_path: Path) -> None:
    back = -WALL_ORIGIN_S
    first = samples(along(metres=200.0, offset_m=-0.4, speed_m_s=5.0), after_s=back)
    second = samples(lap(), after_s=back)
    clock = [*ticks(40.0, after_s=back), *ticks(50.0, after_s=back)]
    bag = field_bag(tmp_path / "a.bag", [*first, *second], clock)
    measured = measure_bag(bag, Given("simple_circuit"))
    assert_lap_time(measured, None)
    assert any("went back at 40.00 s" in note for note in measured.notes)


def test_case_04_messages_that_overtake_each_other_are_one_drive(tmp_path: Path) -> None:
    sent = samples(lap(), record=twice)
    for number in range(20, len(sent), 50):
        late = sent[number]
        sent[number] = replace(late, record_s=late.record_s + 0.3)
    measured = measure_bag(field_bag(tmp_path / "a.bag", sent, ticks(50.0, twice), WORLD))
    assert_lap_time(measured, 0.5)
    assert measured.notes == ()


def test_case_04_a_replay_compares_the_last_drive_alone(tmp_path: Path) -> None:
    frames = random_frames(25)
    one = write_camera_bag(tmp_path / "one.bag", frames, commands={0: (1.0, 0.0), 3: (4.0, 0.0)})
    two = write_camera_bag(tmp_path / "two.bag", frames[::-1], commands={0: (9.0, 0.5)})
    end = write_camera_bag(tmp_path / "end.bag", frames[:2])
    both = tmp_path / "both.bag"
    with Writer(both) as writer:
        connections: dict[str, Any] = {}
        for later_s, part in enumerate((one, two, end)):
            with Reader(part) as reader:
                for connection, time_ns, data in reader.messages():
                    if connection.topic not in connections:
                        connections[connection.topic] = writer.add_connection(
                            connection.topic, connection.msgtype, typestore=typestore()
                        )
                    at_ns = time_ns + 2 * later_s * 10**9
                    writer.write(connections[connection.topic], at_ns, data)
    source = open_source(both)
    assert (source.frames_before, source.frames) == (25, 25)
    assert [command.v_m_s for command in source.commands.values()] == [9.0]
    assert any("the last drive, 25 of 52" in note for note in source.notes)
    read = list(read_frames(source))
    assert all(np.array_equal(f.pixels, p) for f, p in zip(read, frames[::-1], strict=True))


# Case 5: a circuit that is not known here.


def test_case_05_an_unknown_circuit_is_named_with_the_way_out(tmp_path: Path) -> None:
    sent = samples(on_circle(16.0))
    bag = field_bag(tmp_path / "a lap.bag", sent, metadata={"world": "Spa_v2.world"})
    done = harness("metrics", str(bag))
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert "its metadata name the world 'Spa_v2.world'" in line
    assert f"`harness circuit add '{bag}' --name spa_v2` makes a circuit" in line


def test_case_05_a_name_that_begins_alike_is_another_world(tmp_path: Path) -> None:
    bag = field_bag(tmp_path / "a.bag", samples(on_circle(16.0)), metadata={"world": "montreal_2"})
    with pytest.raises(DataError, match=r"name the world 'montreal_2'.*circuit add"):
        measure_bag(bag)


def test_case_05_a_run_on_an_own_circuit_that_is_missing_here(tmp_path: Path) -> None:
    metadata = {"model": "null", "circuit": "my_track"}
    bag = field_bag(tmp_path / "a.bag", samples(on_circle(16.0)), metadata=metadata)
    with pytest.raises(DataError, match=r"drove 'my_track'.*circuit add .* --name my_track"):
        measure_bag(bag)


# Case 6: other topics.


def test_case_06_the_only_odometry_is_taken_and_said(tmp_path: Path) -> None:
    bag = field_bag(tmp_path / "a.bag", samples(lap()), metadata=WORLD, topic="/odom")
    measured = measure_bag(bag)
    assert_lap_time(measured, None)
    assert measured.notes[0] == "its odometry is that of /odom (no /F1ROS/odom)"
    assert measure_bag(bag, asked=AskedTopics(odometry="/odom")).metrics == measured.metrics


def test_case_06_of_several_odometries_one_is_to_be_chosen(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.bag") as writer:
        bag = BagMaker(writer, typestore())
        bag.text("/metadata", 0.0, WORLD)
        for pose in lap():
            for topic in ("/carla/ego_vehicle/odometry", "/zed/odom"):
                bag.write(topic, "nav_msgs/Odometry", pose.sim_s, odometry(bag, pose))
    path = tmp_path / "a.bag"
    with pytest.raises(DataError, match=r"/carla/ego_vehicle/odometry, /zed/odom: choose one"):
        measure_bag(path)
    chosen = harness("metrics", str(path), "--odometry-topic", "/zed/odom", "--json")
    assert json.loads(chosen.stdout)["laps"] == 1
    for topic, why in (("/nowhere", "no topic /nowhere"), ("/metadata", "holds no odometry but")):
        with pytest.raises(UsageError, match=rf"{why}.*/carla/ego_vehicle/odometry, /zed/odom"):
            measure_bag(path, asked=AskedTopics(odometry=topic))


def camera_bag(path: Path, *cameras: str, encoding: str = "rgb8") -> Path:
    """Frames of some cameras; all see the same."""
    with Writer(path) as writer:
        bag = BagMaker(writer, typestore())
        for index, pixels in enumerate(random_frames(5)):
            for topic in cameras:
                frame = image(bag, (index + 1) / 20.0, pixels, encoding)
                bag.write(topic, "sensor_msgs/Image", index / 20.0, frame)
    return path


def test_case_06_the_only_camera_is_taken_and_said(tmp_path: Path) -> None:
    camera = "/carla/ego_vehicle/rgb_front/image"
    source = open_source(camera_bag(tmp_path / "a.bag", camera))
    assert (source.camera_topic, source.frames) == (camera, 5)
    assert source.notes == (f"its camera is that of {camera} (no /F1ROS/cameraL/image_raw)",)


def test_case_06_of_several_cameras_one_is_to_be_chosen(tmp_path: Path) -> None:
    left, right = "/zed/left/image_raw", "/zed/right/image_raw"
    bag = camera_bag(tmp_path / "a.bag", left, right)
    with pytest.raises(DataError, match=f"{left}, {right}: choose one by --camera-topic"):
        open_source(bag)
    assert open_source(bag, right).camera_topic == right
    with pytest.raises(UsageError, match=f"no topic /front; its image topics: {left}, {right}"):
        open_source(bag, "/front")
    done = harness("replay", str(bag), "--model", "null", "--camera-topic", "/front")
    assert done.returncode == 2 and left in done.stderr


def test_case_06_a_camera_s_name_stands_for_its_compressed_frames_too(tmp_path: Path) -> None:
    bag = write_camera_bag(tmp_path / "a.bag", random_frames(3), "jpeg")
    assert open_source(bag, "/F1ROS/cameraL/image_raw").camera_topic.endswith("/compressed")


@pytest.mark.parametrize(
    ("encoding", "channels"),
    [("rgb8", [0, 1, 2]), ("bgr8", [2, 1, 0]), ("rgba8", [0, 1, 2, 0]), ("bgra8", [2, 1, 0, 0])],
)
def test_case_06_usual_encodings_give_the_same_pixels(
    tmp_path: Path, encoding: str, channels: list[int]
) -> None:
    (pixels,) = random_frames(1)
    with Writer(tmp_path / "a.bag") as writer:
        bag = BagMaker(writer, typestore())
        bag.write("/c", "sensor_msgs/Image", 0.0, image(bag, 1.0, pixels[..., channels], encoding))
        grey = image(bag, 1.0, pixels[..., :1], "mono8")
        bag.write("/grey", "sensor_msgs/Image", 0.0, grey)
    (frame,) = read_frames(open_source(tmp_path / "a.bag", "/c"))
    assert np.array_equal(frame.pixels, pixels)
    (frame,) = read_frames(open_source(tmp_path / "a.bag", "/grey"))
    assert np.array_equal(frame.pixels, pixels[..., [0, 0, 0]])


# Case 7: other formats.


@pytest.mark.parametrize(
    ("storage", "compressed"),
    [
        ("sqlite3", "none"),
        ("sqlite3", "file"),
        ("sqlite3", "message"),
        ("mcap", "none"),
        ("mcap", "storage"),
    ],
)
def test_case_07_ros_2_bags_hold_the_same(tmp_path: Path, storage: str, compressed: str) -> None:
    recording = Recording(
        poses=lap(),
        metadata=WORLD,
        camera_sim_s=[n / 20.0 for n in range(100)],
        wall_of=twice,
    )
    whole = write_bag(tmp_path / "run.bag", recording)
    folder = as_ros2(whole, tmp_path / "ros2", storage, compressed)
    measured = measure_bag(folder)
    assert measured.metrics == measure_bag(whole).metrics
    assert_lap_time(measured, 0.5)
    if compressed in ("none", "storage"):
        (bare,) = (p for p in folder.iterdir() if p.suffix in (".mcap", ".db3"))
        assert measure_bag(bare).metrics == measured.metrics
        renamed = bare.rename(tmp_path / "download")
        assert measure_bag(renamed).metrics == measured.metrics


def test_case_07_a_ros_2_bag_is_replayed_and_found_in_its_folder(tmp_path: Path) -> None:
    frames = random_frames(4)
    whole = write_camera_bag(tmp_path / "run.bag", frames)
    runs = tmp_path / "runs"
    runs.mkdir()
    folder = as_ros2(whole, runs / "rosbag2_2026_11_25", "mcap")
    assert bag_of(runs) == bag_of(folder) == folder
    source = open_source(folder)
    assert (source.frames, source.compression) == (4, "png")
    assert source.commands == open_source(whole).commands
    read = list(read_frames(source))
    assert [np.array_equal(f.pixels, p) for f, p in zip(read, frames, strict=True)] == [True] * 4


def test_case_07_an_old_format_is_named_with_its_converter(tmp_path: Path) -> None:
    bag = old_format(tmp_path / "old.bag")
    done = harness("replay", str(bag))
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert "old format 1.2" in line and f"rosbag play {bag}" in line


def test_case_07_what_can_t_be_read_is_one_line(tmp_path: Path) -> None:
    whole = write_bag(tmp_path / "lap.bag", Recording(poses=lap(), metadata=WORLD))
    cut: list[Path] = []
    for storage in ("sqlite3", "mcap"):
        folder = as_ros2(whole, tmp_path / storage, storage)
        (file,) = (p for p in folder.iterdir() if p.suffix in (".mcap", ".db3"))
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        cut += [folder, file]
    zipped = as_ros2(whole, tmp_path / "zipped", "sqlite3", "file")
    (packed,) = zipped.glob("*.zstd")
    lost = as_ros2(whole, tmp_path / "lost", "mcap")
    next(lost.glob("*.mcap")).unlink()
    empty = tmp_path / "empty.bag"
    empty.touch()
    text = tmp_path / "notes.mcap"
    text.write_text("hello\n")
    for bag in (*cut, packed, zipped / "metadata.yaml", lost, empty, text, tmp_path):
        with pytest.raises(DataError) as caught:
            measure_bag(bag)
        assert str(bag) in str(caught.value) and "\n" not in str(caught.value)


def test_case_07_bags_without_messages_are_one_line(tmp_path: Path) -> None:
    for name, topics in (("nothing.bag", ()), ("silent.bag", ("/F1ROS/odom",))):
        with Writer(tmp_path / name) as writer:
            for topic in topics:
                writer.add_connection(topic, "nav_msgs/msg/Odometry", typestore=typestore())
        with pytest.raises(DataError, match="no recording of a run"):
            measure_bag(tmp_path / name)


def test_a_bag_is_told_by_its_content_not_its_name(tmp_path: Path) -> None:
    recording = Recording(poses=lap(), metadata=WORLD)
    bag = write_bag(tmp_path / "run.bag", recording).rename(tmp_path / "lap.bag.orig")
    assert measure_bag(bag).outcome == "completed"


def test_a_relay_s_wildcard_of_another_topic_does_not_refuse_a_bag(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.bag") as writer:
        bag = BagMaker(writer, typestore())
        relay = writer.add_connection(
            "/relay", "my_msgs/msg/Any", msgdef="no definition\n!!", md5sum="*"
        )
        writer.write(relay, 10**18, b"")
        for pose in lap():
            bag.write("/F1ROS/odom", "nav_msgs/Odometry", pose.sim_s, odometry(bag, pose))
        bag.text("/metadata", 0.0, WORLD)
    assert measure_bag(tmp_path / "a.bag").outcome == "completed"
