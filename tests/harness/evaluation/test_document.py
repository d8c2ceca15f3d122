import csv
import io
import itertools
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Annotation

from harness.errors import StorageError
from harness.evaluation.accuracy import Errors
from harness.evaluation.document import Evaluation, csv_text, write_evaluation_files
from harness.evaluation.plot import evaluation_figure
from harness.evaluation.promises import promises
from harness.evaluation.row import Row
from harness.evaluation.table import MAIN, markdown
from harness.recording.provenance import collect_provenance
from harness.report.published import published_offline


def row(name: str, **values: object) -> Row:
    errors = Errors(frames=300, mse=0.01, mae_v_m_s=1.0, mae_w_rad_s=0.2)
    fields = {
        "title": name,
        "family": "pilotnet",
        "backend": "tflite",
        "precision": "int8",
        "runnable": True,
        "size_mib": 16.25,
        "parameters": 1000,
        "mse": 0.01,
        "mse_ratio": 1.0,
        "float_baseline": "tf_baseline",
        "circuits": {"montreal": errors},
        "inference_ms_median": 2.0,
        "inference_ms_p95": 2.5,
        "inference_ms_p99": 3.0,
        "speed_up": 40.0,
        **values,
    }
    return Row.model_validate({"model": name, **fields})


def failed(name: str) -> Row:
    text = {"title": name, "family": "pilotnet", "backend": "tftrt", "precision": "float16"}
    return Row.model_validate({"model": name, "runnable": False, "reason": "no NVIDIA GPU", **text})


def evaluation(*rows: Row) -> Evaluation:
    return Evaluation(
        measured_at=datetime.now(UTC),
        command="harness evaluate all",
        inferences=300,
        block=20,
        load_average=(0.5, 0.25),
        provenance=collect_provenance(Path.cwd()),
        rows=rows,
    )


PUBLISHED = published_offline("tensorflow lite", "Dynamic Range Q")


def test_the_files_agree_and_leave_no_model_out(tmp_path: Path) -> None:
    found = evaluation(row("good", published=PUBLISHED), failed("tftrt_fp16"))
    files = write_evaluation_files(found, tmp_path / "deep")
    assert [file.suffix for file in files] == [".json", ".csv", ".md", ".png"]
    assert all(file.stat().st_size > 0 for file in files)
    stored = Evaluation.model_validate_json(files[0].read_text())
    assert stored == found
    lines = list(csv.DictReader(files[1].open()))
    assert [line["model"] for line in lines] == ["good", "tftrt_fp16"]
    assert float(lines[0]["montreal_mse"]) == 0.01
    assert float(lines[0]["published_mse"]) == pytest.approx(0.0409807)
    assert lines[1]["reason"] == "no NVIDIA GPU" and lines[1]["mse"] == ""
    text = files[2].read_text()
    assert "tftrt_fp16 was not evaluated: no NVIDIA GPU" in text
    assert "harness evaluate all" in text and "cores" in text


def test_an_evaluation_in_which_nothing_ran_is_written_too(tmp_path: Path) -> None:
    files = write_evaluation_files(evaluation(failed("tftrt_fp16")), tmp_path)
    assert [file.suffix for file in files] == [".json", ".csv", ".md"]
    assert json.loads(files[0].read_text())["rows"][0]["runnable"] is False


def test_the_table_has_the_published_layout() -> None:
    assert [column.heading for column in MAIN[:4]] == ["Model", "Size MiB", "MSE", "Inference ms"]
    line = next(
        line
        for line in markdown([row("good", published=PUBLISHED)], []).splitlines()
        if line.startswith("| good")
    )
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[1:8] == ["16.25", "0.01", "2.000", "2.500", "3.000", "40x", "1.000"]
    assert cells[8:11] == ["16.24", "0.04098", "4.90"]


def test_origin_stands_in_every_row_of_the_csv() -> None:
    (line,) = csv.DictReader(io.StringIO(csv_text(evaluation(row("good")))))
    assert line["command"] == "harness evaluate all"
    assert "numpy=" in line["packages"] and line["cpu_cores"]


def test_an_unwritable_place_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="can't write"):
        write_evaluation_files(evaluation(row("good")), tmp_path / "file" / "deep")


def test_no_name_in_the_plot_covers_another() -> None:
    random = np.random.default_rng(0)
    rows = [
        row(
            f"tflite_some_model_{index}",
            inference_ms_median=float(random.choice([0.6, 1.6, 7.0]) * random.uniform(0.97, 1.03)),
            mse=float(0.01 * random.uniform(0.98, 1.05)),
            size_mib=float(random.choice([0.8, 6.1, 16.25, 64.9])),
        )
        for index in range(24)
    ]
    figure = evaluation_figure([*rows, row("tf_baseline", inference_ms_median=77.0)], "a CPU")
    assert figure is not None
    (axes,) = figure.axes
    names = [
        text
        for text in axes.texts
        if isinstance(text, Annotation) and text.get_text().startswith("t")
    ]
    assert len(names) == 25
    boxes = [text.get_window_extent() for text in names]
    inside = axes.get_window_extent()
    for one, other in itertools.combinations(boxes, 2):
        assert not one.shrunk(0.98, 0.98).overlaps(other.shrunk(0.98, 0.98))
    assert all(inside.x0 - 1 <= box.x0 and box.x1 <= inside.x1 + 1 for box in boxes)


def kept(*rows: Row) -> dict[str, bool]:
    return {promise.what: promise.kept for promise in promises(rows)}


BASELINE = row("tf_baseline", speed_up=1.0, published=None)
FASTEST = "published network at its fastest, MSE within 1.05 x: speed-up"


@pytest.mark.parametrize(
    ("values", "good"),
    [
        ({"speed_up": 50.0}, True),
        ({"speed_up": 44.0}, False),
        ({"speed_up": 50.0, "mse_ratio": 1.06}, False),
        ({"speed_up": 50.0, "parameters": 500}, False),
        ({"speed_up": 50.0, "float_baseline": "torch_baseline"}, False),
    ],
)
def test_only_the_published_network_keeps_its_promise(
    values: dict[str, object], good: bool
) -> None:
    assert kept(BASELINE, row("openvino_int8", **values))[FASTEST] is good


@pytest.mark.parametrize(
    ("name", "values", "what"),
    [
        ("pitwall_fast", {"speed_up": 119.0}, "pitwall_fast: speed-up over tf_baseline"),
        ("pitwall_fast", {"size_mib": 1.01}, "pitwall_fast: size, MiB"),
        ("a", {"mse_ratio": 1.11}, "MSE / float baseline, every model"),
        ("a", {"output_step_m_s": 0.11}, "output step, m/s"),
        ("a", {"output_step_rad_s": 0.11}, "output step, rad/s"),
        ("a", {"size_ratio": 1.02}, "size / published size"),
        ("a", {"size_ratio": 0.98}, "size / published size"),
        ("tflite_pruned", {"sparsity": 0.4}, "sparsity of pruned models"),
        ("tflite_cqat", {"unique_values": 65}, "different values a tensor / clusters asked for"),
        ("a", {"bare_ratio": 1.06}, "fastest model: / engine's own loop"),
        ("tflite_cqat", {"unique_values": None}, "different values a tensor / clusters asked for"),
    ],
)
def test_each_bound_can_break(name: str, values: dict[str, object], what: str) -> None:
    good = {
        "speed_up": 130.0,
        "inference_ms_median": 0.5,
        "bare_ratio": 1.01,
        "size_mib": 0.9,
        "size_ratio": 1.0,
        "output_step_m_s": 0.05,
        "output_step_rad_s": 0.05,
        "sparsity": 0.6,
        "unique_values": 64,
        "published": PUBLISHED,
    }
    assert kept(BASELINE, row(name, **good))[what]
    assert not kept(BASELINE, row(name, **(good | values)))[what]


def test_every_model_must_be_evaluated_where_it_can_be() -> None:
    what = "models evaluated, those for other hardware aside"
    assert kept(BASELINE, failed("tftrt_fp16"))[what]
    assert not kept(BASELINE, failed("a").model_copy(update={"backend": "torch"}))[what]


def test_what_was_not_evaluated_is_not_kept() -> None:
    assert not any(kept(failed("tf_baseline"), failed("pitwall_fast")).values())
