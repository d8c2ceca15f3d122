"""Cells of tables: values, each output's words for them."""

from harness.metrics.intervals import Difference, Interval
from harness.report.cells import (
    Completed,
    Estimate,
    Number,
    Shift,
    Value,
    interval_text,
    line_text,
    lines_text,
    main_text,
    marked_text,
)

SHARE = Interval(2 / 3, 0.094, 0.992, 3)


def outputs(cell: str | Value) -> tuple[str, str, str, str, str]:
    return (
        main_text(cell),
        marked_text(cell),
        interval_text(cell),
        line_text(cell),
        lines_text(cell),
    )


def test_words_stay_as_they_are_brackets_and_all() -> None:
    # A custom weights file may well be called so.
    words = "my_model [v2], published *"
    assert outputs(words) == (words, words, "", words, words)


def test_a_mean_with_its_interval() -> None:
    cell = Estimate(Interval(8.543, 8.4, 8.68, 5), 2)
    both = "8.54 [8.40, 8.68]"
    assert outputs(cell) == ("8.54", "8.54", "[8.40, 8.68]", both, both.replace(" [", "\n["))
    assert outputs(Estimate(Interval(8.543, None, None, 1), 2)) == (
        "8.54",
        "8.54",
        "",
        *["8.54"] * 2,
    )
    assert outputs(Estimate(None, 2)) == ("-", "-", "", "-", "-")


def test_runs_completed() -> None:
    both = "2/3 [9%, 99%]"
    cell = Completed(2, 3, SHARE)
    assert outputs(cell) == ("2/3", "2/3", "[9%, 99%]", both, both.replace(" [", "\n["))
    assert line_text(Completed(2, 3)) == "2/3"


def test_a_difference_has_its_sign_and_its_star() -> None:
    beyond = Difference(0.0304, 0.02, 0.04, 8, 0.001, beyond_noise=True)
    cell = Shift(beyond, 3)
    assert outputs(cell) == (
        "+0.030",
        "+0.030 *",
        "[+0.020, +0.040]",
        "+0.030 [+0.020, +0.040] *",
        "+0.030 *\n[+0.020, +0.040]",
    )
    within = Difference(-0.281, None, None, 2, None, beyond_noise=False)
    assert outputs(Shift(within, 1, percent=True)) == ("-28.1%", "-28.1%", "", "-28.1%", "-28.1%")
    assert line_text(Shift(None, 3)) == "-"


def test_figures_of_others_get_no_digits_that_they_do_not_have() -> None:
    assert main_text(Number(4.9, 3, as_given=True)) == "4.9"
    assert main_text(Number(4.9, 3)) == "4.900"
    assert main_text(Number(None, 3)) == "-"
