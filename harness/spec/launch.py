"""Arguments of a launch file, checked. Names and units are the launch file's."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import UsageError

LIMIT = 2**31 - 1
"""What ROS's parameter server can hold: XML-RPC's integers end there."""

Count = Annotated[int, Field(ge=1, le=LIMIT)]
Seed = Annotated[int, Field(ge=0, le=LIMIT)]
NonNegative = Annotated[float, Field(ge=0.0, le=LIMIT, allow_inf_nan=False)]


class LaunchSpec(BaseModel):
    """Base of what a launch file is asked for.

    Attributes:
        ALWAYS: arguments that are written down even where they have their default.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=()
    )

    ALWAYS: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def checked(cls, values: Mapping[str, Any]) -> Self:
        """Checks names and values.

        Raises:
            UsageError: in one line, what is wrong.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            if first["type"] == "extra_forbidden":
                known = ", ".join(cls.model_fields)
                raise UsageError(f"unknown argument {name!r}; known: {known}") from None
            said = first["msg"].removeprefix("Value error, ")
            raise UsageError(f"{name}: {said} (got {first['input']!r})") from None

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Checks arguments, and that what they name exists.

        Raises:
            UsageError: in one line, what is wrong and what is known.
        """
        return cls.checked(values)

    def check_runnable(self) -> None:
        """Says at once what this machine lacks, before anything is started.

        Raises:
            UnavailableError: an extra, a device or an artifact is missing; how to get it.
        """

    @classmethod
    def parse_runnable(cls, values: Mapping[str, Any]) -> Self:
        """As ``parse``, but what this machine lacks is said first: that takes no time to know.

        Raises:
            UsageError: in one line, what is wrong and what is known.
            UnavailableError: what is missing and how to get it.
        """
        cls.checked(values).check_runnable()
        return cls.parse(values)

    def launch_arguments(self) -> list[str]:
        """The `name:=value` arguments that ask for the same again."""
        defaults = {name: field.default for name, field in type(self).model_fields.items()}
        return [
            f"{name}:={launch_value(value)}"
            for name, value in self.model_dump().items()
            if name in self.ALWAYS or name not in defaults or value != defaults[name]
        ]


def model_name(model: str) -> str:
    """A model's name as tables and results have it, of what a run was asked for.

    A card's path becomes the card's name: ``/there/my_net.yaml/onnx_int8`` is ``my_net/onnx_int8``.
    """
    found = re.fullmatch(r"(?:.*/)?([^/]+)\.ya?ml((?:/[^/]+)?)", model)
    return model if found is None else found[1] + found[2]


def model_file_name(model: str) -> str:
    """The same as part of a file's or folder's name: no slash, no colon."""
    return model_name(model).replace(":", ".").replace("/", "--")


def launch_value(value: object) -> str:
    """A value as a launch file takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
