"""What stands on the terminal while a batch runs: counts, time left, the latest runs. No ROS."""

from collections import Counter
from collections.abc import Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from harness.batch.jobs import Job
from harness.batch.pace import Pace, in_words
from harness.errors import DataError
from harness.recording.results import RESULT_NAME, Result, read_result

_SHOWN = 12  # finished runs that the live table shows


class Board:
    """Follows the recordings of a batch; shows them live, or line by line where no one looks."""

    def __init__(self, jobs: Sequence[Job], slots: int, console: Console) -> None:
        self._console = console
        self._pace = Pace(slots)
        self._waiting = {job.name: job for job in jobs}
        self._running: dict[str, str] = {}
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self.results: dict[str, Result] = {}
        self.failures: dict[str, str] = {}
        self._look()

    def __enter__(self) -> "Board":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    @property
    def missing(self) -> list[Job]:
        """Runs without a result, in order."""
        return list(self._waiting.values())

    def hear(self, line: str) -> None:
        """Takes a line that a run printed: `NAME: what`, or `error: NAME: what`."""
        name, _, text = line.removeprefix("error: ").partition(": ")
        failed = line.startswith("error: ")
        if name in self._waiting:
            self._running[name] = text.removeprefix("[run] ")
            if failed:
                self.failures[name] = text
        if failed or text.startswith("attempt "):
            self._say(line, style="yellow")

    def refresh(self) -> None:
        """Looks for new results and shows what there is."""
        for name in self._look():
            result = self.results[name]
            self._say(f"{name}: {result.outcome} ({result.outcome_reason}); {self.summary()}")
        if self._live.is_started:
            self._live.update(self._picture(), refresh=True)

    def settle(self) -> None:
        """Nothing runs any more: what stands in the recordings is final, a harness_error too."""
        self._running.clear()
        self._look(final=True)

    def summary(self) -> str:
        """`12 of 40 finished (11 completed, 1 stuck), about 25 min left`."""
        counts = Counter(result.outcome for result in self.results.values())
        total = len(self.results) + len(self._waiting)
        text = f"{len(self.results)} of {total} finished"
        if counts:
            text += f" ({', '.join(f'{count} {name}' for name, count in counts.most_common())})"
        if self._waiting:
            text += f", about {in_words(self._pace.left_s(self.missing))} left"
        return text

    def _look(self, final: bool = False) -> list[str]:
        """Names of the runs whose result is new; a harness_error may still be driven again."""
        new = []
        for name, job in list(self._waiting.items()):
            if not (job.folder / RESULT_NAME).exists():
                continue
            try:
                result = read_result(job.folder)
                if result.outcome == "harness_error" and not final:
                    continue
                self._pace.finished(job, result)
            except (DataError, FileNotFoundError):  # put aside at this very moment
                continue
            self.results[name] = result
            self.failures.pop(name, None)
            del self._waiting[name]
            self._running.pop(name, None)
            new.append(name)
        return new

    def _say(self, line: str, style: str = "") -> None:
        if not self._live.is_started or style:
            self._console.print(line, style=style, markup=False, soft_wrap=True)

    def _picture(self) -> RenderableType:
        table = Table("run", "outcome", "lap s", "speed m/s", "deviation m", box=box.SIMPLE_HEAD)
        for name, result in list(self.results.items())[-_SHOWN:]:
            figures = (result.lap_time_s, result.average_speed_m_s, result.deviation_mae_m)
            cells = ["-" if value is None else f"{value:.3f}" for value in figures]
            table.add_row(name, result.outcome, *cells)
        running = [Text(f"{name}: {text}", style="cyan") for name, text in self._running.items()]
        return Group(table, *running, Text(self.summary(), style="bold"))
