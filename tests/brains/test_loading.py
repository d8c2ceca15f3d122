"""A user's own brains: found in the current folder, which may hold anything else."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from brains.availability import to_drive
from brains.catalogue import find_model, load_brain
from brains.check import check_brain
from brains.failures import as_brain_error
from harness.cli.main import build_app
from harness.errors import BrainError, DataError, PitwallError, UsageError, one_line

PROJECT = Path(__file__).parents[2]

Write = Callable[[str, str], Path]

MINE = """
from brains.interface import Brain, Command

class Mine(Brain):
    def predict(self, frame):
        return Command(7.0, 0.5)
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes a file of the folder in which the test is; its modules are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    path_before = list(sys.path)
    yield write
    assert sys.path == path_before
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


def test_own_brain_of_the_current_folder_and_what_it_imports(write: Write) -> None:
    write("helper_of_mine.py", "SPEED = 6.5\n")
    write("lazy_helper_of_mine.py", "TURN = 0.25\n")
    write(
        "mine.py",
        "from brains.interface import Brain, Command\nimport helper_of_mine\n"
        "class Mine(Brain):\n"
        "    @classmethod\n    def load(cls, model):\n"
        "        import lazy_helper_of_mine\n"
        "        brain = cls()\n        brain.turn = lazy_helper_of_mine.TURN\n"
        "        return brain\n"
        "    def predict(self, frame):\n        return helper_of_mine.SPEED, self.turn\n",
    )
    assert to_drive(find_model("mine:Mine")).ok
    assert load_brain("mine:Mine").postprocess((6.5, 0.25)).v_m_s == 6.5


def test_own_brain_of_the_users_python_path(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("else/where.py", MINE)
    write("else/random.py", "raise RuntimeError('the wrong module')\n")
    monkeypatch.setenv("PITWALL_OWN_PATH", f"/nowhere:{tmp_path / 'else'}")
    load_brain("where:Mine")
    # The programs of harness/bin hand it on: the user set PYTHONPATH.
    harness = [str(PROJECT / "harness" / "bin" / "harness"), "check-brain", "where:Mine"]
    monkeypatch.delenv("PITWALL_OWN_PATH")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'else'}:{PROJECT}")
    done = subprocess.run([sys.executable, *harness], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("mine:Missing", "has no class 'Missing'"),
        ("mine:Other", "not a Brain"),
        ("mine:Half", "Half is not finished: it must define predict"),
        ("mine:", "names no brain: write my_module:MyBrain"),
        (":Mine", "names no brain"),
        ("./mine:Mine", "names no brain"),
        (".mine:Mine", "names no brain"),
        ("no_such_module:Mine", "cannot import 'no_such_module'"),
        ("no_such.module:Mine", "cannot import 'no_such.module'"),
        ("mine.py:Mine", "cannot import 'mine.py'"),
    ],
)
def test_a_name_that_names_no_brain(write: Write, target: str, line: str) -> None:
    write("mine.py", MINE + "class Other:\n    pass\nclass Half(Brain):\n    pass\n")
    with pytest.raises(UsageError, match=line) as caught:
        load_brain(target)
    assert "\n" not in str(caught.value)


def test_case_16_nothing_in_the_folder_hides_a_module_of_python_or_pitwall(write: Write) -> None:
    for name in ("random.py", "json.py", "brains/__init__.py", "brains/f1/own.py", "numpy.py"):
        write(name, "raise RuntimeError('the wrong module')\n")
    write("mine.py", "import random, json, colorsys\nassert random.choice\n" + MINE)
    write("colorsys.py", "raise RuntimeError('the wrong module')\n")
    load_brain("mine:Mine")
    load_brain("explicit")


@pytest.mark.parametrize(
    ("files", "target", "line"),
    [
        ({"random.py": MINE}, "random:Mine", "random.py is hidden by Python's own module 'random'"),
        ({"yaml/own.py": MINE}, "yaml.own:Mine", "/yaml is hidden by the module 'yaml' in "),
        (
            {"brains/__init__.py": "", "brains/f1/own.py": MINE},
            "brains.f1.own:Mine",
            f"/brains is hidden by the module 'brains' in {PROJECT}/brains: rename it",
        ),
        (
            {"mine.py": "from random import steer\n" + MINE, "random.py": ""},
            "mine:Mine",
            "random.py is hidden by Python's own module 'random': rename it",
        ),
        (
            {"mine.py": "import brains.f1.own\n" + MINE, "brains/f1/own.py": ""},
            "mine:Mine",
            "/brains is hidden by the module 'brains'",
        ),
    ],
)
def test_case_16_a_file_that_was_meant_and_is_hidden_is_named(
    write: Write, files: dict[str, str], target: str, line: str
) -> None:
    for name, text in files.items():
        write(name, text)
    with pytest.raises((UsageError, BrainError), match=line) as caught:
        load_brain(target)
    assert "\n" not in str(caught.value)


def test_commands_and_children_run_in_any_folder(write: Write) -> None:
    for name in ("random.py", "typing.py", "harness.py", "brains/__init__.py", "brains/model.py"):
        write(name, "raise RuntimeError('the wrong module')\n")
    harness = [sys.executable, str(PROJECT / "harness" / "bin" / "harness")]
    for command in (["check-brain", "explicit"], ["evaluate", "explicit", "--output", "found"]):
        done = subprocess.run([*harness, *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    (row,) = json.loads(Path("found/evaluation.json").read_text())["rows"]
    # Its process was there to say so.
    assert "explicit is no network" in row["reason"]


FAILING = """
import sys
from brains.interface import Brain, Command

class Base(Brain):
    def predict(self, frame):
        return Command(7.0, 0.0)

class NoFile(Base):
    @classmethod
    def load(cls, model):
        return cls(open("weights.h5"))

class Wrong(Base):
    def __init__(self, path):
        pass

class Forgot(Base):
    @classmethod
    def load(cls, model):
        cls()

class Leaves(Base):
    @classmethod
    def load(cls, model):
        sys.exit("usage: brain [options]")

class Raises(Base):
    def predict(self, frame):
        raise ValueError("shapes (1, 3)\\nand (4,) differ")

class LeavesLater(Base):
    def predict(self, frame):
        sys.exit(3)

class Nonsense(Base):
    def predict(self, frame):
        return "left"

class NotFinite(Base):
    def predict(self, frame):
        return Command(float("nan"), 0.0)

class NoProof(Base):
    def proof(self):
        return None
"""

LOADING = [
    ("failing:NoFile", "FileNotFoundError: [Errno 2] No such file or directory: 'weights.h5'"),
    ("failing:Wrong", "TypeError: Wrong.__init__() missing 1 required positional argument: 'path'"),
    ("failing:Forgot", "failing:Forgot.load answered None: it must return the brain"),
    ("failing:Leaves", "SystemExit: usage: brain [options]"),
    ("broken:Mine", "RuntimeError: two lines"),
    ("needy:Mine", "ModuleNotFoundError: No module named 'framework_of_nobody'"),
    ("unwritten:Mine", "SyntaxError: '(' was never closed (unwritten.py, line 1)"),
]
ANSWERING = [
    ("failing:Raises", "ValueError: shapes (1, 3) and (4,) differ"),
    ("failing:LeavesLater", "SystemExit: 3"),
    ("failing:Nonsense", "Nonsense answered 'left', which is no command"),
    ("failing:NotFinite", "both values must be finite"),
]


@pytest.fixture
def failing(write: Write) -> None:
    write("failing.py", FAILING)
    write("broken.py", "raise RuntimeError('two\\nlines')\n")
    write("needy.py", "import framework_of_nobody\n" + MINE)
    write("unwritten.py", "def mine(\n")


@pytest.mark.parametrize(("target", "line"), LOADING)
def test_a_brain_whose_loading_fails_is_a_finding(failing: None, target: str, line: str) -> None:
    (check,) = check_brain(target)
    assert (check.name, check.passed) == ("loads", False)
    assert line in check.detail
    done = CliRunner().invoke(build_app(), ["check-brain", target, "--json"])
    assert done.exit_code == 1, done.output
    assert f"FAIL  loads: {check.detail}\n" == done.stderr
    assert json.loads(done.stdout) == [{"name": "loads", "passed": False, "detail": check.detail}]


@pytest.mark.parametrize(("target", "line"), ANSWERING)
def test_a_brain_whose_answer_fails_is_a_finding(failing: None, target: str, line: str) -> None:
    first, second, *_ = check_brain(target)
    assert first.passed
    assert (second.name, second.passed, line in second.detail) == ("warms up", False, True)


@pytest.mark.parametrize(
    ("target", "line"), [*LOADING, *ANSWERING, ("failing:NoProof", "TypeError: 'NoneType'")]
)
def test_profile_of_a_failing_brain_is_one_line_and_exit_code_6(
    failing: None, target: str, line: str
) -> None:
    done = CliRunner().invoke(build_app(), ["profile", target, "--frames", "1"])
    assert isinstance(done.exception, BrainError), done.output
    assert line in str(done.exception)
    assert "\n" not in str(done.exception)
    assert done.exception.exit_code == 6
    assert not list(Path.cwd().glob("*.json"))


def test_what_a_brain_says_is_missing_stays_what_it_is(write: Write) -> None:
    write(
        "says.py",
        "from harness.errors import DataError\n"
        + MINE
        + "    @classmethod\n    def load(cls, model):\n"
        + "        raise DataError('net.onnx is no network')\n",
    )
    with pytest.raises(DataError, match=r"^net\.onnx is no network$"):
        list(check_brain("says:Mine"))


def test_any_error_is_one_line() -> None:
    assert one_line(ValueError()) == "ValueError"
    assert one_line(ValueError("two\n  lines")) == "ValueError: two lines"
    with pytest.raises(BrainError, match=r"^KeyError: 'v'$"), as_brain_error():
        raise KeyError("v")
    with pytest.raises(PitwallError, match=r"^as it is$"), as_brain_error():
        raise PitwallError("as it is")
    with pytest.raises(KeyboardInterrupt), as_brain_error():
        raise KeyboardInterrupt
