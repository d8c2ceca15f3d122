import json
import subprocess
import sys

import pytest


def harness(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = "from harness.cli.main import main; main()"
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["lap"],
        ["report"],
        ["metrics"],
        ["video"],
        ["replay"],
        ["models"],
        ["evaluate"],
        ["check-brain"],
        ["circuit"],
        ["dataset"],
        ["train"],
    ],
)
def test_every_command_has_help(command: list[str]) -> None:
    done = harness(*command, "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["lap", "--circuit", "monza"], 2, "montreal"),
        (["lap", "--model", "nonsense"], 2, "tflite_dynamic"),
        (["lap", "--laps", "0"], 2, "laps"),
        (["evaluate", "nonsense"], 2, "tflite_dynamic"),
        (["report", "/nowhere"], 3, "/nowhere"),
        (["report", "recordings/sample", "--rank-by", "beauty"], 2, "lap_time, speed, deviation"),
        (["batch", "plan.yaml", "--rank-by", "beauty"], 2, "lap_time, speed, deviation"),
        (["replay", "/nowhere.bag"], 3, "/nowhere.bag"),
        (["replay", "/nowhere.bag", "--model", "nonsense"], 2, "tflite_dynamic"),
    ],
)
def test_bad_input_is_one_line_and_an_exit_code(arguments: list[str], code: int, word: str) -> None:
    done = harness(*arguments)
    assert done.returncode == code, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: ")
    assert word in lines[0]
    assert done.stdout == ""


def test_json_alone_on_stdout() -> None:
    done = harness("doctor", "--json")
    findings = json.loads(done.stdout)
    assert {"Gazebo 11", "NVIDIA GPU"} <= {finding["what"] for finding in findings}
    assert all(finding["ok"] or finding["mend"] for finding in findings)
