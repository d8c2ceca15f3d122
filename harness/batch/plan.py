"""What a plan file says: which models drive which circuits, how often and how. No ROS."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from brains.catalogue import find_model, find_models, read_catalogue
from brains.model import ModelSpec
from harness.conditions.asked import Conditions, ConditionsText
from harness.conditions.table import HELP
from harness.errors import DataError, PitwallError, UsageError
from harness.files import read_text
from harness.run.lockstep import parse_latency
from harness.spec.launch import LIMIT, Count, NonNegative, Seed
from harness.spec.run import EXPERT, Antialiasing, useless_condition
from worlds.circuit import load_circuit

OWN_PROFILE = "profile"
_ALL = "all"
_NO_CONTESTANT = "constant"  # the family of brains that only measure the harness


def group(name: str) -> list[ModelSpec]:
    """Models that a group names: `all`, a family, a backend, `my_net/all`; else none."""
    if name.endswith(f"/{_ALL}"):
        return find_models(name)
    models = read_catalogue().models
    if name == _ALL:
        return [model for model in models if model.family != _NO_CONTESTANT]
    return [model for model in models if name in (model.family, model.backend)]


def _known_model(name: str) -> str:
    if name != EXPERT and not _checked(group, name):
        _checked(find_model, name)
    return name


def _known_circuit(name: str) -> str:
    _checked(load_circuit, name)
    return name


def _known_latency(text: str) -> str:
    if text != OWN_PROFILE and not text.startswith("profile:"):
        _checked(parse_latency, text, 0)
    return text


def _checked(check: Any, *arguments: object) -> Any:
    try:
        return check(*arguments)
    except PitwallError as error:
        raise ValueError(str(error)) from None


ModelName = Annotated[str, AfterValidator(_known_model)]
CircuitName = Annotated[str, AfterValidator(_known_circuit)]
Latency = Annotated[str, AfterValidator(_known_latency)]


def _written_out(value: Any) -> Any:
    """Conditions that are given as a mapping, as text."""
    if isinstance(value, Mapping):
        return ",".join(f"{name}={level}" for name, level in value.items())
    return value


_Mapping = dict[str, float]
PlanConditions = Annotated[
    ConditionsText, BeforeValidator(_written_out, json_schema_input_type=str | _Mapping)
]


class Settings(BaseModel):
    """What holds for the whole plan, or for one entry of its `runs`."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    models: list[ModelName] = Field(
        default=[],
        description="names, or groups: all, a family, a backend; a network's card"
        " (my_net.yaml), a version (my_net/onnx_int8) or all (my_net/all); or my_module:MyBrain",
    )
    circuits: list[CircuitName] = Field(default=[], description="see `harness circuit list`")
    repetitions: int = Field(default=1, ge=1, le=999)
    clock: Literal["realtime", "lockstep"] | None = Field(
        default=None,
        description="default: lockstep where latency is fixed or a profile, else realtime",
    )
    latency: Latency = Field(
        default="measured",
        description="measured, fixed:MS, profile:FILE, or profile: each model's own file in"
        " `profiles`, measured first where it is missing",
    )
    profiles: str = Field(default="profiles", description="folder of MODEL.json")
    laps: Count = 1
    direction: Literal["forward", "reverse"] = "forward"
    seed: Seed = Field(default=0, description="of repetition 1; the next has the next one")
    starts: Literal["spread", "line"] = Field(
        default="spread",
        description="spread: each repetition starts elsewhere, at the same station for every"
        " model; line: all at the circuit's start",
    )
    timeout_s: NonNegative = Field(default=0.0, description="simulated; 0: the circuit's limit")
    wall_timeout_s: NonNegative = Field(
        default=3600.0, gt=0.0, description="wall time after which a run is a harness_error"
    )
    retries: int = Field(default=2, ge=0, le=9, description="of a run that is a harness_error")
    image_width: int = Field(default=640, ge=64, le=1920, description="camera, pixels")
    image_height: int = Field(default=480, ge=48, le=1080, description="camera, pixels")
    antialiasing: Antialiasing = Field(default=4, description="camera, samples a pixel: 4 or 0")
    record_camera: bool = False
    conditions: PlanConditions = Field(default="", description=f"NAME: LEVEL of each, or {HELP}")

    @model_validator(mode="after")
    def _latency_needs_lockstep(self) -> Self:
        if self.clock == "realtime" and self.latency != "measured":
            raise ValueError(f"latency {self.latency!r} is simulated: it needs clock: lockstep")
        return self

    @model_validator(mode="after")
    def _every_seed_is_one(self) -> Self:
        if (last := self.seed + self.repetitions - 1) > LIMIT:
            raise ValueError(f"seed of the last repetition, {last}, must be at most {LIMIT}")
        return self

    def kept_clock(self) -> Literal["realtime", "lockstep"]:
        """The clock, chosen by the latency where the plan names none."""
        return self.clock or ("realtime" if self.latency == "measured" else "lockstep")


class Block(Settings):
    """One entry of `runs`: what differs from the rest of the plan."""

    name: str = Field(default="", pattern=r"^[\w.]*$", description="first part of the runs' names")


class PlanFile(Settings):
    """A plan file."""

    name: str = Field(default="", pattern=r"^[\w.-]*$", description="default: the file's name")
    runs: list[Block] = Field(
        default=[], description="several kinds of runs; each takes from the plan what it leaves out"
    )

    def blocks(self) -> list[Block]:
        """The kinds of runs, each complete."""
        shared = self.model_dump(exclude_unset=True, exclude={"name", "runs"})
        own = [block.model_dump(exclude_unset=True) for block in self.runs] or [{}]
        return [Block.model_validate({**shared, **values}) for values in own]


class Plan(BaseModel):
    """A plan, read and checked.

    Attributes:
        name: of the plan.
        blocks: kinds of runs, each with models, circuits and all else.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    blocks: list[Block]


def read_plan(path: Path) -> Plan:
    """Reads a plan file.

    Raises:
        DataError: missing or no YAML.
        UsageError: where in the file what is wrong, in one line.
    """
    text = read_text(path, "plan")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise DataError(f"{path}: no YAML: {' '.join(str(error).split())}") from None
    try:
        content = PlanFile.model_validate(values)
        blocks = content.blocks()
    except ValidationError as error:
        raise UsageError(_first_error(path, root, error)) from None
    for index, block in enumerate(blocks):
        where = f"runs.{index}: " if content.runs else ""
        for what, given in (("models", block.models), ("circuits", block.circuits)):
            if not given:
                raise UsageError(f"{path}: {where}names no {what}")
        for model in block.models:
            asked = Conditions.parse(block.conditions)
            if useless := useless_condition(asked, model, block.latency):
                raise UsageError(f"{path}: {where}conditions: {useless}")
    return Plan(name=content.name or path.stem, blocks=blocks)


def plan_schema() -> dict[str, Any]:
    """JSON Schema of plan files, for editors."""
    schema = PlanFile.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _first_error(path: Path, root: yaml.Node | None, error: ValidationError) -> str:
    """`plan.yaml:7:13: runs.1.clock: what is wrong`, and how many more errors there are."""
    errors = error.errors()
    first = errors[0]
    name = ".".join(str(part) for part in first["loc"])
    said = first["msg"].removeprefix("Value error, ")
    place = _place(root, first["loc"])
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{path}{place}: {f'{name}: ' if name else ''}{said}{more}"


def _place(node: yaml.Node | None, location: Iterable[int | str]) -> str:
    """`:line:column` of the value that a location leads to, or of the last part that exists."""
    if node is None:
        return ""
    for part in location:
        inner = _inside(node, part)
        if inner is None:
            break
        node = inner
    return f":{node.start_mark.line + 1}:{node.start_mark.column + 1}"


def _inside(node: yaml.Node, part: int | str) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
        return node.value[part] if part < len(node.value) else None
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == str(part)), None)
    return None
