"""What a model is: one row of a results table."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class ModelSpec(BaseModel):
    """One model: architecture, engine, precision and artifact.

    Attributes:
        name: How it is chosen (``model:=NAME``).
        title: One line for tables.
        family: Architecture (``pilotnet``, ``line_follower``, ``constant``, ``user``).
        backend: Engine that executes it (``tflite``, ``keras``, ``opencv``, ``python``).
        brain: ``module:Class`` of the brain that loads it.
        precision: Number format of weights and arithmetic.
        artifact: File name of what the engine loads; None where there is none.
        built: The artifact is made on this machine from the weights, not kept in git.
        needs: Python modules that the engine imports.
        extra: Extra of the installation that brings ``needs``; None where the default one does.
        build_extra: Extra that building the artifact takes; None where it is not built.
        published_name: Its row in the published tables, None where it has none.
        options: Settings of the brain class.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    family: str
    backend: str
    brain: str
    precision: str = "none"
    artifact: str | None = None
    built: bool = False
    needs: list[str] = Field(default_factory=list)
    extra: str | None = None
    build_extra: str | None = None
    published_name: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
