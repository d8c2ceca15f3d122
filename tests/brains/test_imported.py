"""Folders of images with a table of v and w, as DeepLearningStudio has them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from brains.training.dataset import SPLITS, read_index, write_dataset
from brains.training.imported import read_imported
from brains.training.recorded import decoded
from harness.errors import DataError


def write_drive(folder: Path, frames: int = 20, header: str = "image_name,v,w") -> Path:
    """A drive of images, each of a grey that tells its number; v is that number."""
    folder.mkdir(parents=True)
    lines = [header]
    for number in range(frames):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((12, 16, 3), number, np.uint8))
        lines.append(f"{number}.png,{number},{number / 10}")
    (folder / "data.csv").write_text("\n".join(lines) + "\n")
    return folder


def edit(folder: Path, old: str, new: str) -> None:
    table = folder / "data.csv"
    text = table.read_text()
    assert old in text
    table.write_text(text.replace(old, new))


def test_drives_below_a_folder_are_runs(tmp_path: Path) -> None:
    for name in ("curves/one", "curves/two", "simple"):
        write_drive(tmp_path / name)
    runs = list(read_imported(tmp_path))
    assert [run.name for run in runs] == ["curves--one", "curves--two", "simple"]
    for run in runs:
        wanted = np.array([[0, 0], [1, 0.1], [2, 0.2]], np.float32)
        np.testing.assert_array_equal(run.labels[:3], wanted)
        # Line after line, not by the names' order: 10.png is the tenth.
        assert [int(decoded(data, "").mean()) for data in run.encoded] == list(range(20))
    assert list(write_dataset(runs, tmp_path / "set")) == [(run.name, 20) for run in runs]
    assert {run.split for run in read_index(tmp_path / "set").runs} == set(SPLITS)


def test_a_single_drive_is_cut_so_that_every_split_has_some(tmp_path: Path) -> None:
    runs = list(read_imported(write_drive(tmp_path / "simple")))
    assert [run.name for run in runs] == [f"simple-{number}" for number in range(10)]
    labels = np.concatenate([run.labels for run in runs])
    assert labels[:, 0].tolist() == list(range(20))
    list(write_dataset(runs, tmp_path / "set"))
    counts = [sum(r.frames for r in read_index(tmp_path / "set").of(split)) for split in SPLITS]
    assert counts == [16, 2, 2]


def test_times_and_other_columns_are_welcome(tmp_path: Path) -> None:
    drive = tmp_path / "simple"
    drive.mkdir()
    image = np.zeros((4, 4, 3), np.uint8)
    cv2.imwrite(str(drive / "a.jpg"), image)
    # As spreadsheets write it: a mark of the encoding, spaces, other order.
    (drive / "data.csv").write_text(
        "\ufefftimestamp, w, v, image_name, mood\n12.5,-1,3,a.jpg,fine\n12.6,0,3,a.jpg,\n"
    )
    run = next(read_imported(drive))
    assert run.stamps_ns.tolist() == [12_500_000_000]
    assert run.labels.tolist() == [[3, -1]]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("image_name,v,w", "name,v,w", r"data.csv lacks the column image_name; .*: name, v, w"),
        ("image_name,v,w", "image_name,throttle", "lacks the columns v, w"),
        ("5.png,5,0.5", "5.png,fast,0.5", r"data.csv:7: v is 'fast', no number"),
        ("5.png,5,0.5", "5.png,5,", r"data.csv:7: w is 'empty', no number"),
        ("5.png,5,0.5", "5.png,5", r"data.csv:7: w is 'empty', no number"),
        ("5.png,5,0.5", "5.png,nan,0.5", r"data.csv:7: v is nan, no finite number"),
        ("5.png,5,0.5", "5.png,5,inf", r"data.csv:7: w is inf, no finite number"),
        ("5.png,5,0.5", "gone.png,5,0.5", r"data.csv:7: .*gone.png can't be read: No such file"),
        ("5.png,5,0.5", ",5,0.5", r"data.csv:7 names no image"),
    ],
)
def test_a_table_that_is_wrong_is_told_by_line(
    tmp_path: Path, old: str, new: str, text: str
) -> None:
    drive = write_drive(tmp_path / "simple")
    edit(drive, old, new)
    with pytest.raises(DataError, match=text) as caught:
        list(read_imported(drive))
    assert "\n" not in str(caught.value)


def test_folders_and_images_that_are_wrong(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no folder"):
        list(read_imported(tmp_path / "none"))
    with pytest.raises(DataError, match=r"holds no data\.csv"):
        list(read_imported(tmp_path))
    drive = write_drive(tmp_path / "simple")
    cv2.imwrite(str(drive / "3.png"), np.zeros((24, 32, 3), np.uint8))
    with pytest.raises(DataError, match=r"3\.png is 32 x 24, those before are 16 x 12"):
        list(read_imported(drive))
    (drive / "3.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"3\.png: not a JPEG or PNG"):
        list(read_imported(drive))
    (drive / "data.csv").write_text("image_name,v,w\n")
    with pytest.raises(DataError, match="no lines below its header"):
        list(read_imported(drive))
    (drive / "data.csv").write_text("")
    with pytest.raises(DataError, match="its columns: none"):
        list(read_imported(drive))
    (drive / "data.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="can't be read"):
        list(read_imported(drive))


def test_a_size_must_be_the_same_in_all_drives(tmp_path: Path) -> None:
    for name in "abc":
        write_drive(tmp_path / name)
    cv2.imwrite(str(tmp_path / "b" / "0.png"), np.zeros((24, 32, 3), np.uint8))
    with pytest.raises(DataError, match=r"b/data\.csv:2: 0\.png is 32 x 24"):
        list(read_imported(tmp_path))


def test_a_failed_import_leaves_no_data_set(tmp_path: Path) -> None:
    drive = write_drive(tmp_path / "simple")
    edit(drive, "19.png,19,1.9", "19.png,19,x")
    with pytest.raises(DataError):
        list(write_dataset(read_imported(drive), tmp_path / "set"))
    with pytest.raises(DataError, match="is no data set"):
        read_index(tmp_path / "set")
