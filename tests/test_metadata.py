"""Name, version and what a package holds."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

import harness

PROJECT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())


def test_every_file_that_states_the_version_states_this_one() -> None:
    assert PYPROJECT["project"]["dynamic"] == ["version"]
    manifests = [PROJECT / "harness" / "package.xml", *PROJECT.glob("ros_ws/src/*/package.xml")]
    assert len(manifests) == 4
    stated = {str(path): ElementTree.parse(path).findtext("version") for path in manifests}
    stated["CITATION.cff"] = yaml.safe_load((PROJECT / "CITATION.cff").read_text())["version"]
    assert stated == dict.fromkeys(stated, harness.__version__)


def test_the_citation_has_what_its_format_asks_for() -> None:
    """https://github.com/citation-file-format: required keys, version 1.2.0."""
    citation = yaml.safe_load((PROJECT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["cff-version"] == "1.2.0"
    assert citation["license"] == PYPROJECT["project"]["license"]
    assert citation["abstract"] == PYPROJECT["project"]["description"]
    assert all(author["name"] for author in citation["authors"])


@pytest.mark.parametrize("words", [["--version"], ["--version", "lap"]])
def test_harness_says_its_version(words: list[str]) -> None:
    command = [sys.executable, str(PROJECT / "harness" / "bin" / "harness"), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (f"pitwall {harness.__version__}\n", "")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that pip would build of what git keeps, by the setuptools that is installed."""
    pytest.importorskip("setuptools", "77", reason="needs setuptools 77 or newer")
    folder = tmp_path_factory.mktemp("package")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=PROJECT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        target = folder / "source" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (PROJECT / name).is_symlink():
            target.symlink_to((PROJECT / name).readlink())
        elif (PROJECT / name).is_file():
            shutil.copy2(PROJECT / name, target)
    build = "import setuptools.build_meta as b; b.build_wheel('..')"
    done = subprocess.run(
        [sys.executable, "-c", build],
        cwd=folder / "source",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_holds_all_that_the_packages_hold(wheel: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())
    listed = ["git", "ls-files", "harness", "brains", "worlds"]
    kept = subprocess.run(listed, cwd=PROJECT, check=True, capture_output=True, text=True).stdout
    # A wheel holds no links: the files behind it stand there.
    wanted = set(kept.split()) - {"harness/launch"}
    wanted |= {f"harness/launch/{path.name}" for path in (PROJECT / "launch").iterdir()}
    assert wanted - packed == set()
    assert {name.partition("/")[0] for name in packed} == {
        *("harness", "brains", "worlds"),
        f"pitwall-{harness.__version__}.dist-info",
    }
    assert {f"{name}/py.typed" for name in ("harness", "brains", "worlds")} <= packed


def test_the_wheel_works_without_the_clone(wheel: Path, tmp_path: Path) -> None:
    package = tmp_path / "package"
    with zipfile.ZipFile(wheel) as content:
        content.extractall(package)
        metadata = content.read(f"pitwall-{harness.__version__}.dist-info/entry_points.txt")
    (entry,) = re.findall(r"^harness = (.*):(.*)$", metadata.decode(), re.MULTILINE)
    assert entry == ("harness.cli.main", "main")
    script = "import sys; sys.argv[0] = 'harness'; from harness.cli.main import main; main()"

    def said(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-P", "-c", script, *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(package)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert said("--version") == f"pitwall {harness.__version__}\n"
    models = {row["name"]: row for row in json.loads(said("models", "--json"))}
    assert models["tflite_dynamic"]["runnable"]
    checks = json.loads(said("check-brain", "tflite_dynamic", "--json"))
    assert all(check["passed"] for check in checks)
    assert "simple_circuit" in said("circuit", "list", "--json")
