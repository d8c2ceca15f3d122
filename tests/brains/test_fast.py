"""pitwall_fast: its training by `harness optimize`, and the network that is kept."""

from brains.artifacts import artifact_bytes, artifact_path
from brains.catalogue import find_model, load_brain
from brains.network import NetworkBrain
from brains.preprocess import to_output
from brains.training.evaluation import read_evaluation

MIB = 2**20
LAYERS = {"CONV_2D": 4, "RESHAPE": 1, "FULLY_CONNECTED": 3}


def brain_of_fast() -> NetworkBrain:
    brain = load_brain("pitwall_fast")
    assert isinstance(brain, NetworkBrain)
    return brain


def test_the_kept_network_is_small_and_sees_better_than_pilotnet() -> None:
    path = artifact_path(find_model("pitwall_fast"))
    assert path is not None
    assert artifact_bytes(path) < MIB
    evaluation = read_evaluation()
    wanted = to_output(evaluation.labels)
    errors = {
        name: ((brain.answers(map(brain.view.inputs_of, evaluation.crops)) - wanted) ** 2).mean()
        for name in ("pitwall_fast", "tflite_dynamic")
        if isinstance(brain := load_brain(name), NetworkBrain)
    }
    assert errors["pitwall_fast"] < errors["tflite_dynamic"]


def test_all_its_layers_are_executed_by_the_delegate() -> None:
    proof = brain_of_fast().proof()
    assert proof["operators"]["xnnpack"] == {**LAYERS, "DEQUANTIZE": 14}
    assert proof["parameters"] < 400_000
