"""The processor's energy counters (RAPL), as Linux shows them under /sys/class/powercap."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

POWERCAP = Path("/sys/class/powercap")


@dataclass(frozen=True)
class _Package:
    """One processor's counter, which begins again at 0 behind its range."""

    file: Path
    range_uj: int

    def read_uj(self) -> int:
        return int(self.file.read_text())


class EnergyMeter:
    """Energy of all processor packages of this machine, whoever uses them.

    Attributes:
        why_none: why there is none to read; empty where there is.
    """

    def __init__(self, packages: Sequence[_Package], why_none: str = "") -> None:
        """Starts at the present counts; `of_machine` finds the packages."""
        self._packages = tuple(packages)
        self._last_uj = [package.read_uj() for package in self._packages]
        self.why_none = why_none

    @classmethod
    def of_machine(cls, powercap: Path = POWERCAP) -> Self:
        """The meter of this machine; one that reads nothing where it shows no counter."""
        packages = []
        for zone in sorted(powercap.glob("intel-rapl:*")):
            # Zones within a package (intel-rapl:0:0) are counted in it.
            if zone.name.count(":") > 1:
                continue
            try:
                if not (zone / "name").read_text().startswith("package"):
                    continue
                range_uj = int((zone / "max_energy_range_uj").read_text())
                package = _Package(zone / "energy_uj", range_uj)
                package.read_uj()
            except (OSError, ValueError) as error:
                return cls((), f"{zone}: {getattr(error, 'strerror', None) or error}")
            packages.append(package)
        return cls(packages, "" if packages else f"{powercap} shows no processor's counter (RAPL)")

    def spent_j(self) -> float:
        """Joules since the last call, or since the meter was made; NaN without a counter."""
        if not self._packages:
            return float("nan")
        now_uj = [package.read_uj() for package in self._packages]
        spent_uj = sum(
            (now - last) % package.range_uj
            for package, last, now in zip(self._packages, self._last_uj, now_uj, strict=True)
        )
        self._last_uj = now_uj
        return spent_uj / 1e6
