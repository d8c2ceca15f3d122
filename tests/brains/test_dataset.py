"""Data sets of whole frames: split by run, seen through a card's view; the older version."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from brains.training import dataset
from brains.training.frames import pilotnet_view
from brains.training.pictures import read_pictures
from brains.training.recorded import Run, decoded, encoded, read_drive, read_frames, read_run
from brains.view import Image, Sees, View
from harness.errors import DataError, UsageError
from tests.brains.training_data import (
    expert_frames,
    write_data_set,
    write_raw_bag,
    write_recording,
)
from worlds.centreline import Centreline


def view_of(**image: object) -> View:
    return View(Sees(image=Image.model_validate({"size": (20, 10)} | image)))


def run_of(name: str, frames: int, *, circuit: str = "loop", missing: int | None = None) -> Run:
    """A run of frames of one grey each; some time is missing before one of them."""
    pictures = [np.full((12, 16, 3), 10 * row, np.uint8) for row in range(frames)]
    labels = np.column_stack([np.arange(frames), np.zeros(frames)]).astype(np.float32)
    steps = [50_000_000 * (4 if row == missing else 1) for row in range(frames)]
    png = [encoded(picture) for picture in pictures]
    return Run(name, circuit, "forward", png, labels, np.cumsum(steps))


def test_a_run_holds_the_labelled_frames_in_order(loop: Centreline, tmp_path: Path) -> None:
    frames, labels = expert_frames(loop, 7, distance_m=12)
    recording = write_recording(tmp_path / "run", frames, labels, labels_from=2)
    run = read_run(recording)
    assert (run.name, run.circuit, run.direction) == ("run", "loop", "forward")
    np.testing.assert_array_equal(run.labels, labels[2:])
    assert run.stamps_ns[:2].tolist() == [100_000_000, 150_000_000]
    found = np.stack([decoded(data, "run") for data in run.encoded])
    # JPEG in between: equal but for its losses.
    assert found.shape == frames[2:].shape
    assert np.abs(found.astype(int) - frames[2:]).mean() < 3
    assert np.abs(read_frames(recording).astype(int) - frames).mean() < 3
    drive = read_drive(recording)
    assert (len(drive.encoded), drive.labels.shape) == (len(frames), (0, 2))


def test_a_data_set_holds_whole_frames_as_they_were_recorded(
    data: Path, recordings: list[Path]
) -> None:
    index = dataset.read_index(data)
    assert index.schema_version == 2
    assert sorted(run.run for run in index.runs) == sorted(path.name for path in recordings)
    assert {run.split for run in index.runs} == set(dataset.SPLITS)
    for entry in index.runs:
        original = read_run(next(path for path in recordings if path.name == entry.run))
        kept = dataset.read_whole_run(data, entry)
        assert list(kept.encoded) == list(original.encoded)
        np.testing.assert_array_equal(kept.labels, original.labels)
        np.testing.assert_array_equal(kept.stamps_ns, original.stamps_ns)


@pytest.mark.parametrize("image", [{}, {"crop": (0, 0.5, 1, 1)}, {"colour": "grey"}])
def test_pictures_are_what_the_view_sees(data: Path, image: dict[str, object]) -> None:
    view = view_of(**image)
    for split in dataset.SPLITS:
        found = read_pictures(data, split, view)
        entries = dataset.read_index(data).of(split)
        assert found.firsts.tolist() == [entry.first for entry in entries]
        for entry in entries:
            run = dataset.read_whole_run(data, entry)
            rows = slice(entry.first, entry.first + entry.frames)
            wanted = np.stack([view.picture(decoded(frame, "")) for frame in run.encoded])
            np.testing.assert_array_equal(found.pictures[rows], wanted)
            np.testing.assert_array_equal(found.labels[rows], run.labels)


def test_frames_are_decoded_once_for_a_geometry(tmp_path: Path) -> None:
    list(dataset.write_dataset([run_of(f"run{i}", 6) for i in range(3)], tmp_path))
    told: list[tuple[int, int]] = []

    def tell(done: int, total: int) -> None:
        told.append((done, total))

    read_pictures(tmp_path, "train", view_of(), tell)
    assert told == [(done, 6) for done in range(1, 7)]
    # The scale is no matter of the pixels.
    read_pictures(tmp_path, "train", view_of(scale=2, layout="nchw"), tell)
    assert len(told) == 6
    read_pictures(tmp_path, "train", view_of(resize="area"), tell)
    assert len(told) == 12
    list(dataset.write_dataset([run_of(f"run{i}", 4) for i in range(3)], tmp_path))
    assert read_pictures(tmp_path, "train", view_of(), tell).pictures.shape == (4, 10, 20, 3)


def test_a_sequence_ends_where_frames_are_missing(tmp_path: Path) -> None:
    runs = [run_of("run0", 6, missing=4), run_of("run1", 3)]
    list(dataset.write_dataset(runs, tmp_path))
    assert read_pictures(tmp_path, "train", view_of()).firsts.tolist() == [0, 4, 6]


def test_a_split_without_runs_is_empty(tmp_path: Path) -> None:
    list(dataset.write_dataset([run_of("run0", 6)], tmp_path))
    found = read_pictures(tmp_path, "test", view_of())
    assert (found.pictures.shape, found.labels.shape) == ((0, 10, 20, 3), (0, 2))


def test_version_1_is_read_by_networks_that_see_its_crops(tmp_path: Path) -> None:
    data = write_data_set(tmp_path / "data", 5)
    found = read_pictures(data, "train", pilotnet_view())
    np.testing.assert_array_equal(found.pictures, np.load(data / "train_crops.npy"))
    assert (found.labels.shape, found.firsts.tolist()) == ((5, 2), [0])
    with pytest.raises(DataError, match="build the data set again"):
        read_pictures(data, "train", view_of())
    np.save(data / "train_labels.npy", np.zeros((3, 2), np.float32))
    with pytest.raises(DataError, match="does not fit"):
        read_pictures(data, "train", pilotnet_view())
    # Built again in its place, nothing of it is left.
    list(dataset.write_dataset([run_of("run0", 6)], data))
    assert sorted(path.name for path in data.iterdir()) == ["frames", "index.json"]


def test_splits_do_not_depend_on_order_and_hold_every_circuit() -> None:
    runs = [(f"{circuit}{i}", circuit) for circuit in "ab" for i in range(20)] + [("c0", "c")]
    splits = dataset.assign_splits(runs)
    assert splits == dataset.assign_splits(runs[::-1])
    for circuit in "ab":
        of_circuit = [splits[name] for name, where in runs if where == circuit]
        assert (of_circuit.count("test"), of_circuit.count("validation")) == (2, 2)
    assert splits["c0"] == "train"


def test_recordings_that_can_not_be_used(
    loop: Centreline, recordings: list[Path], tmp_path: Path
) -> None:
    frames, labels = expert_frames(loop, 1, distance_m=5)
    unlabelled = write_recording(tmp_path / "unlabelled", frames, labels, labels_from=10**6)
    cut = tmp_path / "cut"
    cut.mkdir()
    bag = (recordings[0] / "run.bag").read_bytes()
    (cut / "run.bag").write_bytes(bag[: len(bag) // 2])
    with pytest.raises(DataError, match="no frames with labels"):
        read_run(unlabelled)
    with pytest.raises(DataError, match=r"run\.bag can't be read"):
        read_run(cut)
    with pytest.raises(DataError, match=r"holds no run\.bag"):
        read_run(tmp_path)
    with pytest.raises(UsageError, match="same name"):
        list(dataset.build_dataset([recordings[0]] * 2, tmp_path / "data"))


def test_an_unfinished_or_changed_data_set_is_refused(
    recordings: list[Path], tmp_path: Path
) -> None:
    steps = dataset.build_dataset(recordings, tmp_path)
    next(steps)
    with pytest.raises(DataError, match="is no data set"):
        dataset.read_index(tmp_path)
    list(steps)
    entry = dataset.read_index(tmp_path).of("train")[0]
    file = tmp_path / "frames" / f"{entry.run}.npz"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(DataError, match=f"{entry.run}.npz can't be read: .*build"):
        read_pictures(tmp_path, "train", view_of())
    other = run_of(entry.run, 3)
    np.savez(
        file,
        encoded=np.zeros(3, np.uint8),
        ends=np.array([1, 2, 3]),
        labels=other.labels,
        stamps_ns=other.stamps_ns,
    )
    with pytest.raises(DataError, match="does not fit"):
        read_pictures(tmp_path, "train", view_of())
    assert not list(tmp_path.rglob("*.part"))


def test_an_image_that_is_none_is_named(tmp_path: Path) -> None:
    broken = run_of("run0", 3)
    list(dataset.write_dataset([Run("run0", "", "", [b"x"] * 3, *_rest(broken))], tmp_path))
    with pytest.raises(DataError, match="run0: not a JPEG or PNG"):
        read_pictures(tmp_path, "train", view_of())
    assert not list(tmp_path.rglob(".*"))


def _rest(run: Run) -> tuple[np.ndarray, np.ndarray]:
    return run.labels, run.stamps_ns


def test_a_raw_image_of_any_usual_encoding_is_the_same_frame(tmp_path: Path) -> None:
    frame = np.random.default_rng(0).integers(0, 255, (6, 8, 3), np.uint8)
    for encoding, turn in (("rgb8", None), ("bgr8", cv2.COLOR_RGB2BGR)):
        pixels = frame if turn is None else np.asarray(cv2.cvtColor(frame, turn), np.uint8)
        folder = write_raw_bag(tmp_path / encoding, [pixels], encoding, topic="/front/image")
        np.testing.assert_array_equal(read_frames(folder), frame[np.newaxis])
