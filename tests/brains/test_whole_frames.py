"""Whole frames to calibrate and to check with: the kept ones, picked ones, a user's own."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from brains.training.dataset import SPLITS, read_index, read_whole_run, write_dataset
from brains.training.recorded import decoded
from brains.training.whole_frames import (
    FRAMES_FILE,
    PARTS,
    SEQUENCE,
    pick_whole_frames,
    read_user_frames,
    read_whole_frames,
    write_whole_frames,
)
from harness.errors import DataError
from tests.brains.test_dataset import run_of
from tests.brains.test_imported import write_drive
from tests.brains.training_data import write_data_set


def test_the_kept_frames_are_of_all_circuits_and_share_no_run() -> None:
    kept = {part: read_whole_frames(part) for part in PARTS}
    for found in kept.values():
        assert len(found) == len(found.frames) == 300
        assert found.labels is not None
        assert found.labels.shape == (300, 2)
        assert set(found.circuits) == {"simple_circuit", "montreal", "montmelo"}
        assert [len(rows) for rows in found.sequences] == [SEQUENCE] * 60
        assert found.frames[0].shape == (480, 640, 3)
        # Curves to both sides and straights, quick and slow.
        assert found.labels.std(axis=0).min() > 1
        assert len({name.rpartition("-")[2] for name in found.runs}) > 1
    assert not set(kept["calibration"].runs) & set(kept["check"].runs)
    assert FRAMES_FILE.stat().st_size < 3_000_000


def test_frames_of_a_sequence_follow_one_another() -> None:
    """The picture of the next frame is nearer than that of any other sequence."""
    found = read_whole_frames("check")
    small = [cv2.resize(found.frames[row], (40, 30)).astype(int) for row in range(100)]
    for rows in list(found.sequences)[:20]:
        for row in rows[:-1]:
            others = [o for o in range(100) if abs(o - row) >= SEQUENCE]
            next_ = np.abs(small[row] - small[row + 1]).mean()
            assert next_ < np.median([np.abs(small[row] - small[o]).mean() for o in others])


def data_set(folder: Path) -> Path:
    runs = [run_of(f"{where}{i}", 20, circuit=where) for where in "ab" for i in range(3)]
    runs[0] = run_of("a0", 20, circuit="a", missing=9)
    list(write_dataset(runs, folder))
    return folder


def test_picked_frames_are_those_of_their_runs(tmp_path: Path) -> None:
    data = data_set(tmp_path / "data")
    index = read_index(data)
    runs = {entry.run: read_whole_run(data, entry) for entry in index.runs}
    split_of = {entry.run: entry.split for entry in index.runs}
    parts = {part: pick_whole_frames(data, part, sequences_per_circuit=2) for part in PARTS}
    write_whole_frames(parts, tmp_path / "frames.npz")
    for part in PARTS:
        found = read_whole_frames(part, tmp_path / "frames.npz")
        assert found.circuits.tolist() == ["a", "a", "b", "b"]
        taken = set()
        for rows, name in zip(found.sequences, found.runs, strict=True):
            assert (split_of[name] == "train") == (part == "calibration")
            assert found.labels is not None
            first = int(found.labels[rows.start, 0])
            # Labels tell the row: consecutive, of one run, without losses and without a gap.
            assert found.labels[rows, 0].tolist() == list(range(first, first + SEQUENCE))
            if name == "a0":
                assert first + SEQUENCE <= 9 or first >= 9
            for row in rows:
                frame = decoded(runs[name].encoded[first + row - rows.start], "")
                np.testing.assert_array_equal(found.frames[row], frame)
                taken.add((name, first + row - rows.start))
        assert len(taken) == len(found)


def test_what_holds_no_whole_frames_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no whole frames: build it again"):
        pick_whole_frames(write_data_set(tmp_path / "old", 3), "check")
    path = tmp_path / "frames.npz"
    path.write_bytes(FRAMES_FILE.read_bytes()[:5000])
    with pytest.raises(DataError, match="holds no whole frames"):
        read_whole_frames("check", path)
    list(write_dataset([run_of("a", 9)], tmp_path / "one"))
    with pytest.raises(DataError, match="no check runs"):
        pick_whole_frames(tmp_path / "one", "check")


def test_a_users_frames_come_from_bags_folders_and_images(
    recordings: list[Path], tmp_path: Path
) -> None:
    one = read_user_frames(recordings[0])
    assert one.labels is not None
    assert read_user_frames(recordings[0] / "run.bag").frames.encoded == one.frames.encoded
    several = read_user_frames(recordings[0].parent)
    assert [*dict.fromkeys(several.runs)] == [path.name for path in sorted(recordings)]
    # The first frames of others have no labels.
    assert several.labels is None
    assert several.circuits[0] == "loop"
    table = read_user_frames(write_drive(tmp_path / "drive"))
    assert table.labels is not None
    assert (len(table), table.labels[7, 0]) == (20, 7)
    (tmp_path / "drive" / "data.csv").unlink()
    images = read_user_frames(tmp_path / "drive")
    assert images.labels is None
    assert [int(frame.mean()) for frame in images.frames] == list(range(20))


def test_what_holds_no_frames_of_a_user_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read_user_frames(tmp_path / "none")
    with pytest.raises(DataError, match="holds no frames"):
        read_user_frames(tmp_path)
    (tmp_path / "x.bag").write_bytes(b"no bag")
    with pytest.raises(DataError, match=r"x\.bag can't be read"):
        read_user_frames(tmp_path / "x.bag")


def test_halves_never_share_a_drive_if_there_are_two(recordings: list[Path]) -> None:
    several = read_user_frames(recordings[0].parent)
    first, rest = several.halves()
    assert len(first) + len(rest) == len(several)
    assert not set(first.runs) & set(rest.runs)
    assert abs(len(first) - len(rest)) < len(several) / 2
    for half in (first, rest):
        assert half.firsts[0] == 0
        assert len(half.firsts) == len(half.runs) == len(half.circuits)
    np.testing.assert_array_equal(rest.frames[0], several.frames[len(first)])
    begin, end = read_user_frames(recordings[0]).halves()
    assert abs(len(begin) - len(end)) <= 1
    assert (begin.firsts.tolist(), end.firsts.tolist()) == ([0], [0])
    assert begin.labels is not None
    assert end.labels is not None
    assert len(begin.labels) == len(begin)


def test_thinned_frames_are_whole_sequences(recordings: list[Path]) -> None:
    several = read_user_frames(recordings[0].parent)
    assert several.thinned(len(several)) is several
    few = several.thinned(20)
    assert len(few) == 20
    assert [len(rows) for rows in few.sequences] == [SEQUENCE] * 4
    places = [several.frames.encoded.index(data) for data in few.frames.encoded]
    assert len(set(places)) == 20
    for rows, run in zip(few.sequences, few.runs, strict=True):
        taken = [places[row] for row in rows]
        assert taken == list(range(taken[0], taken[0] + SEQUENCE))
        whole = int(np.searchsorted(several.firsts, taken[0], side="right")) - 1
        assert several.runs[whole] == run
        assert taken[-1] in list(several.sequences)[whole]


def test_every_split_is_of_one_part() -> None:
    from brains.training.whole_frames import _SPLITS

    assert sorted(split for splits in _SPLITS.values() for split in splits) == sorted(SPLITS)
