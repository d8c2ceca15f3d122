"""Users' networks of Keras, SavedModels and TFLite files: their versions, and the gate."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tensorflow", reason="needs the extra tf")

from brains.build import silent
from brains.check import check_brain
from brains.outcomes import make
from brains.recipes import tflite
from brains.recipes.tf_source import TfSource, tf_source
from brains.tf_network import concrete, without_lambda
from brains.versions import Network
from brains.workshop import Workshop
from tests.brains.own_networks import made_here

POST = ["tflite_float32", "tflite_dynamic", "tflite_float16", "tflite_int8", "tflite_int8_float"]
LEARNED = [
    *("tflite_pruned", "tflite_pruned_dynamic"),
    *("tflite_qat", "tflite_cqat", "tflite_pqat", "tflite_pcqat"),
]

Card = Callable[[str], Path]


def test_a_keras_2_network_of_two_outputs_gets_all_its_versions(own_network: Card) -> None:
    card = own_network("keras2")
    made = made_here(card, ["original", "tf_function", "tf_savedmodel", *POST, *LEARNED])
    for name, outcome in made.items():
        # Random weights are all needed: what is pruned or clustered may be refused.
        allowed = {"made", "refused"} if name in LEARNED else {"made"}
        assert outcome.state in allowed, f"{name}: {outcome.detail}"
    for name in ("tf_savedmodel", "tflite_float32"):
        found = made[name].agreement
        # The converter turns the two outputs round in the file: they are bound by name.
        assert found is not None and found.share is not None and found.share < 1e-9
    sizes = {name: made[name].size_bytes or 0 for name in made}
    assert sizes["tflite_dynamic"] < 0.5 * sizes["tflite_float32"]
    assert not [check for check in check_brain(f"{card}/tflite_qat") if not check.passed]


def test_outputs_in_the_other_order_are_refused(
    own_network: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    def swapped(workshop: Workshop) -> TfSource:
        source = tf_source(workshop)
        network: Any = source.keras
        network.output_names[:] = network.output_names[::-1]
        function = concrete(network, workshop.view.shapes())
        return TfSource(function, network, source.variables, network)

    monkeypatch.setattr(tflite, "tf_source", swapped)
    model = Network(own_network("keras2")).model("tflite_float32")
    model = model.model_copy(update={"recipe_options": {"outputs": "swapped"}})
    outcome = make(model, silent, apart=False)
    assert outcome.state == "refused"
    assert outcome.detail.endswith("% of its variance: 10% are refused")


def test_activations_that_tfmot_does_not_know_stay_float(own_network: Card) -> None:
    made = made_here(own_network("keras2_elu"), ["tflite_qat", "tflite_pruned"])
    assert made["tflite_pruned"].state in ("made", "refused"), made["tflite_pruned"].detail
    assert made["tflite_qat"].state in ("made", "refused", "not possible")
    assert "\n" not in made["tflite_qat"].detail


def test_a_recurrent_network_over_three_frames(own_network: Card) -> None:
    card = own_network("keras2_lstm")
    made = made_here(card, ["original", "tflite_float32", "tflite_qat"])
    assert made["tflite_float32"].state == "made", made["tflite_float32"].detail
    found = made["tflite_float32"].agreement
    assert found is not None and found.share is not None and found.share < 1e-6
    assert made["tflite_qat"].state in ("made", "not possible")
    assert not [check for check in check_brain(f"{card}/tflite_float32") if not check.passed]


def test_a_savedmodel_of_any_batch(own_network: Card) -> None:
    made = made_here(own_network("savedmodel"), ["original", "tflite_float32", "tflite_int8"])
    for outcome in made.values():
        assert outcome.state == "made", outcome.detail
    found = made["tflite_float32"].agreement
    assert found is not None and found.share is not None and found.share < 1e-9


@pytest.mark.parametrize(
    ("name", "version"), [("keras3", "tflite_dynamic"), ("tflite", "onnx_int8")]
)
def test_other_files_by_a_process_of_their_own(own_network: Card, name: str, version: str) -> None:
    # Keras 3 wants another setting of TensorFlow than this process has; ONNX is refused here.
    outcome = make(Network(own_network(name)).model(version), silent)
    assert outcome.state == "made", outcome.detail
    assert outcome.agreement is not None and outcome.agreement.share is not None


def test_lambdas_are_replaced_by_what_hands_on() -> None:
    config = {
        "class_name": "Sequential",
        "config": {
            "layers": [
                {"class_name": "Lambda", "config": {"name": "scale", "function": ["code"]}},
                {"class_name": "Dense", "config": {"units": 2}},
            ]
        },
    }
    changed = without_lambda(config)["config"]["layers"]
    assert changed[0] == {
        "class_name": "Activation",
        "config": {"name": "scale", "activation": "linear"},
    }
    assert changed[1] == config["config"]["layers"][1]  # type: ignore[index]
