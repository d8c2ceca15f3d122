"""Files of every wrong kind, given to every command that takes one: one line, a documented code."""

import gzip
import json
import sqlite3
import struct
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.cli.main import main
from harness.paths import project_root

SAMPLE = project_root() / "recordings" / "sample"
# Senseless, a broken file, missing here, the brain failed, can't be written.
CODES = {2, 3, 4, 6, 7}

Make = Callable[[Path], object]


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")


def _tar(path: Path) -> None:
    with tarfile.open(path, "w:gz") as archive:
        archive.add(SAMPLE / "command.sh", "command.sh")


def _sqlite(path: Path) -> None:
    sqlite3.connect(path).close()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE messages (id INTEGER)")


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 33)


def _text(text: str) -> Make:
    return lambda path: path.write_text(text, encoding="utf-8")


def _data(data: bytes) -> Make:
    return lambda path: path.write_bytes(data)


def _result(**changes: object) -> Make:
    def make(path: Path) -> None:
        path.mkdir()
        values = json.loads((SAMPLE / "result.json").read_text()) | changes
        (path / "result.json").write_text(json.dumps(values))

    return make


def _ros2(path: Path) -> None:
    path.mkdir()
    (path / "metadata.yaml").write_text("rosbag2_bagfile_information: {version: 99}\n")


def _broken_ros2(path: Path) -> None:
    path.mkdir()
    (path / "metadata.yaml").write_text("- no mapping\n")
    (path / "a.db3").write_bytes(b"SQLite format 3\0" + bytes(100))


BAG = (SAMPLE / "run.bag").read_bytes()
RECORD = struct.pack("<I", 0xFFFFFFF0)
LOOP = "".join(f"{np.cos(a):.3f},{np.sin(a):.3f}\n" for a in np.linspace(0, 6.2, 60))
INPUTS: dict[str, Make] = {
    "nowhere.bag": lambda path: None,
    "empty.bag": _data(b""),
    "header_only.bag": _data(b"#ROSBAG V2.0\n"),
    "old_version.bag": _data(b"#ROSBAG V1.2\n" + bytes(4096)),
    "no_version.bag": _data(b"#ROSBAG V9.9\n"),
    "cut.bag": _data(BAG[: len(BAG) // 200]),
    "endless_record.bag": _data(b"#ROSBAG V2.0\n" + RECORD + BAG[17:9000]),
    "noise.bag": _data(np.random.default_rng(0).bytes(5000)),
    "png.bag": _data(b"\x89PNG\r\n\x1a\n" + bytes(100)),
    "text.bag": _text("not a bag\n"),
    "gzip.bag": _data(gzip.compress(BAG[:4096])),
    "short.mcap": _data(b"\x89MCAP0\r\n"),
    "noise.mcap": _data(b"\x89MCAP0\r\n" + bytes(64)),
    "no_bag.db3": _sqlite,
    "noise.db3": _data(b"SQLite format 3\0" + bytes(50)),
    "ros2_of_tomorrow": _ros2,
    "ros2_broken": _broken_ros2,
    "empty.csv": _text(""),
    "header_only.csv": _text("x,y\n"),
    "words.csv": _text("x,y\na,b\nc,d\n"),
    "not_a_number.csv": _text("x,y\n" + "nan,1\n" * 20),
    "one_column.csv": _text("x\n1\n2\n"),
    "tiny_loop.csv": _text("x,y\n" + LOOP),
    "latin_1.csv": _data("größe,höhe\n1,2\n".encode("latin-1")),
    "utf_16.csv": _data("x,y\n1,2\n".encode("utf-16")),
    "zeros.csv": _data(bytes(3000)),
    "list.yaml": _text("- 1\n- 2\n"),
    "tabs.yaml": _text("models:\n\t- a\n"),
    "half.yaml": _text("models: [a\n"),
    "number.yaml": _text("7\n"),
    "tag.yaml": _text("!!python/object/apply:os.system ['false']\n"),
    "empty.json": _text(""),
    "null.json": _text("null\n"),
    "half.json": _text('{"latency_ms": [1, 2'),
    "infinite.json": _text('{"latency_ms": [1e999, -3]}'),
    "deep.json": _text("[" * 100_000),
    "archive.zip": _zip,
    "archive.tar.gz": _tar,
    "zip.keras": _zip,
    "noise.tflite": _data(b"\x1c\0\0\0TFL3" + bytes(40)),
    "noise.onnx": _data(b"\x08\x08" + bytes(40)),
    "noise.h5": _data(b"\x89HDF\r\n\x1a\n" + bytes(40)),
    "program.py": _text("raise SystemExit('run')\n"),
    "eight_gigabytes.bin": _sparse,
    "empty_folder": lambda path: path.mkdir(),
    "result_of_tomorrow": _result(schema_version=99),
    "result_without_model": _result(model=None),
    "result_of_text": _result(deviation_mae_m="near"),
    "loop_of_links": lambda path: path.symlink_to(path),
    "link_to_nowhere": lambda path: path.symlink_to("/nowhere/at/all"),
    "x" * 300: lambda path: None,
}
COMMANDS: dict[str, list[str]] = {
    "metrics": ["metrics", "{}"],
    "metrics --reference": ["metrics", str(SAMPLE / "run.bag"), "--reference", "{}"],
    "report": ["report", "{}"],
    "report --reference": ["report", str(SAMPLE), "--reference", "{}", "--output", "out"],
    "compare": ["compare", "{}", str(SAMPLE)],
    "compare with": ["compare", str(SAMPLE), "{}"],
    "video": ["video", "{}"],
    "replay": ["replay", "{}", "--model", "explicit", "--output", "out"],
    "batch": ["batch", "{}", "--output", "out"],
    "circuit add": ["circuit", "add", "{}", "--name", "bad"],
    "circuit import": ["circuit", "import", "{}", "--world", "a.world"],
    "circuit show": ["circuit", "show", "{}", "--output", "out.png"],
    "lap --circuit": ["lap", "--model", "explicit", "--circuit", "{}", "--output", "out"],
    "lap --model": ["lap", "--model", "{}", "--output", "out"],
    "lap --latency": [
        *("lap", "--model", "explicit", "--clock", "lockstep", "--output", "out"),
        *("--latency", "profile:{}"),
    ],
    "check-brain": ["check-brain", "{}"],
    "profile": ["profile", "{}"],
    "evaluate": ["evaluate", "{}"],
    "optimize": ["optimize", "{}"],
    "dataset build": ["dataset", "build", "{}", "--output", "out"],
    "train": ["train", "--data", "{}", "--output", "out"],
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PITWALL_CIRCUITS", str(tmp_path / "circuits"))
    monkeypatch.setenv("PITWALL_RECORDINGS", str(tmp_path / "recordings"))
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_no_bad_file_is_more_than_a_line(
    place: Path, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong: list[str] = []
    for name, make in INPUTS.items():
        path = place / name
        make(path)
        words = [word.replace("{}", str(path)) for word in COMMANDS[command]]
        monkeypatch.setattr(sys, "argv", ["harness", *words])
        code: object = 0
        try:
            main()
        except SystemExit as end:
            code = end.code
        except BaseException as error:
            code = f"{type(error).__name__}: {error}"[:200]
        printed, said = capsys.readouterr()
        lines = [line for line in said.splitlines() if line.startswith("error: ")]
        traceback = "Traceback" in said + printed or "left no result" in said + printed
        if code not in CODES or len(lines) != 1 or traceback:
            wrong.append(f"{name}: exit code {code}: {(said + printed).strip()[-300:]!r}")
    assert not wrong, "\n".join(wrong)
