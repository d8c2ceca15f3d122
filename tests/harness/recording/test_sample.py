"""The sample recording that comes with the project: a real lap, and how it was made small."""

import json
from pathlib import Path

import numpy as np
import pytest
from rosbags.rosbag1 import Reader

from harness.errors import DataError
from harness.paths import project_root
from harness.recording.bag_metrics import measure_bag
from harness.recording.course import Given
from harness.recording.results import RESULT_NAME, read_result
from harness.recording.sample import make_sample
from harness.report.found import find_runs
from harness.report.recording import print_report
from harness.topics import COMPRESSED_CAMERA
from harness.video.film import make_video
from tests.harness.bagmaker import write_bag
from tests.harness.camerabag import stamped_frames
from tests.harness.recording.test_results import make_result
from tests.harness.video.test_video import camera_recording

SAMPLE = project_root() / "recordings" / "sample"


def messages(bag: Path) -> list[tuple[str, int, bytes]]:
    """All but the frames."""
    with Reader(bag) as reader:
        return [
            (connection.topic, time_ns, bytes(data))
            for connection, time_ns, data in reader.messages()
            if connection.topic != COMPRESSED_CAMERA
        ]


def test_the_sample_s_figures_come_from_its_bag_to_the_last_digit() -> None:
    measured = measure_bag(SAMPLE / "run.bag")
    assert (measured.outcome, measured.notes, measured.different) == ("completed", (), ())
    assert measured.recorded_in == RESULT_NAME
    assert len(measured.recorded) > 35
    assert 20.0 < (measured.metrics.lap_time_s or 0.0) < 75.0


def test_the_sample_is_reported_out_of_the_box(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_report([SAMPLE], tmp_path, as_json=True)
    (row,) = json.loads(capsys.readouterr().out)
    assert row["outcome"] == "completed"
    text = (tmp_path / "report.html").read_text()
    assert "not drawn" not in text and text.count("<svg") == 5
    assert (tmp_path / "line.png").stat().st_size > 10_000


def test_a_report_of_all_recordings_leaves_the_sample_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.report.found._SAMPLE", tmp_path / "sample")
    for name in ("sample", "mine"):
        (tmp_path / name).mkdir()
        (tmp_path / name / RESULT_NAME).write_text(make_result().to_json())
    assert [run.name for run in find_runs([tmp_path]).runs] == ["mine"]
    assert [run.name for run in find_runs([tmp_path / "sample"]).runs] == ["sample"]


def test_the_sample_has_a_frame_for_every_twentieth_of_a_second() -> None:
    result = read_result(SAMPLE)
    frames = stamped_frames(SAMPLE / "run.bag")
    assert len(frames) == pytest.approx(20.0 * (result.duration_sim_s or 0.0), abs=3)
    assert {frame.shape for _, frame in frames} == {(480, 640, 3)}
    # The asphalt at the car's nose, the sky far ahead.
    assert all(frame[470, 10].max() < 90 < frame[10, 320].max() for _, frame in frames)


def test_a_film_of_the_sample_s_first_seconds(tmp_path: Path) -> None:
    import av

    cut = tmp_path / "run.bag"
    with Reader(SAMPLE / "run.bag") as reader:
        third = sorted(reader.chunks)[2]
    cut.write_bytes((SAMPLE / "run.bag").read_bytes()[:third])
    film = make_video(cut, None, Given(), lambda _done, _of: None)
    assert film.notes
    with av.open(str(film.file)) as file:
        count = sum(1 for _ in file.decode(video=0))
    assert 40 + 20 < count < 40 + 20 * 40


def test_a_recording_made_small_holds_the_same(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    write_bag(run / "run.bag", camera_recording(), "lz4")
    (run / RESULT_NAME).write_text(make_result().to_json())
    (run / "command.sh").write_text("roslaunch\n")
    (run / "line.png").write_bytes(b"left behind")
    make_sample(run, tmp_path / "small")
    small = tmp_path / "small"
    assert sorted(path.name for path in small.iterdir()) == ["command.sh", RESULT_NAME, "run.bag"]
    assert messages(small / "run.bag") == messages(run / "run.bag")
    for (stamp_s, frame), (small_s, small_frame) in zip(
        stamped_frames(run / "run.bag"), stamped_frames(small / "run.bag"), strict=True
    ):
        assert stamp_s == small_s
        assert np.array_equal(frame, small_frame)
    with pytest.raises(DataError, match="there already"):
        make_sample(run, small)


def test_frames_of_many_colours_stay_as_they_are(tmp_path: Path) -> None:
    import cv2

    noise = np.random.default_rng(2).integers(0, 256, (48, 64, 3), np.uint8)
    png = bytes(cv2.imencode(".png", noise)[1].tobytes())
    run = tmp_path / "run"
    run.mkdir()
    write_bag(run / "run.bag", camera_recording(camera_png=png))
    (run / RESULT_NAME).write_text(make_result().to_json())
    (run / "command.sh").write_text("roslaunch\n")
    make_sample(run, tmp_path / "small")
    for _, frame in stamped_frames(tmp_path / "small" / "run.bag"):
        assert np.array_equal(frame, noise)
