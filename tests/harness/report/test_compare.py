"""Two batches against each other: paired, and nothing left out."""

import csv
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness.errors import DataError
from harness.report.cells import line_text
from harness.report.compare_page import Side, build_compare_page
from harness.report.comparison import compare, csv_comparison, markdown_comparison
from harness.report.groups import Run, heats
from harness.report.recording import print_comparison
from tests.harness.browser import lay_out, needs_browser
from tests.harness.recording.test_results import make_result
from tests.harness.report.test_report import laps, record

BEFORE_M = [0.10, 0.12, 0.11, 0.13, 0.10, 0.12, 0.11, 0.13]


def after_m(step_m: float) -> list[float]:
    return [value + step_m + 0.0005 * (i % 3) for i, value in enumerate(BEFORE_M)]


def test_a_change_beyond_noise_is_told_from_one_within() -> None:
    before = [*laps("changed", BEFORE_M), *laps("same", BEFORE_M)]
    after = [
        *laps("changed", after_m(0.03), lap_time_s=47.0, lap_times_s=(47.0,)),
        *laps("same", [value + 0.003 * (-1) ** i for i, value in enumerate(BEFORE_M)]),
    ]
    found = compare(heats(before), heats(after))
    changes = {(change.model, change.figure): change for change in found.changes}
    worse = changes["changed", "deviation_mae_m"].difference
    assert worse is not None and worse.beyond_noise and worse.n == 8
    assert worse.value == pytest.approx(0.03 + 0.0005 * (0 + 1 + 2 + 0 + 1 + 2 + 0 + 1) / 8)
    quicker = changes["changed", "lap_time_s"]
    sides = (quicker.before, quicker.after)
    assert tuple(map(line_text, sides)) == ("48.25 [48.25, 48.25]", "47.00 [47.00, 47.00]")
    assert quicker.difference is not None and quicker.difference.beyond_noise
    level = changes["same", "deviation_mae_m"].difference
    assert level is not None and not level.beyond_noise
    told = "\n".join(found.beyond_noise)
    assert "changed, simple_circuit; 1 lap; realtime: Deviation (m) +0.0304" in told
    assert "same, " not in told
    text = markdown_comparison(found, "monday", "tuesday")
    assert "| changed | Deviation (m) | 0.115 [" in text and "*" in text


def test_a_model_that_fails_more_often_is_told() -> None:
    before = laps("a", BEFORE_M)
    after = laps("a", BEFORE_M[:1]) + laps("a", BEFORE_M[1:], first_seed=1, outcome="off_track")
    (share, *_) = compare(heats(before), heats(after)).changes
    assert share.figure == "completion"
    assert (share.before.main, share.after.main) == ("8/8", "1/8")
    assert share.difference is not None and share.difference.beyond_noise
    assert share.difference.value == pytest.approx(-7 / 8)


def test_what_only_one_batch_has_is_listed() -> None:
    before = [Run("a", make_result()), Run("b", make_result(circuit="montreal"))]
    after = [Run("a", make_result()), Run("c", make_result(clock="lockstep", latency="fixed:5"))]
    found = compare(heats(before), heats(after))
    assert {change.title for change in found.changes} == {"simple_circuit; 1 lap; realtime"}
    assert found.unmatched == (
        "only before: tflite_dynamic, montreal; 1 lap; realtime",
        "only after: tflite_dynamic, simple_circuit; 1 lap; lockstep, fixed:5",
    )


def test_wall_times_of_equal_laps_are_all_compared() -> None:
    def batch(factor: float) -> list[Run]:
        times_ms = [2.0, 2.1, 1.9, 2.2]
        return [
            Run(str(i), make_result(odometry_sha256="aa", seed=i, inference_ms_mean=factor * ms))
            for i, ms in enumerate(times_ms)
        ]

    changes = {
        c.figure: c.difference for c in compare(heats(batch(1.0)), heats(batch(2.0))).changes
    }
    assert (inference := changes["inference_ms_mean"]) is not None and inference.n == 4
    assert inference.beyond_noise
    assert (deviation := changes["deviation_mae_m"]) is not None and deviation.n == 1


def test_compare_prints_and_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    record(tmp_path / "a", "one", driven_m=2.0)
    record(tmp_path / "b", "one", driven_m=2.0, deviation_mae_m=0.2)
    print_comparison(tmp_path / "a", tmp_path / "b", tmp_path / "out")
    printed = capsys.readouterr()
    assert "No difference is beyond noise." in printed.out
    assert "compare.md" in printed.err
    assert "# a (before) and b (after)" in (tmp_path / "out/compare.md").read_text()
    rows = list(csv.DictReader((tmp_path / "out/compare.csv").open()))
    (row,) = (row for row in rows if row["figure"] == "deviation_mae_m")
    assert float(row["difference"]) == pytest.approx(0.2 - 0.104)
    assert (row["before"], row["after"]) == ("0.104", "0.2")
    assert (row["pairs"], row["low"], row["beyond_noise"]) == ("1", "", "False")
    print_comparison(tmp_path / "a", tmp_path / "b", as_json=True)
    figures = {row["figure"]: row for row in json.loads(capsys.readouterr().out)}
    assert figures["completion"]["before"]["value"] == 1.0
    deviation = figures["deviation_mae_m"]
    assert deviation["before"] == {"value": 0.104, "low": None, "high": None, "n": 1}
    assert deviation["after"]["value"] == 0.2
    assert deviation["difference"]["value"] == pytest.approx(0.2 - 0.104)
    assert figures["camera_to_command_ms_median"]["before"] is None
    written = {path.name for path in (tmp_path / "compare").iterdir()}
    assert written == {"compare.html", "compare.md", "compare.csv"}
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty"):
        print_comparison(tmp_path / "a", tmp_path / "empty")


def test_the_page_needs_nothing_else_and_says_what_the_terminal_says(tmp_path: Path) -> None:
    before = [*laps("changed", BEFORE_M), *laps("<b>", BEFORE_M), *laps("gone", BEFORE_M)]
    after = [*laps("changed", after_m(0.03)), *laps("<b>", after_m(-0.001))]
    sides = [
        Side(name, tuple(runs), (f"{name} has no result",))
        for name, runs in (("monday", before), ("tuesday", after))
    ]
    found = compare(*(heats(side.runs) for side in sides))
    text = build_compare_page(found, *sides)
    for word in ("<script", "http:", "https:", " src=", "@import", "url(", "<b>:"):
        assert word not in text
    for line in (*found.unmatched, "monday has no result", "&lt;b&gt;", "16 after (tuesday)"):
        assert line in text
    assert "Beyond noise: changed, simple_circuit; 1 lap; realtime: Deviation (m) +0.0304" in text
    assert text.count('<tr class="beyond">') == len(found.beyond_noise) >= 1
    assert text.count('<td class="left">changed</td>') >= len(found.changes) / 2
    drawings = re.findall(r"<svg.*?</svg>", text)
    assert len(drawings) == 3
    for drawing in drawings:
        assert "nan" not in drawing.lower()
        ElementTree.fromstring(drawing)
    assert 'class="zero"' in drawings[0] and "changed *" in drawings[0]


@needs_browser
@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_lays_the_page_out_without_overflow(tmp_path: Path, width: int) -> None:
    record(tmp_path / "a", "one", driven_m=2.0)
    record(tmp_path / "b", "one", driven_m=2.0, deviation_mae_m=0.2)
    print_comparison(tmp_path / "a", tmp_path / "b", tmp_path / "out")
    layout = lay_out(tmp_path / "out/compare.html", width)
    assert layout.page_width <= layout.window_width
    assert layout.drawings == layout.visible_drawings == 3


def test_a_page_of_nothing_in_common_says_so() -> None:
    sides = [Side(name, tuple(laps(name, [0.1])), ()) for name in ("a", "b")]
    text = build_compare_page(compare(*(heats(side.runs) for side in sides)), *sides)
    assert "nothing to compare" in text
    assert "only before: a" in text and "only after: b" in text


def test_the_csv_of_nothing_in_common_has_its_header_alone() -> None:
    found = compare(heats(laps("a", [0.1])), heats(laps("b", [0.1])))
    assert len(csv_comparison(found).splitlines()) == 1
    assert "nothing to compare" in markdown_comparison(found, "x", "y")
