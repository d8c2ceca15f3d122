"""The cost of a process, and the processor's counters of energy as files."""

import math
import time
from pathlib import Path

from harness.run.process_cost import CostMeter
from harness.run.processor_energy import EnergyMeter


def zone(folder: Path, name: str, kind: str, energy_uj: int, range_uj: int = 1_000_000) -> Path:
    place = folder / name
    place.mkdir()
    (place / "name").write_text(f"{kind}\n")
    (place / "max_energy_range_uj").write_text(f"{range_uj}\n")
    (place / "energy_uj").write_text(f"{energy_uj}\n")
    return place / "energy_uj"


def test_packages_are_added_and_counters_begin_again(tmp_path: Path) -> None:
    first = zone(tmp_path, "intel-rapl:0", "package-0", 900_000)
    second = zone(tmp_path, "intel-rapl:1", "package-1", 100_000)
    cores = zone(tmp_path, "intel-rapl:0:0", "core", 5)
    psys = zone(tmp_path, "intel-rapl:2", "psys", 7)
    meter = EnergyMeter.of_machine(tmp_path)
    assert meter.why_none == ""
    assert meter.spent_j() == 0.0
    first.write_text("100000")  # past its range: 200,000 more
    second.write_text("350000")
    cores.write_text("99999")
    psys.write_text("99999")
    assert meter.spent_j() == 0.45
    assert meter.spent_j() == 0.0


def test_a_machine_that_shows_none_says_why(tmp_path: Path) -> None:
    meter = EnergyMeter.of_machine(tmp_path)
    assert math.isnan(meter.spent_j())
    assert "no processor's counter" in meter.why_none
    zone(tmp_path, "intel-rapl:0", "package-0", 1).unlink()
    assert "No such file" in EnergyMeter.of_machine(tmp_path).why_none


def test_a_process_costs_what_it_computes(tmp_path: Path) -> None:
    counter = zone(tmp_path, "intel-rapl:0", "package-0", 10)
    meter = CostMeter(EnergyMeter.of_machine(tmp_path))
    counter.write_text("20010")
    meter.begin()  # what went before is not this answer's
    counter.write_text("50010")
    before = meter.read()
    assert before.energy_j == 0.03
    while time.process_time() < before.cpu_s + 0.01:
        pass
    after = meter.read()
    assert after.cpu_s >= before.cpu_s + 0.01
    assert after.peak_rss_bytes >= before.peak_rss_bytes > 10 << 20
