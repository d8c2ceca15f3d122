"""result.json of version 1, which kept the command but not the spec."""

import shlex
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from harness.spec.launch import model_name
from harness.spec.recorded import RecordedSpec
from harness.spec.run import RunSpec


def from_version_1(values: Mapping[str, Any]) -> dict[str, Any]:
    """A result of version 1 with the spec that later ones have, read from its command.

    The spec is None where the command tells none, or another one than the result's own fields.

    Args:
        values: The content of the file.
    """
    spec = _spec_of(values.get("command"))
    copies = copies_of(spec) if spec else {}
    if any(values.get(name, value) != value for name, value in copies.items()):
        spec, copies = None, {}
    whole = spec.model_dump() if spec else None
    return {**copies, **values, "spec": whole}


def copies_of(spec: RunSpec) -> dict[str, Any]:
    """What of a spec stands in a result beside it, by the names that version 1 had for it."""
    return {
        "model": model_name(spec.model),
        "circuit": spec.circuit,
        "direction": spec.direction,
        "laps_asked": spec.laps,
        "seed": spec.seed,
        "clock": spec.clock,
        "latency": spec.latency if spec.clock == "lockstep" else None,
    }


def _spec_of(command: object) -> RecordedSpec | None:
    """What the command of a run asked for; None if it is none of ours."""
    try:
        launch, package, file, *arguments = shlex.split(str(command))
    except ValueError:  # a quotation without its end, or too few words
        return None
    if (launch, package, file) != ("roslaunch", "harness", "circuit.launch"):
        return None
    pairs = [word.partition(":=") for word in arguments]
    if any(not sign or name not in RunSpec.model_fields for name, sign, _ in pairs):
        return None
    try:
        return RecordedSpec.model_validate({name: value for name, _, value in pairs})
    except ValidationError:
        return None
