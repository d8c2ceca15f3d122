"""Data sets split by run, augmentation, and a whole small training that is cut and resumed."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from brains.expert import Expert
from brains.preprocess import crop, normalise
from brains.training import calibration, dataset, evaluation, frames
from brains.training.augment import augmented, mirrored_labels
from brains.training.batches import Batch, prefetched
from brains.training.loop import TrainParams, learning_rate
from harness.errors import DataError, UsageError
from tests.brains.kinematics import start_pose
from tests.brains.roadview import RoadView
from tests.brains.training_data import expert_frames, write_recording
from worlds.centreline import Centreline


def test_a_run_holds_the_labelled_frames_in_order(loop: Centreline, tmp_path: Path) -> None:
    frames, labels = expert_frames(loop, 7, distance_m=12)
    run = dataset.read_run(write_recording(tmp_path / "run", frames, labels, labels_from=2))
    assert (run.name, run.circuit, run.direction) == ("run", "loop", "forward")
    np.testing.assert_array_equal(run.labels, labels[2:])
    wanted = np.stack([crop(frame) for frame in frames[2:]])
    assert run.crops.shape == wanted.shape
    # JPEG in between: equal but for its losses.
    assert np.abs(run.crops.astype(int) - wanted).mean() < 3


def test_every_run_is_in_one_split_as_a_whole(data: Path, recordings: list[Path]) -> None:
    index = dataset.read_index(data)
    assert sorted(run.run for run in index.runs) == sorted(path.name for path in recordings)
    assert {run.split for run in index.runs} == set(dataset.SPLITS)
    for run in index.runs:
        original = dataset.read_run(next(p for p in recordings if p.name == run.run))
        split = dataset.read_split(data, run.split)
        rows = slice(run.first, run.first + run.frames)
        np.testing.assert_array_equal(split.crops[rows], original.crops)
        np.testing.assert_array_equal(split.labels[rows], original.labels)
    for name in dataset.SPLITS:
        frames = sum(run.frames for run in index.runs if run.split == name)
        assert len(dataset.read_split(data, name).labels) == frames


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
        dataset.read_run(unlabelled)
    with pytest.raises(DataError, match=r"run\.bag can't be read"):
        dataset.read_run(cut)
    with pytest.raises(DataError, match=r"holds no run\.bag"):
        dataset.read_run(tmp_path)
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
    list(dataset.build_dataset(recordings, tmp_path))
    np.save(tmp_path / "train_labels.npy", np.zeros((3, 2), np.float32))
    with pytest.raises(DataError, match="does not fit"):
        dataset.read_split(tmp_path, "train")


def test_curves_come_more_often_than_their_share() -> None:
    w = np.concatenate([np.zeros(9900), np.full(100, 3.0)])
    labels = np.column_stack([np.full_like(w, 10.0), w]).astype(np.float32)
    drawn = dataset.balanced_order(labels, np.random.default_rng(0))
    assert len(drawn) == len(labels)
    # sqrt weights: 100 frames of 10,000 come with 10 / (10 + 99.5) instead of 1 %.
    assert 0.08 < (labels[drawn, 1] > 1).mean() < 0.10


def test_mirrored_label_is_the_experts_answer_in_the_mirrored_place(loop: Centreline) -> None:
    """The mirrored image is what the camera sees on the mirrored road, 0.08 m further right."""
    mirrored_loop = Centreline.from_control_points(loop.points_m[::20] * [1, -1])
    for lateral_m in (-0.2, 0.0, 0.1):
        for s_m in (3.0, 20.0, 41.0):
            pose = start_pose(loop, s_m, lateral_m, 0.05)
            own = Expert(loop).command(*pose)
            x, y, yaw = pose
            right = -yaw - np.pi / 2
            seen_from = (x + 0.08 * np.cos(right), -y + 0.08 * np.sin(right), -yaw)
            wanted = Expert(mirrored_loop).command(*seen_from)
            label = mirrored_labels(np.array([[own.v_m_s, own.w_rad_s]], np.float32), 3.5)[0]
            # Without the correction the labels would be 0.1 rad/s and more apart.
            assert label[1] == pytest.approx(wanted.w_rad_s, abs=0.06)

            picture = RoadView(loop).frame(pose)
            mirrored = RoadView(mirrored_loop).frame(seen_from)
            different = (picture[:, ::-1] != mirrored).any(axis=-1).mean()
            assert different < 0.01


def test_augmentation_keeps_labels_and_inputs() -> None:
    random = np.random.default_rng(0)
    crops = random.integers(0, 256, (64, 66, 200, 3), np.uint8)
    labels = np.column_stack([np.full(64, 9.0), np.linspace(-1, 1, 64)]).astype(np.float32)
    kept = crops.copy(), labels.copy()
    images, changed = augmented(crops, labels, random)
    np.testing.assert_array_equal(crops, kept[0])
    np.testing.assert_array_equal(labels, kept[1])
    same = np.isclose(changed[:, 1], labels[:, 1])
    assert 10 < same.sum() < 54
    np.testing.assert_allclose(changed[~same], mirrored_labels(labels[~same], 3.5))
    assert images.shape == crops.shape
    # Each image still shows the same thing: mirrored or not, it goes with its source.
    source = normalise(crops)
    source[~same] = source[~same, :, ::-1]
    for one, other in zip(images, source, strict=True):
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.6


def test_learning_rate_rises_then_falls() -> None:
    params = TrainParams(learning_rate=1.0, warm_up_steps=10)
    rates = [learning_rate(params, step, 1000) for step in range(1000)]
    assert rates[0] == pytest.approx(0.1, rel=0.01)
    assert max(rates) == pytest.approx(1.0, rel=0.01)
    assert rates[-1] == pytest.approx(0.01, rel=0.01)
    assert all(later <= earlier for earlier, later in pairwise(rates[10:]))


def test_an_error_while_making_batches_reaches_the_training() -> None:
    def broken() -> Iterator[Batch]:
        yield np.zeros(1, np.float32), np.zeros(1, np.float32)
        raise DataError("frame 1 is broken")

    batches = prefetched(broken())
    next(batches)
    with pytest.raises(DataError, match="frame 1"):
        next(batches)


def test_frames_kept_in_git_round_trip(data: Path, tmp_path: Path) -> None:
    made = evaluation.make_evaluation(data, per_circuit=9)
    assert made.crops.shape == (9, 66, 200, 3)
    assert set(made.circuits) == {"loop"}
    path = tmp_path / "evaluation.npz"
    frames.write_frames(made, path)
    read = evaluation.read_evaluation(path)
    np.testing.assert_array_equal(read.crops, made.crops)
    np.testing.assert_array_equal(read.labels, made.labels)
    np.testing.assert_array_equal(read.circuits, made.circuits)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(DataError, match="no set of frames"):
        evaluation.read_evaluation(path)


def test_calibration_frames_are_training_frames_of_every_yaw_rate(data: Path) -> None:
    chosen = calibration.make_calibration(data, per_circuit=20)
    training = dataset.read_split(data, "train")
    rows = [np.flatnonzero((training.crops == crop).all(axis=(1, 2, 3))) for crop in chosen.crops]
    assert all(len(row) for row in rows)
    assert len({int(row[0]) for row in rows}) > 10
    low, high = np.quantile(training.labels[:, 1], [0.05, 0.95])
    assert chosen.labels[:, 1].min() < low
    assert chosen.labels[:, 1].max() > high


def test_the_kept_sets_share_no_frame() -> None:
    kept = [evaluation.read_evaluation(), calibration.read_calibration()]
    evaluated, calibrated = ({crop.tobytes() for crop in one.crops} for one in kept)
    assert len(calibrated) == 300
    assert not evaluated & calibrated
    assert len(set(kept[1].circuits)) == 3
