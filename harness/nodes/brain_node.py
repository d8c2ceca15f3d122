#!/usr/bin/env python3
"""Drives the car with a model: every camera frame it has time for becomes a command."""

import math
from typing import Any

import numpy as np

from brains.catalogue import enter_environment, load_brain
from brains.interface import CarState, Command, Frame
from harness.nodes.frame_loop import Decide, Decision, FrameLoop, run_driver
from harness.nodes.node import BRAIN_FAILURE, asked_run, exit_with, start_node
from harness.nodes.speed_at_frame import SpeedAtFrame


def main() -> int:
    """Loads and warms up the model, announces itself, drives; all under the model's interpreter."""
    spec = asked_run()
    enter_environment(spec.model)
    start_node("brain")

    def load() -> tuple[Decide, dict[str, Any]]:
        brain = load_brain(spec.model)
        brain.warm_up(np.zeros((spec.image_height, spec.image_width, 3), np.uint8))
        proof = brain.proof()
        # The proof may have asked it something.
        brain.reset()
        speed = SpeedAtFrame() if brain.needs_speed else None
        if speed is not None:
            speed.connect()
        previous = Command(0.0, 0.0)

        def decide(frame: Frame, stamp_ns: int) -> Decision:
            nonlocal previous
            speed_m_s = math.nan if speed is None else speed.at(stamp_ns)
            answer = brain.timed_infer(frame, CarState(speed_m_s, previous, stamp_ns / 1e9))
            previous = answer.command
            return Decision(answer, answer.command)

        return decide, proof

    return run_driver(FrameLoop(spec), load)


if __name__ == "__main__":
    exit_with(main, BRAIN_FAILURE)
