"""Replays without ROS: what is read from a bag, and what is said of the answers."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from rich.console import Console

from brains.interface import Command
from harness.conditions.asked import Conditions
from harness.conditions.sight import Sight
from harness.errors import BrainError, DataError, HarnessError, PitwallError, UsageError, error_of
from harness.replay.answers import Answer, answers_csv, difference_figures, inference_figures
from harness.replay.progress import ReplayProgress
from harness.replay.result import ReplayResult, claim_replay, finish_replay, read_replay
from harness.replay.source import frames_as_seen, open_source, read_frames
from harness.replay.table import replay_table
from harness.spec.replay import ReplaySpec
from tests.harness.bagmaker import Recording, on_circle, write_bag
from tests.harness.camerabag import Packing, random_frames, write_camera_bag


@pytest.mark.parametrize("packing", ["png", "rgb8", "bgr8"])
def test_lossless_frames_come_back_to_the_last_bit_in_order(
    tmp_path: Path, packing: Packing
) -> None:
    frames = random_frames(7)
    source = open_source(write_camera_bag(tmp_path / "run.bag", frames, packing))
    assert source.compression == ("png" if packing == "png" else "none")
    assert (source.frames, source.model) == (7, "null")
    read = list(read_frames(source))
    assert [frame.stamp_ns for frame in read] == [50_000_000 * (i + 1) for i in range(7)]
    for frame, pixels in zip(read, frames, strict=True):
        assert frame.pixels.flags.c_contiguous
        assert np.array_equal(frame.pixels, pixels)


def test_jpeg_frames_are_told_from_lossless_ones(tmp_path: Path) -> None:
    smooth = [np.full((48, 64, 3), (200, 40, 40), np.uint8)]
    source = open_source(write_camera_bag(tmp_path / "run.bag", smooth, "jpeg"))
    assert source.compression == "jpeg"
    (frame,) = read_frames(source)
    assert np.abs(frame.pixels.astype(int) - smooth[0]).max() < 10


def test_commands_belong_to_the_frames_that_they_answered(tmp_path: Path) -> None:
    commands = {1: (8.25, -0.5), 2: (9.0, 1 / 3)}
    source = open_source(write_camera_bag(tmp_path / "run.bag", random_frames(4), "png", commands))
    assert source.commands == {
        100_000_000: Command(8.25, -0.5),
        150_000_000: Command(9.0, 1 / 3),
    }


def test_frames_are_shown_under_the_conditions_of_their_run(tmp_path: Path) -> None:
    frames, asked = random_frames(60), "camera_noise=20,frame_drop=0.3,camera_freeze=0.5"
    told = {"conditions": asked, "seed": 9}
    source = open_source(write_camera_bag(tmp_path / "run.bag", frames, metadata=told))
    assert any(asked in note for note in source.notes)
    sight = Sight(Conditions.parse(asked), 9, 50_000_000)
    shown = {frame.stamp_ns: (frame.pixels, seen) for frame, seen in frames_as_seen(source)}
    lost = [i for i in range(len(frames)) if sight.loses((i + 1) * 50_000_000)]
    assert 0 < len(lost) == len(frames) - len(shown)
    for i in (i for i in range(len(frames)) if i not in lost):
        stamp_ns = (i + 1) * 50_000_000
        pixels, seen = shown[stamp_ns]
        assert np.array_equal(pixels, frames[i])
        # The bag has commands for every second frame: those alone can have been frozen.
        assert np.array_equal(seen, sight.of(frames[i], stamp_ns, taken=i % 2 == 0))


@pytest.mark.parametrize("told", [{"conditions": 3}, {"seed": "x"}, {"conditions": ""}])
def test_what_another_bag_calls_conditions_is_none_of_ours(
    tmp_path: Path, told: dict[str, object]
) -> None:
    frames = random_frames(3)
    source = open_source(write_camera_bag(tmp_path / "run.bag", frames, metadata=told))
    assert [np.array_equal(a.pixels, b) for a, b in frames_as_seen(source)] == [True] * 3


def test_conditions_of_a_later_version_are_told(tmp_path: Path) -> None:
    bag = write_camera_bag(tmp_path / "a.bag", random_frames(3), metadata={"conditions": "fog=1"})
    with pytest.raises(DataError, match="none of this version: unknown condition 'fog'"):
        open_source(bag)


def test_a_bag_without_camera_says_how_to_record_one(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "run.bag", Recording(on_circle(1.0)))
    with pytest.raises(DataError, match="record_camera:=true"):
        open_source(bag)


def test_a_truncated_bag_and_a_damaged_frame_are_one_line(tmp_path: Path) -> None:
    bag = write_camera_bag(tmp_path / "run.bag", random_frames(5))
    data = bag.read_bytes()
    bag.write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match="truncated"):
        open_source(bag)
    _, png = cv2.imencode(".png", random_frames(5)[3][..., ::-1])
    start = data.index(png.tobytes()[:200])
    bag.write_bytes(data[:start] + bytes(200) + data[start + 200 :])
    source = open_source(bag)
    with pytest.raises(DataError, match="frame can't be read") as caught:
        list(read_frames(source))
    assert "\n" not in str(caught.value)


def answer(
    index: int, v: float, w: float, recorded: Command | None, inference_s: float = 0.002
) -> Answer:
    return Answer(50_000_000 * (index + 1), 0xABC, Command(v, w), recorded, inference_s)


ANSWERS = [
    answer(0, 8.0, 0.5, Command(8.0, 0.5)),
    answer(1, 8.5, 0.1, Command(8.0, -0.1), inference_s=0.004),
    answer(2, 1 / 3, 0.0, None),
    answer(3, 6.0, -1.0, Command(7.0, -1.0)),
]


def test_differences_are_over_the_frames_that_got_a_command() -> None:
    figures = difference_figures(ANSWERS)
    assert figures["frames_compared"] == 3
    assert figures["commands_equal"] == 1
    assert figures["v_mae_m_s"] == pytest.approx(1.5 / 3)
    assert figures["v_max_m_s"] == 1.0
    assert figures["v_p95_m_s"] == pytest.approx(0.95)  # 90 % of the way from 0.5 to 1
    assert figures["w_mae_rad_s"] == pytest.approx(0.2 / 3)
    assert figures["w_max_rad_s"] == pytest.approx(0.2)
    nothing = difference_figures([ANSWERS[2]])
    assert nothing["frames_compared"] == 0
    assert nothing["v_mae_m_s"] is nothing["w_p95_rad_s"] is None


def test_inference_figures_are_milliseconds() -> None:
    figures = inference_figures(ANSWERS)
    assert figures["inference_ms_mean"] == pytest.approx(2.5)
    assert figures["inference_ms_median"] == pytest.approx(2.0)
    assert inference_figures([])["inference_ms_p99"] is None


def test_the_table_gives_every_double_back_and_holds_no_times() -> None:
    text = answers_csv(ANSWERS)
    rows = list(csv.DictReader(text.splitlines()))
    assert [float(row["v_m_s"]) for row in rows] == [8.0, 8.5, 1 / 3, 6.0]
    assert [row["recorded_w_rad_s"] for row in rows] == ["0.5", "-0.1", "", "-1.0"]
    assert rows[0]["frame_crc32"] == "00000abc"
    slower = [
        answer(i, a.command.v_m_s, a.command.w_rad_s, a.recorded, 1.0)
        for i, a in enumerate(ANSWERS)
    ]
    assert answers_csv(slower) == text
    assert answers_csv(ANSWERS[::-1]) != text


def finished(folder: Path, packing: Packing = "png") -> ReplayResult:
    source = open_source(write_camera_bag(folder / "run.bag", random_frames(4), packing))
    (folder / "command.sh").write_text("roslaunch harness replay.launch\n")
    started_at = datetime(2026, 1, 1, tzinfo=UTC)
    return finish_replay(folder, "explicit", source, ANSWERS, {}, started_at, 1.5)


def test_a_replay_is_written_whole_and_read_back(tmp_path: Path) -> None:
    result = finished(tmp_path)
    assert read_replay(tmp_path) == result
    assert (result.frames_recorded, result.frames_answered, result.frames_compared) == (4, 4, 3)
    assert result.recorded_model == "null"
    assert result.notes == ()
    picture = cv2.imread(str(tmp_path / "replay.png"))
    assert picture is not None and picture.std() > 1.0
    assert json.loads((tmp_path / "replay.json").read_text())["commands_equal"] == 1
    with pytest.raises(UsageError, match="finished replay"):
        claim_replay(tmp_path)


def test_the_report_says_what_jpeg_costs(tmp_path: Path) -> None:
    printed = io.StringIO()
    Console(file=printed, width=100).print(replay_table(finished(tmp_path, "jpeg")))
    text = " ".join(printed.getvalue().split())
    assert "4 of 4 recorded frames answered" in text
    assert "1 of 3 compared commands are equal" in text
    assert "JPEG, not the pixels that the brain saw" in text


def test_a_broken_result_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"replay\.json"):
        read_replay(tmp_path)
    (tmp_path / "replay.json").write_text("{}")
    with pytest.raises(DataError, match=r"replay\.json"):
        read_replay(tmp_path)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({}, "bag:="),
        ({"bag": "x", "model": "nonsense"}, "tflite_dynamic"),
        ({"bag": "x", "model": "expert"}, "frames"),
        ({"bag": "x", "rate": -1}, "rate"),
        ({"bag": "x", "rate": "inf"}, "rate"),
        ({"bag": "x", "rate": 1e-300}, "rate: is 0 or at least 0.001"),
        ({"bag": "x", "patience": 0}, "patience"),
        ({"bag": "x", "patience": "nan"}, "patience"),
        ({"bag": "x", "patience": 1e300}, "patience"),
        ({"bag": "x", "speed": 2}, "speed"),
    ],
)
def test_what_makes_no_sense_is_one_line(values: dict[str, object], word: str) -> None:
    with pytest.raises(UsageError, match=word) as caught:
        ReplaySpec.parse(values)
    assert "\n" not in str(caught.value)


def test_launch_arguments_ask_for_the_same_replay_again() -> None:
    spec = ReplaySpec.parse({"bag": "a.bag", "model": "null", "rate": 2.5, "output": "/o"})
    pairs = (argument.split(":=", 1) for argument in spec.launch_arguments())
    assert ReplaySpec.parse(dict(pairs)) == spec
    assert spec.folder(Path("/r"), "T") == Path("/o")
    own = ReplaySpec.parse({"bag": "a.bag", "model": "m:B"})
    assert own.folder(Path("/r"), "T") == Path("/r/replay-T-m.B")


def test_progress_comes_once_a_second_and_at_the_end() -> None:
    progress = ReplayProgress(frames=10, now_s=100.0)
    assert progress.line(1, 100.0) is not None
    assert progress.line(2, 100.5) is None
    assert progress.line(4, 102.0) == "frame 4/10  40%     2.0 frames/s"
    assert progress.line(10, 102.1) is not None


@pytest.mark.parametrize(("code", "kind"), [(3, DataError), (5, HarnessError), (6, BrainError)])
def test_an_exit_code_of_another_process_keeps_its_meaning(
    code: int, kind: type[PitwallError]
) -> None:
    error = error_of(code, "why")
    assert type(error) is kind
    assert (str(error), error.exit_code) == ("why", code)
    assert type(error_of(139, "why")) is PitwallError
