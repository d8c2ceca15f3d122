"""The order of models: tiers of what is not told apart, and what decides within them."""

import itertools
from collections.abc import Sequence
from typing import Any

import pytest

from harness.errors import UsageError
from harness.report.columns import DEVIATION, LAP_TIME, RANK_KEYS, SPEED, ranked_by
from harness.report.front import Spot, front_statement, pareto_front, spots
from harness.report.groups import Heat, Run, heats, pooled
from harness.report.ranking import mean_over_courses, rank, statement, verdict_text
from tests.harness.recording.test_results import make_result


def driven(
    model: str, lap_times_s: Sequence[float | None], deviation_m: float = 0.1, **changes: Any
) -> list[Run]:
    """Runs with seeds 0, 1, ...; a lap time of None is a lap that was lost."""
    runs = []
    for seed, lap_time_s in enumerate(lap_times_s):
        own: dict[str, Any] = {"model": model, "seed": seed, "lap_time_s": lap_time_s}
        circuit = changes.get("circuit", "")
        own |= {"odometry_sha256": f"{model}{circuit}{seed}", "deviation_mae_m": deviation_m}
        if lap_time_s is None:
            own |= {"outcome": "off_track", "laps": 0}
        else:
            own["average_speed_m_s"] = 400.0 / lap_time_s
        runs.append(Run(f"{model}-{circuit}-{seed}", make_result(**(own | changes))))
    return runs


def heat_of(*runs: list[Run]) -> Heat:
    (heat,) = heats(itertools.chain(*runs))
    return heat


def order(heat: Heat, rank_by: str = "lap_time") -> list[str]:
    return [place.group.label for place in rank(heat, ranked_by(rank_by))]


def test_of_models_that_all_complete_the_slow_one_is_last_however_little_it_deviates() -> None:
    heat = heat_of(
        driven("follower", [56.0, 56.1, 56.2], deviation_m=0.01),
        driven("network", [42.0, 42.1, 42.3], deviation_m=0.03),
    )
    assert order(heat) == ["network", "follower"]
    first, second = rank(heat)
    assert (first.verdict, second.verdict, second.decided_by) == (None, "behind", "lap time")
    assert verdict_text(second) == "behind: lap time"
    assert statement([first, second]) == (
        "network stands first. Behind it in lap time, beyond noise: follower."
    )
    # 56 / 42, 56.1 / 42.1, 56.2 / 42.3: a third slower.
    lap_time = second.versus_first[1]
    assert lap_time is not None
    assert lap_time.value == pytest.approx((56 * 56.1 * 56.2 / (42 * 42.1 * 42.3)) ** (1 / 3) - 1)


def test_what_lap_time_does_not_tell_apart_deviation_decides() -> None:
    # Differences of 0.5, -0.6, 0.4 s: a mean of 0.1 with a standard error of 0.35.
    heat = heat_of(
        driven("quick", [42.0, 42.8, 42.2], deviation_m=0.08),
        driven("neat", [42.5, 42.2, 42.6], deviation_m=0.02),
    )
    assert order(heat) == ["neat", "quick"]
    places = rank(heat)
    assert places[1].verdict == "behind"
    assert places[1].decided_by == "deviation"


def test_a_tier_ends_at_the_first_that_is_told_apart_from_its_best() -> None:
    # a from b: -0.4, 0.8, 0.2; b from c: 1.3, 0.1, 0.7: neither beyond noise. a from c: 0.9 each.
    best = [42.0, 42.0, 42.0]
    runs = (
        driven("a", best, deviation_m=0.3),
        driven("b", [41.6, 42.8, 42.2], deviation_m=0.2),
        driven("c", [42.9, 42.9, 42.9], deviation_m=0.1),
    )
    orders = {tuple(order(heat_of(*shuffled))) for shuffled in itertools.permutations(runs)}
    assert orders == {("b", "a", "c")}


def test_a_noisy_model_does_not_pass_those_that_are_told_apart() -> None:
    # By itself `wild` is not told from the best; `steady` is, and it is quicker than `wild`.
    heat = heat_of(
        driven("best", [42.0, 42.1, 42.2], deviation_m=0.3),
        driven("steady", [43.0, 43.1, 43.2], deviation_m=0.2),
        driven("wild", [41.0, 44.0, 46.0], deviation_m=0.1),
    )
    assert order(heat)[0] == "best"


def test_a_lap_lost_by_chance_does_not_outweigh_lap_time() -> None:
    heat = heat_of(driven("sure", [48.0] * 10), driven("quick", [*[42.0] * 9, None]))
    assert order(heat) == ["quick", "sure"]
    assert [place.completes for place in rank(heat)] == [True, True]


@pytest.mark.parametrize("lost", [1, 2])
def test_few_runs_do_not_excuse_laps_that_were_lost(lost: int) -> None:
    # No test tells 1 of 3 from 3 of 3: McNemar's p is 0.5. Nobody would call it level.
    times_s = [42.0] * (3 - lost) + [None] * lost
    heat = heat_of(driven("sure", [48.0] * 3), driven("quick", times_s))
    assert order(heat) == ["sure", "quick"]
    assert [place.completes for place in rank(heat)] == [True, False]


def test_of_many_runs_a_small_share_lost_is_told_from_chance() -> None:
    # 6 of 60 lost, none by the other: McNemar's p is 2 / 2 ** 6 = 0.031.
    heat = heat_of(driven("sure", [48.0] * 60), driven("quick", [42.0] * 54 + [None] * 6))
    assert order(heat) == ["sure", "quick"]


def test_where_there_are_too_few_pairs_to_tell_the_means_decide() -> None:
    heat = heat_of(
        driven("follower", [56.0], deviation_m=0.01),
        driven("b", [42.1], deviation_m=0.02),
        driven("a", [42.0], deviation_m=0.03),
        driven("same", [42.0], deviation_m=0.01),
        driven("lost", [None], deviation_m=0.0),
    )
    assert order(heat) == ["same", "a", "b", "follower", "lost"]
    assert {place.verdict for place in rank(heat)[1:]} == {"too few pairs"}


def test_better_in_a_later_criterion_is_told_where_the_earlier_ones_do_not_tell() -> None:
    # Two of ten laps lost are no proof (McNemar's p is 0.5), but more than one in ten.
    heat = heat_of(
        driven("sure", [48.0] * 10, deviation_m=0.2),
        driven("neat", [*[48.0 + 0.1 * (-1) ** i for i in range(8)], None, None], deviation_m=0.1),
    )
    places = rank(heat)
    assert [place.group.label for place in places] == ["sure", "neat"]
    assert (places[1].verdict, places[1].decided_by) == ("mixed", "deviation")
    assert "Placed behind it, but better in deviation, beyond noise: neat." in statement(places)


def test_rank_by_chooses_the_figure() -> None:
    models: dict[str, tuple[float, float, float]] = {
        # lap time, deviation, inference
        "quick": (42.0, 0.08, 3.0),
        "neat": (56.0, 0.01, 2.0),
        "light": (48.0, 0.04, 0.3),
    }
    heat = heat_of(
        *(
            driven(model, [lap_s, lap_s + 0.1, lap_s + 0.2], off_m, inference_ms_mean=ms)
            for model, (lap_s, off_m, ms) in models.items()
        )
    )
    assert order(heat, "lap_time") == ["quick", "light", "neat"]
    assert order(heat, "speed") == ["quick", "light", "neat"]
    assert order(heat, "deviation") == ["neat", "light", "quick"]
    assert order(heat, "inference") == ["light", "neat", "quick"]
    for key in RANK_KEYS:
        assert sorted(order(heat, key)) == sorted(models)
    # Lap time decides where the chosen figure is level, deviation where lap time is too.
    assert order(heat, "frequency") == ["quick", "light", "neat"]
    with pytest.raises(UsageError, match="--rank-by beauty: no figure; choose one of lap_time, "):
        ranked_by("beauty")


def test_completion_comes_before_whatever_is_chosen() -> None:
    heat = heat_of(
        driven("sure", [48.0] * 3, deviation_m=0.3),
        driven("neat", [48.0, None, None], deviation_m=0.1),
    )
    for key in RANK_KEYS:
        assert order(heat, key) == ["sure", "neat"]


def test_every_circuit_weighs_the_same_and_lap_times_by_ratio() -> None:
    runs = [
        *driven("a", [40.0], circuit="simple_circuit"),
        *driven("a", [120.0], circuit="montreal"),
        # In sum slower; but 10 % quicker here, and only 5 % slower there.
        *driven("b", [36.0, 36.0, 36.0], circuit="simple_circuit"),
        *driven("b", [126.0], circuit="montreal"),
    ]
    (heat,) = pooled(heats(runs))
    a, b = sorted(heat.groups, key=lambda group: group.label)
    assert mean_over_courses(a, LAP_TIME) == pytest.approx((40.0 * 120.0) ** 0.5)
    assert mean_over_courses(b, LAP_TIME) == pytest.approx((36.0 * 126.0) ** 0.5)
    assert mean_over_courses(b, SPEED) == pytest.approx(400.0 / (36.0 * 126.0) ** 0.5)
    assert order(heat) == ["b", "a"]
    assert order(heat, "speed") == ["b", "a"]


def test_deviations_of_several_circuits_are_averaged_circuit_by_circuit() -> None:
    runs = [
        *driven("a", [40.0, 40.0, 40.0], 0.02, circuit="simple_circuit"),
        *driven("a", [120.0], 0.06, circuit="montreal"),
    ]
    (heat,) = pooled(heats(runs))
    assert mean_over_courses(heat.groups[0], DEVIATION) == pytest.approx(0.04)


def test_who_completes_no_lap_of_one_circuit_has_no_mean_over_all() -> None:
    runs = [
        *driven("a", [40.0], circuit="simple_circuit"),
        *driven("a", [None], circuit="montreal"),
    ]
    (heat,) = pooled(heats(runs))
    assert mean_over_courses(heat.groups[0], LAP_TIME) is None


def spot(label: str, speed_m_s: float, deviation_m: float, completes: bool = True) -> Spot:
    return Spot(label, speed_m_s, deviation_m, completes)


def test_the_front_holds_what_no_other_beats_in_both() -> None:
    found = [
        spot("slow and neat", 8.0, 0.01),
        spot("beaten in both", 9.0, 0.05),
        spot("beaten in one, level in the other", 10.0, 0.03),
        spot("between", 10.0, 0.02),
        spot("between too", 10.0, 0.02),
        spot("quick and wide", 10.5, 0.08),
        spot("quickest, but it crashes", 11.0, 0.001, completes=False),
    ]
    for shuffled in (found, found[::-1]):
        front = [each.label for each in pareto_front(shuffled)]
        assert front[0] == "slow and neat"
        assert set(front[1:3]) == {"between", "between too"}
        assert front[3:] == ["quick and wide"]
    assert front_statement(pareto_front(found[:1])).endswith("the quickest last: slow and neat.")
    assert pareto_front(()) == () and front_statement(()) == ""


def test_who_completes_less_often_is_no_part_of_the_front() -> None:
    heat = heat_of(
        driven("sure", [48.0] * 3, deviation_m=0.3),
        driven("quick", [40.0, None, None], deviation_m=0.1),
        driven("lost", [None, None, None]),
    )
    found = spots(rank(heat))
    assert [(each.label, each.completes) for each in found] == [("sure", True), ("quick", False)]
    assert [each.label for each in pareto_front(found)] == ["sure"]
