"""The spec of a recording, of this version of Pitwall and of others."""

import pytest
from pydantic import ValidationError

from harness.spec.recorded import UNSAID, RecordedSpec
from harness.spec.run import RunSpec


def test_every_argument_has_a_value_where_a_recording_does_not_name_it() -> None:
    # A new argument of a run stands in UNSAID too, with what all runs before it did.
    assert {"model", "circuit", *UNSAID} == set(RunSpec.model_fields)
    read = RecordedSpec.model_validate({"model": "null", "circuit": "montreal"})
    assert read.model_dump() == {"model": "null", "circuit": "montreal", **UNSAID}


def test_a_spec_is_recorded_as_it_is() -> None:
    spec = RunSpec(circuit="montmelo", laps=2, clock="lockstep", latency="fixed:20", timeout=15.0)
    recorded = RecordedSpec.of(spec)
    assert recorded.model_dump() == spec.model_dump()
    assert recorded.launch_arguments() == spec.launch_arguments()


@pytest.mark.parametrize("missing", ["model", "circuit"])
def test_a_recording_names_model_and_circuit(missing: str) -> None:
    said = {"model": "null", "circuit": "montreal"}
    del said[missing]
    with pytest.raises(ValidationError, match=missing):
        RecordedSpec.model_validate(said)


def test_arguments_of_a_later_version_are_kept() -> None:
    said = {**RunSpec().model_dump(), "fog": 4}
    read = RecordedSpec.model_validate(said)
    assert read.model_dump() == said
    assert "fog:=4" in read.launch_arguments()
    assert read != RecordedSpec.of(RunSpec())


def test_differences_are_named_but_not_where_it_landed() -> None:
    driven = RecordedSpec.of(RunSpec(record_camera=True, output="/here"))
    assert driven.differences(RunSpec(record_camera=True, output="/there")) == ()
    asked = RunSpec(laps=2)
    assert driven.differences(asked) == (
        "laps:=2 is asked, 1 was driven",
        "record_camera:=false is asked, true was driven",
    )
    later = RecordedSpec.model_validate({**RunSpec().model_dump(), "fog": 4})
    assert later.differences(RunSpec()) == ("fog:=unknown is asked, 4 was driven",)
