"""/brain/status: one model for both sides; whatever is wrong with it is one line."""

import json
from typing import Any

import pytest

from harness.errors import BrainError
from harness.run.brain_status import BrainFailed, BrainReady, BrainStatus, read_status

READY = {"state": "ready", "proof": {"engine": "litert"}, "load_s": 1.5}
FAILED = {"state": "failed", "error": "no such file", "exit_code": 3}


@pytest.mark.parametrize(
    "status",
    [
        BrainReady(proof={"engine": "litert", "operators": {"MUL": 1}, "gpu": None}, load_s=2.0),
        BrainFailed(error="no such file", exit_code=3),
    ],
)
def test_what_is_said_is_heard(status: BrainStatus) -> None:
    assert read_status(status.to_json()) == status


FAULTS = [
    ("", "no JSON"),
    ("ready", "no JSON"),
    ("[1, 2]", "dictionary"),
    ("null", "dictionary"),
    ("{}", "state"),
    (json.dumps({"state": "asleep"}), "'ready', 'failed'"),
    (json.dumps({"state": ["ready"]}), "state"),
    (json.dumps({"state": "ready", "load_s": 1.0}), "ready.proof: Field required"),
    (json.dumps(READY | {"proof": ["litert"]}), "ready.proof"),
    (json.dumps(READY | {"proof": None}), "ready.proof"),
    (json.dumps(READY | {"load_s": "soon"}), "ready.load_s"),
    (json.dumps(READY | {"load_s": -1.0}), "ready.load_s"),
    (json.dumps(READY | {"lods": 1.0}), "ready.lods"),
    (json.dumps(READY | {"proof": {"error": float("nan")}}), "NaN is no number"),
    (json.dumps({"state": "failed"}), "failed.error: Field required"),
    (json.dumps(FAILED | {"error": 7}), "failed.error"),
    (json.dumps(FAILED | {"exit_code": "3"}), "failed.exit_code"),
]


@pytest.mark.parametrize(("text", "said"), FAULTS)
def test_what_makes_no_sense_is_one_line(text: str, said: str) -> None:
    with pytest.raises(BrainError) as caught:
        read_status(text)
    assert "/brain/status" in str(caught.value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, object()])
def test_a_proof_that_json_cannot_hold_is_the_brain_s_error(value: Any) -> None:
    with pytest.raises(BrainError, match="the brain's proof is no JSON"):
        BrainReady(proof={"figure": value}, load_s=1.0).to_json()
