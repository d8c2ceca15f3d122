"""Augmentation, batches, rates of learning, what can be learned, and frames kept in git."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brains.card import NetworkCard
from brains.expert import Expert
from brains.training import calibration, dataset, evaluation, frames
from brains.training.augment import augmented, mirrored_labels
from brains.training.batches import Batch, as_input, batches, images_at, prefetched
from brains.training.frames import pilotnet_view
from brains.training.loop import (
    SPANS,
    TrainParams,
    check_learnable,
    evaluate,
    learning_rate,
    loss_weights,
)
from brains.training.pictures import Split, read_pictures
from brains.view import View
from harness.errors import DataError, UsageError
from tests.brains.kinematics import start_pose
from tests.brains.roadview import RoadView
from worlds.centreline import Centreline


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
    view = pilotnet_view()
    crops = random.integers(0, 256, (64, 1, 66, 200, 3), np.uint8)
    labels = np.column_stack([np.full(64, 9.0), np.linspace(-1, 1, 64)]).astype(np.float32)
    kept = crops.copy(), labels.copy()
    images, changed = augmented(crops, labels, view, random)
    np.testing.assert_array_equal(crops, kept[0])
    np.testing.assert_array_equal(labels, kept[1])
    same = np.isclose(changed[:, 1], labels[:, 1])
    assert 10 < same.sum() < 54
    np.testing.assert_allclose(changed[~same], mirrored_labels(labels[~same], 3.5))
    assert images.shape == crops.shape
    # Each image still shows the same thing: mirrored or not, it goes with its source.
    source = view.scaled(crops)
    source[~same] = source[~same][..., ::-1, :]
    for one, other in zip(images, source, strict=True):
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.6


def card_of(image: dict[str, Any] | None = None, **changes: Any) -> NetworkCard:
    """A card of a small network, with other fields, of its picture and of itself."""
    picture = {"size": [20, 10], "scale": 0.5, "offset": -1} | (image or {})
    card = {
        "network": "net.h5",
        "sees": {"image": picture},
        "says": {"v": {"output": "v", "gain": 5}, "w": {"output": "w", "offset": 1}},
    }
    return NetworkCard.model_validate(card | changes)


@pytest.mark.parametrize("colour", ["rgb", "bgr", "grey", "yuv", "hsv"])
def test_only_the_light_of_a_picture_varies(colour: str) -> None:
    """Where colours are no light, hue and chroma stay; mirrored pictures show the same."""
    card = card_of(image={"colour": colour, "scale": 1, "offset": 0})
    view = View(card.sees)
    random = np.random.default_rng(1)
    pictures = np.full((40, 1, *view.picture_shape), 100, np.uint8)
    images, _ = augmented(pictures, np.zeros((40, 2), np.float32), view, random)
    varied = images.std(axis=(0, 1, 2, 3)) > 1
    assert varied.tolist() == {"yuv": [True, False, False], "hsv": [False, False, True]}.get(
        colour, [True] * view.picture_shape[-1]
    )
    assert np.abs(images - 100).max() < 70
    unvaried = images[..., ~varied]
    np.testing.assert_array_equal(unvaried, np.full_like(unvaried, 100))


def test_what_sees_more_of_one_side_is_not_mirrored() -> None:
    view = View(card_of(image={"crop": [0, 0.5, 0.8, 1]}).sees)
    labels = np.column_stack([np.full(64, 9.0), np.linspace(-1, 1, 64)]).astype(np.float32)
    pictures = np.zeros((64, 1, *view.picture_shape), np.uint8)
    _, changed = augmented(pictures, labels, view, np.random.default_rng(0))
    np.testing.assert_array_equal(changed, labels)


def numbered(frames: int, view: View, firsts: list[int]) -> Split:
    """A split whose pictures hold their row's number, and whose labels do too."""
    rows = np.arange(frames)
    pictures = np.broadcast_to(rows.reshape(-1, 1, 1, 1), (frames, *view.picture_shape))
    labels = np.column_stack([rows, -rows]).astype(np.float32)
    return Split(pictures.astype(np.uint8), labels, np.array(firsts))


@pytest.mark.parametrize("axis", ["time", "channels"])
def test_stacked_frames_are_those_that_a_brain_sees(axis: str) -> None:
    """The inputs of a training equal those of the view that drives, from a reset on."""
    image = {"size": [6, 4], "scale": 0.5, "offset": -1}
    card = card_of(sees={"image": image, "frames": [-3, -1, 0], "axis": axis})
    view = View(card.sees)
    split = numbered(9, view, [0, 5])
    for row in range(9):
        if row in (0, 5):
            view.reset()
        given = view.inputs_of(split.pictures[row])[view.image_input]
        np.testing.assert_array_equal(images_at(split, np.array([row]), view), given)


def test_batches_hold_frames_and_what_is_to_be_answered() -> None:
    card = card_of()
    split = numbered(50, View(card.sees), [0])
    random = np.random.default_rng(0)
    (images, wanted), *more = list(batches(split, card, random, steps=3, size=8))
    assert images.shape == (8, 10, 20, 3)
    assert len(more) == 2
    v, w = wanted.T
    rows = 5 * v
    assert np.allclose(rows, rows.round())
    # Mirrored ones steer to the other side, and a little more to the left.
    assert ((np.abs(w + 1 + rows) < 1e-4) | (w - (rows - 1) > 0)).all()


def test_without_an_axis_one_frame_stands_alone() -> None:
    view = View(card_of().sees)
    assert as_input(np.zeros((2, 1, 10, 20, 3), np.float32), view).shape == (2, 10, 20, 3)


def test_errors_count_in_parts_of_the_ranges_whatever_a_network_answers() -> None:
    """Two cards of the same commands in other scales weigh the same error alike."""
    both = {"v": {"output": "v", "gain": 17.5, "offset": 6.5}, "w": {"output": "w", "gain": 14.2}}
    np.testing.assert_array_equal(loss_weights(card_of(says=both).says, 6.0), [1, 6])
    for gains in ((1, 1), (-3, 10)):
        says = {name: {"gain": gain} for name, gain in zip("vw", gains, strict=True)}
        card = card_of(says=says)
        split = numbered(4, View(card.sees), [0])

        def answers(images: np.ndarray, card: NetworkCard = card) -> np.ndarray:
            rows = np.arange(len(images))
            return card.says.to_picked(np.column_stack([rows + 1.75, -rows - 1.42]))

        found = evaluate(answers, split, card, steering_weight=6.0)
        assert found["mse"] == pytest.approx(0.01, rel=1e-4)
        assert found["validation_loss"] == pytest.approx(0.01 * (1 + 6) / 2, rel=1e-4)
        assert (found["v_mae_m_s"], found["w_mae_rad_s"]) == pytest.approx((1.75, 1.42), rel=1e-4)
    assert SPANS.tolist() == [17.5, 14.2]


def test_what_a_card_says_is_constant_weighs_nothing() -> None:
    card = card_of(says={"v": {"constant": 8}, "w": {"gain": 2}})
    split = numbered(4, View(card.sees), [0])

    def answers(images: np.ndarray) -> np.ndarray:
        del images
        return card.says.to_picked(split.labels)

    found = evaluate(answers, split, card, steering_weight=6.0)
    assert found["mse"] == found["validation_loss"] == found["w_mae_rad_s"] == 0
    assert found["v_mae_m_s"] == pytest.approx(np.abs(8 - np.arange(4)).mean())
    assert loss_weights(card.says, 6.0)[0] == 0


def test_a_network_that_goes_astray_does_not_err_zero() -> None:
    card = card_of()
    split = numbered(4, View(card.sees), [0])
    found = evaluate(lambda images: np.full((len(images), 2), np.nan), split, card, 6.0)
    assert np.isnan(found["validation_loss"])


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"keeps": {"h_out": "h_in"}}, "keeps a state"),
        ({"sees": {"image": {"size": [4, 4]}, "numbers": {"speed": {"constant": 1}}}}, "speed too"),
        ({"says": {"v": {"constant": 5}, "w": {"constant": 0}}}, "nothing to learn"),
        ({"says": {"v": {"constant": 5}, "w": {"bins": [-1, 1]}}}, "bins"),
    ],
)
def test_what_no_data_set_teaches(changes: dict[str, Any], text: str) -> None:
    check_learnable(card_of())
    with pytest.raises(UsageError, match=text):
        check_learnable(card_of(**changes))


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

    made = prefetched(broken())
    next(made)
    with pytest.raises(DataError, match="frame 1"):
        next(made)


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
    training = read_pictures(data, "train", pilotnet_view())
    rows = [
        np.flatnonzero((training.pictures == crop).all(axis=(1, 2, 3))) for crop in chosen.crops
    ]
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
