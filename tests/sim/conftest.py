"""What the tests in a real Gazebo share."""

import csv
import math
import signal

import pytest

from worlds.custom import as_yaml, circuit_of
from worlds.traced import read_traced


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Tests interrupt what they start, and who runs them in the background ignores interrupts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def short_circuit(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A loop of about 136 m, as a user would add it: the path of its file."""
    folder = tmp_path_factory.mktemp("circuit")
    table = folder / "short.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["x", "y"])
        for index in range(80):
            angle = math.tau * index / 80
            radius_m = 20.0 + 4.0 * math.cos(3.0 * angle)
            writer.writerow([radius_m * math.cos(angle), radius_m * math.sin(angle)])
    path = folder / "short.yaml"
    path.write_text(as_yaml(circuit_of(read_traced(table), name="short").circuit))
    return str(path)
