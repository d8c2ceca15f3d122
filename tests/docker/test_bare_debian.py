"""What the trial in a bare Debian decides before it makes one, its errors, and what it reads."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from harness.paths import project_root

SCRIPT = project_root() / "docker" / "bare_debian.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bare_debian", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["admin"], 2, "error: unknown step admin; known: root, user\n"),
        (["root"], 4, "error: missing here: apt-get install git mmdebstrap python3-pip\n"),
    ],
)
def test_errors_are_one_line_and_nothing_is_written(
    tmp_path: Path, arguments: list[str], code: int, line: str
) -> None:
    storage = tmp_path / "roots"
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments, "--storage", str(storage)],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (code, line)
    assert not storage.exists()


def test_nothing_of_this_machines_pip_goes_in_but_its_certificates(script: ModuleType) -> None:
    environment = {
        "PIP_FIND_LINKS": "/wheels",
        "PIP_CERT": "/ours.pem",
        "https_proxy": "http://proxy.example:3128",
        "PATH": "/ours",
    }
    proxy = {"https_proxy": "http://proxy.example:3128"}
    assert script.network(environment, certificates=False) == proxy
    assert script.network(environment, certificates=True) == {
        **proxy,
        "PIP_CERT": "/etc/ssl/certs/of-the-machine.pem",
    }


def test_the_command_runs_in_the_users_clone(script: ModuleType) -> None:
    words = script.entered(Path("/roots/one"), "driver", {"TESTS": "a b"}, "exec make test")
    assert words[2:] == [
        *("/roots/one", "driver", "env", "TESTS=a b"),
        *("sh", "-c", "cd ~/pitwall && exec make test"),
    ]


def test_the_last_line_of_each_process_of_tests_is_told(script: ModuleType) -> None:
    log = (
        "===== test session starts =====\n"
        "collected 3 items\n"
        "== 2 passed, 1 skipped in 5.10s ==\n"
        "FAILED tests/test_a.py - 3 passed in the end\n"
        "==== 12 passed in 61.00s (0:01:01) ====\n"
    )
    assert script.summaries(log) == [
        "2 passed, 1 skipped in 5.10s",
        "12 passed in 61.00s (0:01:01)",
    ]
