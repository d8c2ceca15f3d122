"""Every example of every document: it parses, names what there is, and does what is said of it."""

import os
import re
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
import yaml
from typer.core import TyperGroup

from brains.artifacts import weights_dir
from brains.card import card_of
from brains.catalogue import OwnModels, model_names
from brains.source import SourceKind, kind_of
from brains.training.dataset import write_dataset
from brains.training.recorded import Run
from brains.training.whole_frames import read_whole_frames
from harness.batch.plan import group, read_plan
from harness.cli.main import build_app
from harness.errors import DataError
from harness.setup.venv import known_extras
from harness.spec.check import SPECS
from tests.docs.examples import DOCUMENTS, PROJECT, Block, blocks, blocks_of, commands, mentions
from worlds.circuit import built_in_names

# Services of compose.yaml that hand their words to a command.
SERVICES = {
    **{name: [name] for name in ("lap", "batch", "report")},
    **{name: [] for name in ("harness", "nvidia")},
}


def name_of(document: Path) -> str:
    return str(document.relative_to(PROJECT))


def is_open(word: str) -> bool:
    """Whether the reader is to put something else there: MODEL, PORT, my_module:MyBrain, ..."""
    return word.isupper() or ":" in word or "..." in word


def is_the_readers(name: str) -> bool:
    """Whether a model is one that the reader brings, by a card or as a class."""
    return is_open(name) or name.startswith("my_")


def ours(found: Iterator[list[str]]) -> Iterator[list[str]]:
    """What `harness` is given, by way of a container too."""
    for words in found:
        match [word for word in words if word != "--rm"]:
            case ["harness", *rest] if rest:
                yield rest
            case ["docker", "compose", "run", service, *rest] if service in SERVICES:
                yield [*SERVICES[service], *rest]


def resolved(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the words name, and those that are left to it."""
    command, rest = typer.main.get_command(build_app()), list(words)
    while isinstance(command, TyperGroup) and rest and not rest[0].startswith("-"):
        assert rest[0] in command.commands, f"harness {' '.join(words)}: no such command"
        command = command.commands[rest.pop(0)]
    return command, rest


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_mentioned_commands_and_options_are_those_that_there_are(document: Path) -> None:
    for words in ours(mentions(document)):
        if not is_open(words[0]):
            command, rest = resolved(words)
            known = {option for parameter in command.params for option in parameter.opts}
            known |= {"--help"}
            assert {word for word in rest if word.startswith("-")} <= known, words


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_commands_of_harness_are_those_that_there_are(document: Path) -> None:
    own = {row["name"] for row in rows_of(document)}
    circuits = set(built_in_names())
    for words in ours(commands(document)):
        command, rest = resolved(words)
        try:
            found = command.make_context(str(command.name), rest).params
        except Exception as error:
            pytest.fail(f"harness {' '.join(words)}: {error}")
        models = {found.get("model")} if isinstance(found.get("model"), str) else set()
        if words[0] in ("optimize", "evaluate"):
            models |= set(found.get("names") or found.get("models") or [])
        known = {*model_names(), *own, *cards(), "all", "expert"}
        assert {name for name in models if name and not is_the_readers(name)} <= known, words
        circuit = found.get("circuit")
        if isinstance(circuit, str) and not is_open(circuit):
            assert circuit in circuits, words
        if words[:2] == ["circuit", "add"]:
            circuits.add(found["name"] or found["source"].stem)
        if words[:2] == ["circuit", "import"]:
            circuits.add(found["name"] or f"original_{Path(found['world']).stem}")


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_roslaunch_is_given_arguments_that_there_are(document: Path) -> None:
    for words in [*commands(document), *mentions(document)]:
        plain = [word for word in words if not word.startswith("-") and not is_open(word)]
        if plain[:2] != ["roslaunch", "harness"] or len(plain) == 2:
            continue
        pairs = dict(word.split(":=", 1) for word in words if ":=" in word)
        spec = SPECS[plain[2]].checked({k: v for k, v in pairs.items() if not is_open(v)})
        model = getattr(spec, "model", None)
        assert model in model_names() or is_the_readers(str(model)), words


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_targets_and_extras_of_make_are_those_that_there_are(document: Path) -> None:
    targets = set(re.findall(r"^(\w+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    for words in [*commands(document), *mentions(document)]:
        if words[0] != "make":
            continue
        for word in words[1:]:
            name, _, value = word.partition("=")
            if name == "EXTRAS":
                extras = {extra for extra in value.split(",") if not is_open(extra)}
                assert extras <= set(known_extras(PROJECT)), words
            elif "=" not in word and not is_open(word):
                assert word in targets, words


def yaml_blocks() -> list[tuple[Path, Block]]:
    return [(d, b) for d in DOCUMENTS for b in blocks(d) if b.language == "yaml"]


def rows_of(document: Path) -> list[dict[str, str]]:
    """Rows of own models that a document shows."""
    contents = [yaml.safe_load(b.text) for b in blocks(document) if b.language == "yaml"]
    rows = [row for content in contents for row in content.get("models", [])]
    return [row for row in rows if isinstance(row, dict)]


def cards() -> list[str]:
    """Files of networks' cards that the documents show."""
    shown = [block for _, block in yaml_blocks()]
    return [str(b.file) for b in shown if "network" in yaml.safe_load(b.text)]


@pytest.mark.parametrize(("document", "block"), yaml_blocks(), ids=lambda x: getattr(x, "stem", ""))
def test_files_of_yaml_are_read(document: Path, block: Block, tmp_path: Path) -> None:
    content = yaml.safe_load(block.text)
    if "network" in content:
        card_of(block.text, Path(str(block.file)))
        return
    if rows_of(document):
        OwnModels.model_validate(content)
        return
    plan = tmp_path / "plan.yaml"
    plan.write_text(block.text)
    for part in read_plan(plan).blocks:
        assert all(group(name) or name in model_names() for name in part.models)


def test_every_python_block_is_run_by_a_test() -> None:
    shown = [name_of(d) for d in DOCUMENTS for b in blocks(d) if b.language == "python"]
    assert shown == [
        "docs/guides/models.md",
        "docs/guides/own_brain.md",
        "docs/guides/training.md",
    ]


LAPS_LEFT_OUT = 'harness() { [ "$1" = lap ] || command harness "$@"; }; roslaunch() { :; }\n'


def run_block(text: str, folder: Path, *, prelude: str = LAPS_LEFT_OUT, **variables: str) -> str:
    """Carries out a block of shell, all but the laps; what it printed."""
    done = subprocess.run(
        ["bash", "-e", "-c", prelude + text],
        cwd=folder,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_own_brain_as_the_guide_has_it(tmp_path: Path) -> None:
    (code,) = blocks_of("own_brain.md", "python")
    assert code.file == "my_module.py"
    (tmp_path / code.file).write_text(code.text)
    printed = "".join(run_block(block.text, tmp_path) for block in blocks_of("own_brain.md", "sh"))
    assert printed.count("PASS") == 9
    assert "FAIL" not in printed
    assert '"passed": true' in run_block("harness check-brain my_module:MyBrain --json", tmp_path)


def test_own_network_as_the_guide_has_it(tmp_path: Path) -> None:
    card, _, rows = blocks_of("models.md", "yaml")
    assert (card.file, rows.file) == ("my_net.yaml", "my_models.yaml")
    kept = (weights_dir() / "pilotnet_dynamic.tflite").read_bytes()
    (tmp_path / "my_net.tflite").write_bytes(kept)
    add, check = (b for b in blocks_of("models.md", "sh") if "my_net" in b.text)
    printed = run_block(add.text, tmp_path)
    shown = next(b.text for b in blocks_of("models.md", "") if "wrote my_net.yaml" in b.text)
    assert printed.startswith(shown)
    blanks = "fill in what is marked"
    with pytest.raises(DataError, match=blanks):
        card_of((tmp_path / "my_net.yaml").read_text(), tmp_path / "my_net.yaml")
    (tmp_path / "my_net.yaml").write_text(card.text)
    printed = run_block(check.text, tmp_path)
    assert "PASS  proof says what runs: ai-edge-litert" in printed
    assert "FAIL" not in printed
    (code,) = blocks_of("models.md", "python")
    assert code.file == "my_net.py"
    (tmp_path / code.file).write_text(code.text)
    (tmp_path / "my_models.yaml").write_text(rows.text)
    printed = run_block("harness check-brain my_own", tmp_path, PITWALL_MODELS="my_models.yaml")
    assert "PASS  proof says what runs: my_net:MyNet" in printed
    assert "FAIL" not in printed


@pytest.mark.skipif(not find_spec("tf_keras"), reason="needs the extra tf")
def test_own_training_as_the_guide_has_it(tmp_path: Path) -> None:
    """Word for word, but on the frames kept in git, and for one short epoch."""
    (code,) = blocks_of("training.md", "python")
    (card,) = blocks_of("training.md", "yaml")
    for block in (code, card):
        (tmp_path / str(block.file)).write_text(block.text)
    write_small_data_set(tmp_path / "data" / "set")
    short = 'harness() { [ "$1" != train ] || command harness "$@" --epochs 1; }\n'
    (shell,) = (b for b in blocks_of("training.md", "sh") if "harness train" in b.text)
    printed = run_block(shell.text, tmp_path, prelude=short)
    assert "epoch 1: loss" in printed
    assert kind_of(tmp_path / "my_net.h5") == SourceKind.KERAS2


def write_small_data_set(folder: Path) -> None:
    """A data set of frames kept in git: each circuit's are a run."""
    kept = read_whole_frames("check")
    labels = np.asarray(kept.labels)
    circuits = np.repeat(kept.circuits, [len(rows) for rows in kept.sequences])
    runs = []
    for circuit in np.unique(circuits):
        rows = np.flatnonzero(circuits == circuit).tolist()
        encoded = [kept.frames.encoded[row] for row in rows]
        runs.append(Run(circuit, "one", "forward", encoded, labels[rows], np.empty(0, np.int64)))
    list(write_dataset(runs, folder))


def test_what_is_found_in_a_document(tmp_path: Path) -> None:
    document = tmp_path / "guide.md"
    document.write_text(
        "Save as `a.py`, run `harness lap --model a:A` or `rm`:\n\n"
        "```python\nx = 1\n```\n\n"
        "    A=1 harness lap \\\n        --laps 2  # two\n\n"
        "```sh\nmake setup EXTRAS=tf && source env.sh\nharness doctor > file; (cd x)\n```\n"
    )
    assert [(b.language, b.file) for b in blocks(document)] == [
        ("python", "a.py"),
        ("sh", "a.py"),
        ("sh", "a.py"),
    ]
    assert list(commands(document)) == [
        ["harness", "lap", "--laps", "2"],
        ["make", "setup", "EXTRAS=tf"],
        ["source", "env.sh"],
        ["harness", "doctor"],
        ["file"],
        ["cd", "x"],
    ]
    assert ["harness", "lap", "--model", "a:A"] in list(mentions(document))
    with pytest.raises(AssertionError, match="no such command"):
        resolved(["drive", "--fast"])
