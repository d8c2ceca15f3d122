"""What the brain says of itself on /brain/status: one model for who says it and who hears it."""

import json
from typing import Annotated, Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from harness import topics
from harness.errors import BrainError


class _Status(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def to_json(self) -> str:
        """The message's text.

        Raises:
            BrainError: the proof holds what JSON can't.
        """
        try:
            return json.dumps(self.model_dump(), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise BrainError(f"the brain's proof is no JSON: {error}") from None


class BrainReady(_Status):
    """It has loaded and warmed up its model.

    Attributes:
        proof: what will execute, in the brain's own words.
        load_s: wall time that it took.
    """

    state: Literal["ready"] = "ready"
    proof: dict[str, Any]
    load_s: float = Field(ge=0.0)


class BrainFailed(_Status):
    """It can't drive, or no longer.

    Attributes:
        error: why.
        exit_code: of the kind of error (`harness.errors`).
    """

    state: Literal["failed"] = "failed"
    error: str
    exit_code: int


BrainStatus = BrainReady | BrainFailed

_ADAPTER: TypeAdapter[BrainStatus] = TypeAdapter(
    Annotated[BrainStatus, Field(discriminator="state")]
)


def read_status(text: str) -> BrainStatus:
    """What a message on /brain/status says.

    Raises:
        BrainError: it says nothing that one can use; what is wrong with it, in one line.
    """
    try:
        return _ADAPTER.validate_python(json.loads(text, parse_constant=_refuse))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        wrong = f"{where}: {first['msg']}" if where else first["msg"]
    except ValueError as error:
        wrong = f"no JSON: {error}"
    raise BrainError(f"what the brain says on {topics.STATUS} makes no sense: {wrong}")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
