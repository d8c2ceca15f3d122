"""Cells of a report's tables: values, which each output puts into words in its own way."""

from dataclasses import dataclass

from harness.metrics.intervals import Difference, Interval

MISSING = "-"


class Value:
    """A cell that holds more than words.

    Its parts are the figure, its interval in brackets and a mark; those that it has not are empty.
    """

    @property
    def main(self) -> str:
        """The figure."""
        raise NotImplementedError

    @property
    def interval(self) -> str:
        """Its interval."""
        return ""

    @property
    def mark(self) -> str:
        """What is marked in it."""
        return ""


@dataclass(frozen=True)
class Number(Value):
    """A figure alone.

    Attributes:
        value: The figure; None if there is none.
        digits: After the point.
        as_given: It is another's figure: no digits that it does not have.
    """

    value: float | None
    digits: int
    as_given: bool = False

    @property
    def main(self) -> str:
        """The figure."""
        if self.value is None:
            return MISSING
        if self.as_given:
            return f"{round(self.value, self.digits):g}"
        return f"{self.value:.{self.digits}f}"


@dataclass(frozen=True)
class Estimate(Value):
    """A mean, with its interval if it has one.

    Attributes:
        found: The mean; None if there is none.
        digits: After the point.
    """

    found: Interval | None
    digits: int

    @property
    def main(self) -> str:
        """The mean."""
        return MISSING if self.found is None else f"{self.found.value:.{self.digits}f}"

    @property
    def interval(self) -> str:
        """Its interval."""
        if self.found is None or self.found.low is None or self.found.high is None:
            return ""
        return f"[{self.found.low:.{self.digits}f}, {self.found.high:.{self.digits}f}]"


@dataclass(frozen=True)
class Completed(Value):
    """How many runs of how many were completed.

    Attributes:
        completed: Runs that drove all laps.
        judged: Runs of driving.
        found: Their share; None where its interval is not to be shown.
    """

    completed: int
    judged: int
    found: Interval | None = None

    @property
    def main(self) -> str:
        """Runs of runs."""
        return f"{self.completed}/{self.judged}"

    @property
    def interval(self) -> str:
        """The share's interval."""
        if self.found is None or self.found.low is None or self.found.high is None:
            return ""
        return f"[{self.found.low:.0%}, {self.found.high:.0%}]"


@dataclass(frozen=True)
class Shift(Value):
    """A difference, with its sign, its interval, and a star where it is beyond noise.

    Attributes:
        found: The difference; None if there is none.
        digits: After the point.
        percent: It is a ratio less 1, told as a percentage.
    """

    found: Difference | None
    digits: int
    percent: bool = False

    @property
    def main(self) -> str:
        """The difference."""
        return MISSING if self.found is None else self._signed(self.found.value)

    @property
    def interval(self) -> str:
        """Its interval."""
        if self.found is None or self.found.low is None or self.found.high is None:
            return ""
        return f"[{self._signed(self.found.low)}, {self._signed(self.found.high)}]"

    @property
    def mark(self) -> str:
        """A star beyond noise."""
        return "*" if self.found is not None and self.found.beyond_noise else ""

    def _signed(self, value: float) -> str:
        return f"{value:+.{self.digits}{'%' if self.percent else 'f'}}"


Cell = str | Value


def main_text(cell: Cell) -> str:
    """What a cell says without interval and mark."""
    return cell if isinstance(cell, str) else cell.main


def marked_text(cell: Cell) -> str:
    """What a cell says without interval."""
    return cell if isinstance(cell, str) else _joined(cell.main, cell.mark)


def interval_text(cell: Cell) -> str:
    """A cell's interval; empty without one."""
    return "" if isinstance(cell, str) else cell.interval


def line_text(cell: Cell) -> str:
    """All that a cell says, in a line."""
    return cell if isinstance(cell, str) else _joined(cell.main, cell.interval, cell.mark)


def lines_text(cell: Cell) -> str:
    """All that a cell says, the interval below the figure: a terminal is narrow."""
    if isinstance(cell, str):
        return cell
    return "\n".join(part for part in (marked_text(cell), cell.interval) if part)


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)
