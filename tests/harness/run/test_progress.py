from harness.metrics.lap import LapLimits, LapTracker
from harness.run.progress import Progress
from tests.harness.bagmaker import circle


def test_one_line_a_second_with_the_figures_so_far() -> None:
    line = circle().centreline("forward")
    tracker = LapTracker(line, 0.0, 1, LapLimits(asphalt_width_m=4.0, timeout_s=100.0))
    x_m, y_m = line.position(0.0)
    tracker.go(0.0, float(x_m), float(y_m))
    progress = Progress(laps=1)
    lines = []
    for index in range(1, 101):
        sim_s = 0.02 * index
        x_m, y_m = line.position(10.0 * sim_s)
        state = tracker.update(sim_s, float(x_m), float(y_m), float(line.heading(10.0 * sim_s)))
        lines.append(progress.line(state, sim_s, now_s=2.0 * sim_s))
    shown = [text for text in lines if text]
    assert len(shown) == 4  # 4 s of wall time
    assert "lap 1/1" in shown[-1]
    assert "deviation 0.000 m" in shown[-1]
    assert "RTF 0.50" in shown[-1]
    assert "mean 10." in shown[-1]
