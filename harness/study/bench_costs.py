"""`make bench`: what scheduling and reporting cost, beside what is promised."""

from collections.abc import Callable

from harness.batch.overhead import scheduler_overhead_s
from harness.paths import project_root
from harness.report.many import report_cost
from harness.report.promises import Promise

_RUNS = 200
_FEW, _MANY = 100, 1000
_SCHEDULING_S = 0.2
_REPORT_S = 15.0
_GROWTH_MIB = 32.0


def cost_rows(show: Callable[[str], None]) -> list[Promise]:
    """Measure them.

    Args:
        show: takes each line of progress.

    Raises:
        UnavailableError: no batch extra.
        HarnessError: a null run is missing, or the report failed.
    """
    show(f"scheduling {_RUNS} null runs")
    each_s = scheduler_overhead_s(_RUNS)
    sample = project_root() / "recordings" / "sample"
    show(f"reports of {_FEW} and {_MANY} recordings")
    few, many = (report_cost(sample, count) for count in (_FEW, _MANY))
    growth_mib = many.peak_mib - few.peak_mib
    return [
        Promise(
            what=f"scheduling of a batch, s a run ({_RUNS} null runs)",
            promise=f"<= {_SCHEDULING_S:g}",
            measured=f"{each_s:.3f}",
            kept=each_s <= _SCHEDULING_S,
        ),
        Promise(
            what=f"report of {_MANY} recordings, s",
            promise=f"<= {_REPORT_S:g}",
            measured=f"{many.taken_s:.1f}",
            kept=many.taken_s <= _REPORT_S,
        ),
        Promise(
            what=f"its memory beyond that of {_FEW}, MiB",
            promise=f"<= {_GROWTH_MIB:g}",
            measured=f"{growth_mib:.0f} (of {many.peak_mib:.0f})",
            kept=growth_mib <= _GROWTH_MIB,
        ),
    ]
