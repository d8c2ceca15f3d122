"""A worker without networks: what it does stands in its name, as `kind-milliseconds`."""

import json
import os
import sys
import time

BLOCKS_BEFORE_DEATH = 2


def answer(kind: str, milliseconds: float, request: dict[str, object], asked: int) -> object:
    if request["do"] == "judge":
        if kind == "broken":
            return {"error": "DataError: its file is broken"}
        errors = {"frames": 4, "mse": milliseconds / 100, "mae_v_m_s": 1.0, "mae_w_rad_s": 0.5}
        proof = {
            "engine": "fake",
            "engine_version": "1",
            "device": "cpu",
            "threads": 1,
            "operators": {"none": {"MULTIPLY": 2}},
            "parameters": 1000,
            "artifact_bytes": 2**21,
            "artifact_sha256": "0" * 64,
            "reference_difference": 0.0,
            "output_step_m_s": None,
            "output_step_rad_s": None,
            "weights": {"w": {"elements": 2000, "sparsity": 0.5, "unique_values": 16}},
        }
        reason = {"bare_reason": "no bare loop for the engine 'fake'"} if kind == "closed" else {}
        return {"errors": errors, "circuits": {"loop": errors}, "proof": proof} | reason
    if kind == "dying" and asked > BLOCKS_BEFORE_DEATH:
        print("out of memory", file=sys.stderr, flush=True)
        os.kill(os.getpid(), 9)
    if kind == "hanging":
        time.sleep(60)
    count = int(str(request["count"]))
    # Slower and slower: only ratios of neighbours are right.
    drift = asked + 1

    def block(factor: float) -> dict[str, object]:
        each_ms = milliseconds * factor * (drift if kind == "drifting" else 1)
        total_ms = count * each_ms
        return {"times_ms": [each_ms] * count, "cpu_ms": total_ms, "wall_ms": total_ms}

    if kind == "closed":
        return {"predict": block(1.0), "in_loop": block(1.5)}
    return {"predict": block(1.0), "in_loop": block(1.5), "bare": block(0.5)}


def main() -> None:
    kind, _, milliseconds = sys.argv[1].partition("-")
    for asked, line in enumerate(sys.stdin):
        print(json.dumps(answer(kind, float(milliseconds), json.loads(line), asked)), flush=True)


if __name__ == "__main__":
    main()
