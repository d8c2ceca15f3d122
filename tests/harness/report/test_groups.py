"""What makes runs comparable is what they were asked."""

from pathlib import Path
from typing import Any

import pytest

from harness.recording.results import RESULT_NAME
from harness.report.found import find_runs
from harness.report.groups import Conditions, Run, heats
from tests.harness.recording.test_results import make_result, version_1


def titles(*runs: Run) -> list[str]:
    return [heat.conditions.title for heat in heats(runs)]


@pytest.mark.parametrize(
    ("arguments", "setting"),
    [
        ({"timeout": 15.0}, "timeout=15.0"),
        ({"image_height": 240}, "image_height=240"),
        ({"antialiasing": 0}, "antialiasing=0"),
        ({"appearance": 7}, "random appearance"),
        # Of a version to come: nobody here knows what it does to the driving.
        ({"fog": 4}, "fog=4"),
        ({"fog": False}, "fog=false"),
    ],
)
def test_an_argument_that_changes_what_is_driven_makes_a_table(
    arguments: dict[str, Any], setting: str
) -> None:
    usual, other = make_result(), make_result(arguments=arguments)
    assert titles(Run("a", usual), Run("b", other)) == [
        "simple_circuit; 1 lap; realtime",
        f"simple_circuit; 1 lap; realtime; {setting}",
    ]


def test_an_imported_world_stands_beside_no_other() -> None:
    looks = [make_result().model_copy(update={"world_sha256": s}) for s in (None, "ab" * 32)]
    looks.append(looks[1].model_copy(update={"world_sha256": "cd" * 32}))
    assert titles(*(Run(str(i), look) for i, look in enumerate(looks))) == [
        "simple_circuit; 1 lap; realtime",
        "simple_circuit; 1 lap; realtime; world abababab",
        "simple_circuit; 1 lap; realtime; world cdcdcdcd",
    ]


@pytest.mark.parametrize(
    "arguments",
    [{"seed": 3}, {"start": "12.5"}, {"record_camera": True}, {"gui": True}, {"output": "/x"}],
)
def test_what_only_tells_repetitions_apart_makes_none(arguments: dict[str, Any]) -> None:
    other = make_result(arguments=arguments, seed=arguments.get("seed", 0))
    assert len(titles(Run("a", make_result()), Run("b", other))) == 1


def test_looks_and_seeds_pair_the_runs_of_two_models() -> None:
    def runs(model: str, looks: list[int]) -> list[Run]:
        return [
            Run(f"{model}{look}", make_result(model=model, arguments={"appearance": look}))
            for look in looks
        ]

    (heat,) = heats([*runs("a", [1, 2]), *runs("b", [2, 3])])
    first, second = (group.pairs() for group in heat.groups)
    assert {pair.appearance for pair in first.keys() & second.keys()} == {2}


def test_a_result_of_version_1_stands_with_those_of_today(tmp_path: Path) -> None:
    for name, text in (("old", version_1()), ("new", make_result().to_json())):
        (tmp_path / name).mkdir()
        (tmp_path / name / RESULT_NAME).write_text(text)
    found = find_runs([tmp_path])
    assert found.notes == ()
    assert titles(*found.runs) == ["simple_circuit; 1 lap; realtime"]


def test_runs_that_do_not_say_what_was_asked_stand_alone(tmp_path: Path) -> None:
    texts = {
        "known": make_result().to_json(),
        "torn": version_1(command='roslaunch harness circuit.launch "model:=a'),
        "other": version_1(command="true"),
    }
    for name, text in texts.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / RESULT_NAME).write_text(text)
    found = find_runs([tmp_path])
    assert titles(*found.runs) == [
        "simple_circuit; 1 lap; realtime",
        "simple_circuit; 1 lap; realtime; arguments unknown (other)",
        "simple_circuit; 1 lap; realtime; arguments unknown (torn)",
    ]
    assert [note.split()[0] for note in found.notes] == ["other", "torn"]
    assert all("its command does not tell its arguments" in note for note in found.notes)
    known, other, _ = heats(found.runs)
    assert len(known.groups[0].pairs()) == 1
    assert other.groups[0].pairs() == {}


def test_conditions_are_equal_whatever_the_profile_s_file() -> None:
    first, second = (
        Conditions.of(Run(name, make_result(clock="lockstep", latency=f"profile:/{name}.json")))
        for name in ("a", "b")
    )
    assert first == second
