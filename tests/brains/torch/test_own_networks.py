"""Users' networks in PyTorch files: their versions in torch, and one by way of the ONNX graph."""

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra torch")

import torch

from brains.build import silent
from brains.check import check_brain
from brains.outcomes import make
from brains.versions import Network
from tests.brains.own_networks import made_here

PRUNED = ["torch_pruned_local", "torch_pruned_global", "torch_pruned_qat"]

Card = Callable[[str], Path]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Small networks on two threads mostly wait."""
    torch.set_num_threads(1)


def test_weights_with_a_class_get_all_versions_of_torch(own_network: Card) -> None:
    card = own_network("torch_weights")
    versions = ["torch_script", "torch_dynamic", "torch_static", "torch_qat"]
    made = made_here(card, ["original", *versions, *PRUNED])
    for name, outcome in made.items():
        # Random weights are all needed: what is pruned may be refused, with the figure.
        allowed = {"made", "refused"} if name in PRUNED else {"made"}
        assert outcome.state in allowed, f"{name}: {outcome.detail}"
    shares = {name: o.agreement.share for name, o in made.items() if o.agreement is not None}
    assert shares.keys() == made.keys() - {"original"}
    assert shares["torch_script"] is not None and shares["torch_script"] < 1e-9
    assert not [check for check in check_brain(f"{card}/torch_static") if not check.passed]


def test_the_onnx_graph_of_a_torch_network_agrees(own_network: Card) -> None:
    pytest.importorskip("ai_edge_litert")
    outcome = make(Network(own_network("torch_weights")).model("onnx_int8"), silent)
    assert outcome.state == "made", outcome.detail
    assert outcome.agreement is not None and outcome.agreement.share is not None


@pytest.mark.parametrize("name", ["torchscript", "torch_export"])
def test_files_that_bring_their_network_with_them(own_network: Card, name: str) -> None:
    card = own_network(name)
    made = made_here(card, ["original"])
    assert made["original"].state == "made", made["original"].detail
    assert not [check for check in check_brain(str(card)) if not check.passed]


def test_stacked_frames_and_a_tuple_of_outputs(own_network: Card) -> None:
    card = own_network("torch_stacked")
    for outcome in made_here(card, ["torch_script", "torch_dynamic"]).values():
        assert outcome.state == "made", outcome.detail
    assert not [check for check in check_brain(f"{card}/torch_script") if not check.passed]


def test_a_recurrent_network_that_torch_can_not_follow_is_said_in_one_line(
    own_network: Card,
) -> None:
    made = made_here(own_network("torch_lstm"), ["torch_script", "torch_dynamic", "torch_static"])
    assert made["torch_script"].state == made["torch_dynamic"].state == "made"
    assert made["torch_static"].state == "not possible"
    assert made["torch_static"].detail.startswith("torch can't follow the network's code: ")
    assert "\n" not in made["torch_static"].detail
