"""A real lap in a hostile shell: nothing of it but what is documented reaches a run."""

import json
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.setup.cache import cache_root

PROJECT = Path(__file__).parents[2]
NOBODY = 65534

HOSTILE = {
    **dict.fromkeys(("ROS_HOSTNAME", "ROS_IPV6", "ROS_NAMESPACE", "ROS_HOME"), "/non/sense"),
    **dict.fromkeys(("ROS_LOG_DIR", "ROS_MASTER_URI", "ROS_ROOT", "ROS_PACKAGE_PATH"), "nonsense"),
    **dict.fromkeys(("ROS_DISTRO", "ROS_ETC_DIR", "ROS_IP", "ROS_VERSION"), "nonsense"),
    **dict.fromkeys(("ROSCONSOLE_CONFIG_FILE", "ROS_PYTHON_LOG_CONFIG_FILE"), "nonsense"),
    **dict.fromkeys(("PYTHONWARNINGS", "PYTHONSTARTUP", "PYTHONPATH"), "nonsense"),
    **dict.fromkeys(("HOME", "TMPDIR", "DISPLAY", "XAUTHORITY"), "/non/existent"),
    **dict.fromkeys(("GAZEBO_MASTER_URI", "GAZEBO_MODEL_PATH", "GAZEBO_PLUGIN_PATH"), "nonsense"),
    **dict.fromkeys(("LANG", "LC_ALL"), "xx_YY.nonsense"),
    **dict.fromkeys(("MPLBACKEND", "MPLCONFIGDIR", "GIT_DIR", "XDG_CACHE_HOME"), "/non/sense"),
}


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can enter and write; pytest's own is closed to others."""
    with tempfile.TemporaryDirectory(prefix="pitwall-test-", dir="/var/tmp") as name:
        Path(name).chmod(0o777)
        yield Path(name)


@pytest.fixture
def hostile_folder(open_folder: Path) -> Path:
    """Where the shell stands: modules that hide Python's own, and a package that hides ours."""
    folder = open_folder / "a b 'ü\""
    (folder / "brains").mkdir(parents=True)
    folder.chmod(0o777)
    (folder / "brains" / "__init__.py").touch()
    for name in ("random", "queue", "numpy", "rospy", "harness"):
        (folder / f"{name}.py").write_text("raise RuntimeError('the wrong module')\n")
    return folder


@pytest.mark.parametrize("user", ["root", "nobody"])
def test_cases_16_to_18_a_hostile_shell_drives_the_same_lap(
    open_folder: Path, hostile_folder: Path, short_circuit: str, user: str
) -> None:
    if os.geteuid() != 0 and user != "root":
        pytest.skip("only root can become another user")
    recording = hostile_folder / "recording"
    recordings = open_folder / "recordings"
    circuit = shutil.copy(short_circuit, open_folder)
    words = ["harness", "lap", "--model", "explicit", "--circuit", str(circuit)]
    words += ["--clock", "lockstep", "--latency", "fixed:20", "--output", str(recording)]
    shell = {**os.environ, **HOSTILE, "PITWALL_RECORDINGS": str(recordings)}
    command = words if user == "root" else as_nobody(words)
    done = subprocess.run(
        command, cwd=hostile_folder, env=shell, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    result = json.loads((recording / "result.json").read_text())
    assert result["outcome"] == "completed"
    assert (recording / "report.html").is_file()
    assert recording.stat().st_uid == (os.geteuid() if user == "root" else NOBODY)


def as_nobody(words: list[str]) -> list[str]:
    """A command line that runs another one as a user without any rights.

    The set-up's cache lies in a home that this user can't enter: in a mount namespace of its own it
    stands in an empty one.
    """
    cache = cache_root()
    closed = [folder for folder in (*cache.parents, cache) if not folder.stat().st_mode & 0o001]
    if any(not folder.stat().st_mode & 0o001 for folder in PROJECT.parents):
        pytest.skip(f"{PROJECT} lies in a folder that other users can't enter")
    become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *words]
    if not closed:
        return become
    home = closed[-1]
    script = f"""
    set -e
    kept=$(mktemp -d /run/pitwall-test-XXXXXX)
    mount --bind {shlex.quote(str(cache))} "$kept"
    mount -t tmpfs -o mode=755 none {shlex.quote(str(home))}
    mkdir -p {shlex.quote(str(cache))}
    mount --move "$kept" {shlex.quote(str(cache))}
    rmdir "$kept"
    exec {shlex.join(become)}
    """
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script]
