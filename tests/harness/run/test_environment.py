"""A run depends on nothing of the user's shell but what is documented."""

import os
import subprocess
import sys
from pathlib import Path

from harness.run.environment import own_settings, ros_settings, run_environment

PROJECT = Path(__file__).parents[3]

# What robots, conda, snaps and habits leave in a shell.
ROBOT_SHELL = {
    "ROS_HOSTNAME": "robot.local",
    "ROS_IPV6": "on",
    "ROS_NAMESPACE": "robot",
    "ROS_HOME": "/nowhere",
    "ROS_LOG_DIR": "/nowhere",
    "ROS_IP": "10.1.2.3",
    "ROS_MASTER_URI": "http://robot.local:11311",
    "ROS_PACKAGE_PATH": "/nowhere",
    "ROSCONSOLE_CONFIG_FILE": "/nowhere",
    "PYTHONHOME": "/nowhere",
    "PYTHONWARNINGS": "error",
    "PYTHONPATH": "/own/modules",
    "PATH": "/opt/conda/bin",
    "PITWALL_WORKSPACE": "/cache/workspace",
    "LANG": "de_DE.ISO-8859-1",
}


def test_case_17_a_robots_shell_does_not_reach_a_run() -> None:
    found = run_environment(ROBOT_SHELL, Path("/run/logs"), "a run", 4242)
    settings = {name: value for name, value in found.items() if name.startswith("ROS")}
    assert settings == {
        "ROS_DISTRO": "noetic",
        "ROS_ETC_DIR": "/etc/ros",
        "ROS_HOME": "/run/logs",
        "ROS_IP": "127.0.0.1",
        "ROS_LOG_DIR": "/run/logs",
        "ROS_MASTER_URI": "http://127.0.0.1:4242",
        "ROS_PACKAGE_PATH": f"{PROJECT}/harness:/cache/workspace/share:/usr/share",
        "ROS_ROOT": "/usr/share/ros",
        "ROS_VERSION": "1",
    }
    assert found["PITWALL_RUN_ID"] == "a run"


def test_our_python_and_our_packages_come_first() -> None:
    found = own_settings(ROBOT_SHELL)
    python = str(Path(sys.executable).parent)
    assert found["PATH"].split(":") == [
        f"{PROJECT}/harness/bin",
        *dict.fromkeys([python, "/usr/bin", "/opt/conda/bin"]),
    ]
    # A user's own folders are for own brains alone: a random.py there must not end every node.
    assert found["PYTHONPATH"] == f"{PROJECT}:/cache/workspace/lib/python3/dist-packages"
    assert found["PITWALL_OWN_PATH"] == "/own/modules"
    assert own_settings(found)["PITWALL_OWN_PATH"] == "/own/modules"
    assert {name for name in found if name.startswith("PYTHON")} == {"PYTHONPATH", "PYTHONUTF8"}
    assert found["LANG"] == "de_DE.ISO-8859-1"


def test_env_sh_says_the_same_of_ros(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    (clone / ".pitwall").mkdir(parents=True)
    (clone / ".pitwall" / "env").write_text("export PITWALL_WORKSPACE=/w PITWALL_VENV=/v\n")
    (clone / "env.sh").write_text((PROJECT / "env.sh").read_text())
    shell = {**os.environ, **ROBOT_SHELL}
    shell.pop("ROS_MASTER_URI")
    said = subprocess.run(
        ["bash", "-c", ". ./env.sh && env"],
        cwd=clone,
        env={**shell, "PATH": "/usr/bin:/bin"},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found = dict(line.split("=", 1) for line in said.splitlines() if line.startswith("ROS_"))
    expected = {
        name: value.replace(str(PROJECT), str(clone)) for name, value in ros_settings("/w").items()
    }
    assert found == {**expected, "ROS_MASTER_URI": "http://127.0.0.1:11311"}
