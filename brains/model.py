"""What a model is: one row of a results table."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from brains.source import SourceKind


class ModelSpec(BaseModel):
    """One model: architecture, engine, precision and artifact.

    Attributes:
        name: How it is chosen (``model:=NAME``), and what results record.
        title: One line for tables.
        family: Architecture (``pilotnet``, ``line_follower``, ``constant``, ``user``).
        backend: Engine that executes it (``tflite``, ``keras``, ``opencv``, ``python``).
        brain: ``module:Class`` of the brain that loads it; None: it has none yet.
        environment: Environment of its own that it runs in (``brains.environment``); None: the
            default one.
        nvidia: What the model needs on a machine with an NVIDIA GPU; None: it needs no such GPU.
        cpu: Flags of ``/proc/cpuinfo``, one of which its processor must have; empty: any will do.
        precision: Number format of weights and arithmetic.
        artifact: What the engine loads: a file, or a folder where it ends in ``/``; None where
            there is none.
        kept: The artifact is kept in the weights folder, though a recipe can make it again.
        card: Path of its network's card (``brains.card``); None: it is no network, or one that
            takes and says what PilotNet does.
        kind: Kind of the network's file.
        method: Its method in the table (``brains.methods``).
        hub: ``module:function`` that makes the network's ONNX graph; None: converted from the file.
        folder: Folder of a user's network; None: the weights folder.
        weights: File of that folder that the recipe makes the artifact from.
        recipe: ``module:function`` that makes the artifact from the weights in under a minute.
        recipe_options: Settings of recipe and training.
        training: ``module:function`` that makes the model's file in the weights folder from a
            data set; takes minutes.
        reference: File of that folder with the answers of the float network; None: there is none.
        needs: Python modules that the engine imports.
        extra: Extra of the installation that brings ``needs``, or the environment; None where the
            default one does.
        build_needs: Python modules that recipe or training import.
        build_extra: Extras that bring ``build_needs``, as ``make setup EXTRAS=`` takes them.
        published_name: Its row in the published tables, None where it has none.
        published_table: Framework of its table among the published offline figures.
        options: Settings of the brain class.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    family: str
    backend: str
    brain: str | None = None
    environment: str | None = None
    nvidia: str | None = None
    cpu: list[str] = Field(default_factory=list)
    precision: str = "none"
    artifact: str | None = None
    kept: bool = False
    card: str | None = None
    kind: SourceKind | None = None
    method: str | None = None
    hub: str | None = None
    folder: str | None = None
    weights: str = "pilotnet.npz"
    recipe: str | None = None
    recipe_options: dict[str, Any] = Field(default_factory=dict)
    training: str | None = None
    reference: str | None = "reference.npz"
    needs: list[str] = Field(default_factory=list)
    extra: str | None = None
    build_needs: list[str] = Field(default_factory=list)
    build_extra: str | None = None
    published_name: str | None = None
    published_table: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)

    @property
    def built(self) -> bool:
        """Whether the artifact is made on this machine, into the cache."""
        return self.recipe is not None and not self.kept

    @property
    def folder_name(self) -> str:
        """Its name as a file's or folder's may be called: ``/`` can't stand there."""
        return self.name.replace("/", "--")

    @property
    def kept_file(self) -> str | None:
        """The model's file in the weights folder; None where it needs none."""
        if self.artifact is None:
            return None
        return self.weights if self.built else self.artifact
