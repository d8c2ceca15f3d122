"""The report's page: digests, pictures, one file that needs nothing else."""

import dataclasses
import itertools
import re
import shutil
import weakref
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from harness.errors import HarnessError
from harness.recording.log import read_run_log
from harness.recording.results import RESULT_NAME, read_result
from harness.report.charts import Axis, Row, interval_chart, path, tick_text
from harness.report.digest import Digest, DigestCache, digest_ahead, keep
from harness.report.files import write_files
from harness.report.found import find_runs
from harness.report.front import Spot
from harness.report.front_chart import front_drawings
from harness.report.groups import Run
from harness.report.labels import Box, Named, place_names
from harness.report.many import report_cost
from harness.report.page import build_page
from harness.report.table import Report
from tests.harness.bagmaker import RADIUS_M, Iteration, Recording, circle, on_circle, write_bag
from tests.harness.browser import lay_out, needs_browser
from tests.harness.recording.test_results import make_result
from tests.harness.report.test_report import record

LAP_M = 2.0 * np.pi * RADIUS_M


def silent(done: int, of: int) -> None:
    """No progress shown."""


def digest_of(tmp_path: Path, recording: Recording, **changes: Any) -> Digest:
    bag = tmp_path / "run.bag"
    write_bag(bag, recording)
    result = make_result(circuit="circle", **changes)
    return Digest.of(result, read_run_log(bag), circle())


def small_digest(seed: int = 0, stations: int = 430) -> Digest:
    """A made-up digest of a lap of SimpleCircuit."""
    drawn = np.random.default_rng(seed)
    values: dict[str, Any] = {
        name: drawn.normal(5.0, 0.1, (1, stations)) for name in ("lateral_m", "x_m", "y_m")
    }
    values["speed_m_s"] = drawn.normal(10.0, 1.0, (1, stations))
    values |= {"end_m": np.zeros(2), "end_station_m": np.zeros(1)}
    values |= {"inference_ms": drawn.exponential(1.0, 800), "real_time_factor": np.ones(42)}
    values["iteration_ms"] = values["inference_ms"] + 1.0
    columns: dict[str, Any] = {n: np.asarray(v, dtype=np.float32) for n, v in values.items()}
    return Digest(**columns)


def page_of(folders: list[Path], digests: DigestCache) -> str:
    found = find_runs(folders)
    return build_page(Report.of(found.runs, found.notes), digests, silent)


def test_a_digest_holds_what_was_driven(tmp_path: Path) -> None:
    poses = on_circle(16.5, speed_m_s=8.0, offset_m=0.2)
    iterations = [Iteration(i / 20.0, i / 20.0, infer_end_ms=1.0 + 3.0) for i in range(1, 40)]
    digest = digest_of(tmp_path, Recording(poses=poses, iterations=iterations))
    # 126 stations of a lap of 125.66 m; one lap of 15.7 s, and no more than that.
    assert digest.lateral_m.shape == (1, 126)
    assert digest.lateral_m == pytest.approx(0.2, abs=1e-4)
    assert digest.speed_m_s == pytest.approx(8.0 * (RADIUS_M - 0.2) / RADIUS_M, rel=1e-3)
    assert np.hypot(digest.x_m, digest.y_m) == pytest.approx(RADIUS_M - 0.2, abs=1e-3)
    assert digest.inference_ms == pytest.approx(3.0, abs=1e-3)
    assert digest.real_time_factor == pytest.approx(1.0, abs=0.05)
    assert 14 <= digest.real_time_factor.size <= 16


def test_stations_are_those_of_the_track_wherever_a_run_starts(tmp_path: Path) -> None:
    quarter_m = LAP_M / 4.0
    poses = on_circle(5.0, speed_m_s=8.0, angle_rad=np.pi / 2.0)
    digest = digest_of(
        tmp_path, Recording(poses=poses), outcome="timeout", start_station_m=quarter_m
    )
    driven = np.isfinite(digest.lateral_m[0])
    spacing_m = LAP_M / 126
    assert np.flatnonzero(driven)[0] * spacing_m == pytest.approx(quarter_m, abs=1.0)
    assert driven.sum() * spacing_m == pytest.approx(40.0, abs=1.0)
    assert digest.end_station_m[0] == pytest.approx(quarter_m + 40.0, abs=0.1)
    # North of the centre, where a quarter of the lap ends.
    assert digest.y_m[0][driven][0] == pytest.approx(RADIUS_M, abs=0.1)


def test_a_digest_is_made_once_and_again_when_the_bag_changes(tmp_path: Path) -> None:
    folder = record(tmp_path / "runs", "one", driven_m=4.0)
    run = Run("one", read_result(folder), folder)
    first = DigestCache(tmp_path / "cache")
    made = first.of(run)
    again = DigestCache(tmp_path / "cache")
    kept = again.of(run)
    assert (first.made, again.made) == (1, 0)
    assert (
        made.times == kept.times == "simulated by the odometry's stamps, wall by /clock's records"
    )
    for field in dataclasses.fields(Digest)[:-1]:
        assert np.array_equal(getattr(made, field.name), getattr(kept, field.name), equal_nan=True)
    # Half a file in the cache counts as none.
    cached = again.path_of(run)
    cached.write_bytes(cached.read_bytes()[:200])
    assert np.array_equal(again.of(run).x_m, made.x_m, equal_nan=True)
    assert again.made == 1
    # The same folder with another bag is another recording.
    shutil.copy(record(tmp_path / "other", "one", driven_m=6.0) / "run.bag", folder / "run.bag")
    assert again.of(run).end_station_m[0] > made.end_station_m[0] + 1.0
    assert again.made == 2


def test_a_digest_made_ahead_is_the_report_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PITWALL_CACHE", str(tmp_path / "cache"))
    folder = record(tmp_path / "runs", "one", driven_m=4.0)
    digest_ahead(folder)
    digests = DigestCache()
    digests.of(Run("another name", read_result(folder), folder))
    assert digests.made == 0
    (folder / "run.bag").write_bytes(b"")
    digest_ahead(folder)  # nothing to digest: left to the report
    digest_ahead(tmp_path)


def test_what_a_report_of_many_costs_is_measured(tmp_path: Path) -> None:
    folder = record(tmp_path / "runs", "one", driven_m=4.0)
    cost = report_cost(folder, 30)
    assert cost.recordings == 30
    assert cost.taken_s > 0.0 and cost.peak_mib > 20.0
    with pytest.raises(HarnessError, match=r"of 5 recordings failed: .*nowhere"):
        report_cost(tmp_path / "nowhere", 5)


def test_a_cache_that_cannot_be_written_only_costs_time(tmp_path: Path) -> None:
    folder = record(tmp_path, "one", driven_m=4.0)
    (tmp_path / "file").write_text("")
    digests = DigestCache(tmp_path / "file")
    assert digests.of(Run("one", read_result(folder), folder)).inference_ms.size > 0


def test_a_thousand_recordings_come_from_the_cache_a_model_at_a_time(tmp_path: Path) -> None:
    digests = DigestCache(tmp_path / "cache")
    kept = small_digest()
    for number in range(1000):
        folder = tmp_path / "runs" / f"{number:04}"
        folder.mkdir(parents=True)
        # No bag that could be read: whatever is shown comes from the cache.
        (folder / "run.bag").write_bytes(b"no bag")
        outcome = "off_track" if number % 50 == 0 else "completed"
        result = make_result(model=f"model{number % 20}", seed=number, outcome=outcome)
        (folder / RESULT_NAME).write_text(result.to_json())
        keep(kept, digests.path_of(Run("", result, folder)))

    held: list[weakref.ref[Any]] = []
    most = 0

    class Counting(DigestCache):
        def of(self, run: Run) -> Digest:
            nonlocal held, most
            digest = super().of(run)
            held = [seen for seen in held if seen() is not None]
            held.append(weakref.ref(digest.x_m))
            most = max(most, len(held))
            return digest

    counting = Counting(tmp_path / "cache")
    text = page_of([tmp_path / "runs"], counting)
    assert counting.made == 0
    assert "not drawn" not in text
    assert "980 of 1000 runs completed. Outcomes: 980 completed, 20 off_track." in text
    assert text.count('class="model"') == 20
    assert text.count("off_track: model") == 20
    # One model has 50 runs; the one before it may still be waiting to be collected.
    assert most <= 101


def test_a_page_needs_nothing_else_and_shows_each_model(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    record(runs, "one")
    record(runs, "two", driven_m=12.0, outcome="off_track", outcome_reason="<b>1.7 m</b> away")
    record(runs, "three", model="other", clock="lockstep", latency="fixed:50")
    text = page_of([runs], DigestCache(tmp_path / "cache"))
    assert "&lt;b&gt;1.7 m&lt;/b&gt; away" in text
    for word in ("<script", "http:", "https:", " src=", "@import", "url("):
        assert word not in text
    assert "PilotNet (original), published" in text
    assert "lockstep, fixed:50" in text
    assert "ab" * 32 in text
    assert "roslaunch harness circuit.launch model:=tflite_dynamic" in text
    titles = re.findall(r"<figcaption><b>(.*?)</b>", text)
    for title in ("Driven line", "Deviation along the lap", "Speed along the lap"):
        assert titles.count(title) == 2
    assert titles.count("Inference and iteration time") == 2
    drawings = re.findall(r"<svg.*?</svg>", text)
    assert len(drawings) == len(titles)
    for drawing in drawings:
        assert "nan" not in drawing.lower()
        ElementTree.fromstring(drawing)
    # Where the second one left the track.
    assert sum(drawing.count('class="lost"') for drawing in drawings) == 1


def test_a_broken_recording_is_named_and_the_others_are_drawn(tmp_path: Path) -> None:
    record(tmp_path / "runs", "good")
    broken = record(tmp_path / "runs", "broken")
    bag = broken / "run.bag"
    bag.write_bytes(bag.read_bytes()[:20_000])
    (record(tmp_path / "runs", "illegible", driven_m=4.0) / RESULT_NAME).write_text("{")
    text = page_of([tmp_path / "runs"], DigestCache(tmp_path / "cache"))
    (line,) = re.findall(r'<p class="warning">(.*?)</p>', text)
    assert line.startswith("broken not drawn: ") and "rosbag reindex" in line
    assert "2 of 2 runs completed" in text
    assert "Driven line" in text
    assert "illegible/result.json is no result" in text


def test_a_run_that_ended_at_once_has_its_part(tmp_path: Path) -> None:
    record(tmp_path / "runs", "one", driven_m=0.6, outcome="off_track")
    text = page_of([tmp_path / "runs"], DigestCache(tmp_path / "cache"))
    assert "0 of 1 runs completed" in text
    assert text.count('class="lost"') == 1
    assert "not drawn" not in text and "nan" not in "".join(re.findall(r' d="(.*?)"', text))


def test_steps_of_a_path_add_up_and_gaps_break_it() -> None:
    drawn = np.random.default_rng(1)
    x, y = np.cumsum(drawn.normal(0.0, 0.26, (2, 500)), axis=1)
    x[200] = np.nan
    starts = re.findall(r"M(\S+) (\S+?)l([^M]*)", path(x, y))
    assert len(starts) == 2
    ends = []
    for start_x, start_y, steps in starts:
        moves = np.array([float(step) for step in steps.split()]).reshape(-1, 2)
        ends.append(np.array([float(start_x), float(start_y)]) + moves.sum(axis=0))
    assert ends[0] == pytest.approx([x[199], y[199]], abs=0.051)
    assert ends[1] == pytest.approx([x[499], y[499]], abs=0.051)


def test_ticks_are_round_and_within_the_axis() -> None:
    assert Axis(0.0, 430.0, "m").ticks() == [0.0, 100.0, 200.0, 300.0, 400.0]
    assert Axis(-0.15, 0.11, "m").ticks() == pytest.approx([-0.1, 0.0, 0.1])
    fine = [0.012, 0.014, 0.016]
    assert [tick_text(value, fine) for value in fine] == ["0.012", "0.014", "0.016"]
    assert tick_text(2.5, [0.0, 2.5]) == "2.5"
    assert Axis(0.7, 60.0, "ms", log=True).ticks() == pytest.approx([1, 2, 5, 10, 20, 50])
    chart = interval_chart([Row("a <b>", 1.0, 0.9, 1.2), Row("b", 44.0, None, None)], "ms", True)
    ElementTree.fromstring(chart)
    assert "a &lt;b&gt;" in chart


# Speeds and deviations of 26 models as they drove SimpleCircuit: one far slower, many alike.
DRIVEN = (
    ("explicit", 7.638, 0.011), ("onnx_fp32", 10.27, 0.031), ("onnx_int4", 10.148, 0.045),
    ("onnx_int8", 10.293, 0.037), ("openvino_fp32", 10.27, 0.03), ("openvino_int8", 10.203, 0.03),
    ("pitwall_fast", 10.284, 0.021), ("tf_baseline", 10.28, 0.02), ("tf_function", 10.268, 0.03),
    ("tf_savedmodel", 10.266, 0.029), ("tflite_baseline", 10.273, 0.031),
    ("tflite_cqat", 10.08, 0.053), ("tflite_dynamic", 10.273, 0.039),
    ("tflite_float16", 10.268, 0.029), ("tflite_int8", 10.2, 0.046),
    ("tflite_int8_float", 10.211, 0.048), ("tflite_pcqat", 10.121, 0.04),
    ("tflite_pqat", 10.095, 0.057), ("tflite_pruned", 10.137, 0.052),
    ("tflite_pruned_dynamic", 10.187, 0.036), ("tflite_qat", 10.039, 0.049),
    ("torch_baseline", 10.174, 0.052), ("torch_compile", 10.184, 0.061),
    ("torch_dynamic", 10.297, 0.086), ("torch_qat", 10.111, 0.115), ("torch_static", 10.07, 0.07),
)  # fmt: skip


def driven_runs() -> list[Run]:
    """One run of each, with no bag to draw."""
    return [
        Run(
            model,
            make_result(
                model=model,
                lap_time_s=430.0 / speed_m_s,
                average_speed_m_s=speed_m_s,
                deviation_mae_m=deviation_m,
                odometry_sha256=model,
                bag=None,
            ),
        )
        for model, speed_m_s, deviation_m in DRIVEN
    ]


def test_names_beside_points_cover_no_other_name_and_no_other_point() -> None:
    drawn = np.random.default_rng(3)
    centres = [*drawn.uniform((100.0, 60.0), (800.0, 500.0), (20, 2)), *[(400.0, 300.0)] * 6]
    points = [Named((float(x), float(y)), 4.0, (110.0, 14.0)) for x, y in centres]
    frame = Box(58.0, 22.0, 930.0, 522.0)
    boxes = place_names(points, frame)
    for one, other in itertools.combinations(boxes, 2):
        assert one.overlap(other) == 0.0
    for box, point in zip(boxes, points, strict=True):
        assert (box.x1 - box.x0, box.y1 - box.y0) == pytest.approx((110.0, 14.0))
        assert box.overlap(frame) == pytest.approx(box.area)
        for x, y in (other.centre for other in points if other.centre != point.centre):
            assert box.overlap(Box(x - 4.0, y - 4.0, x + 4.0, y + 4.0)) == 0.0
    # Where there is no room at all, every name has a place all the same.
    assert len(place_names(points, Box(0.0, 0.0, 10.0, 10.0))) == len(points)


def test_speed_and_deviation_of_many_models_are_drawn_with_their_front(tmp_path: Path) -> None:
    text = build_page(Report.of(driven_runs()), DigestCache(tmp_path / "cache"), silent)
    near, whole = (
        ElementTree.fromstring(drawing)
        for drawing in re.findall(r"<svg.*?</svg>", text)
        if "speed and deviation" in drawing
    )
    names = [element.text for element in near.iter("text") if "name" in element.get("class", "")]
    # The follower would squeeze all others: it is named in the picture of all alone.
    assert sorted(map(str, names)) == sorted(model for model, _, _ in DRIVEN[1:])
    (named,) = (e.text for e in whole.iter("text") if "name" in e.get("class", ""))
    assert named == "explicit"
    assert len(list(whole.iter("circle"))) == len(DRIVEN)
    best = [e.text for e in near.iter("text") if e.get("class") == "name strong"]
    assert set(best) == {"tf_baseline", "pitwall_fast", "onnx_int8", "torch_dynamic"}
    assert (
        "On the Pareto front of mean speed and deviation, the quickest last:"
        " explicit, tf_baseline, pitwall_fast, onnx_int8, torch_dynamic." in text
    )
    assert text.index("torch_dynamic stands first") < text.index("<svg")


def test_who_completes_less_often_is_hollow() -> None:
    found = [Spot("sure", 8.0, 0.1, completes=True), Spot("quick", 9.0, 0.05, completes=False)]
    (drawing,) = front_drawings(found)
    styles = re.findall(r'<circle class="(.*?)"', drawing.svg)
    assert sorted(styles) == ["dot best", "dot hollow"]
    assert not drawing.wide
    assert front_drawings(found[:1]) == ()


@needs_browser
@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_shows_no_name_over_another(tmp_path: Path, width: int) -> None:
    page = tmp_path / "page.html"
    page.write_text(build_page(Report.of(driven_runs()), DigestCache(tmp_path / "cache"), silent))
    layout = lay_out(page, width)
    assert layout.page_width <= layout.window_width
    # Speed and deviation near and whole, the intervals of deviation.
    assert layout.drawings == layout.visible_drawings == 3
    assert layout.covered_words == 0


@needs_browser
@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_lays_the_page_out_without_overflow(tmp_path: Path, width: int) -> None:
    record(tmp_path / "runs", "one")
    record(tmp_path / "runs", "two", driven_m=12.0, outcome="off_track")
    files = write_files(
        Report.of(find_runs([tmp_path / "runs"]).runs),
        tmp_path / "report",
        silent,
        DigestCache(tmp_path / "cache"),
    )
    page = next(file for file in files if file.suffix == ".html")
    layout = lay_out(page, width)
    assert layout.page_width <= layout.window_width
    assert layout.drawings == layout.visible_drawings == 4
