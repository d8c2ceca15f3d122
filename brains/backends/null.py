"""The null brain: a constant command, so that a run measures the harness itself."""

from typing import Any, Self

from brains.interface import Brain, Command, Frame
from brains.model import ModelSpec


class NullBrain(Brain):
    """Answers every frame with the same command."""

    def __init__(self, command: Command) -> None:
        self._command_always = command

    @classmethod
    def load(cls, model: ModelSpec) -> Self:
        """Take the command from the options ``v_m_s`` and ``w_rad_s``."""
        return cls(Command(float(model.options["v_m_s"]), float(model.options["w_rad_s"])))

    def predict(self, data: Frame) -> Command:
        """The constant command."""
        del data
        return self._command_always

    def proof(self) -> dict[str, Any]:
        """The constant command is all there is to it."""
        command = self._command_always
        return super().proof() | {"v_m_s": command.v_m_s, "w_rad_s": command.w_rad_s}
