"""Examines this machine: simulator, ROS, backends, GPU, ports, disk."""

import importlib.util
import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

from pydantic import BaseModel

from brains import availability
from brains.catalogue import default_model, read_catalogue
from brains.environment import variable
from brains.gpu import nvidia_gpus
from brains.gpu_probe import PROBES
from harness.errors import UnavailableError
from harness.paths import project_root, recordings_root
from harness.setup import sandbox

_ROS_MODULES = ("rospy", "rosbag", "roslaunch", "sensor_msgs", "nav_msgs", "geometry_msgs")
_MASTER_PORT = 11311
_DISK_GIB = 5.0


class Finding(BaseModel):
    """One thing looked at.

    Attributes:
        what: the thing.
        ok: whether it is as it should be.
        found: what there is.
        mend: what to do where it is not ok; empty where it is.
        needed: whether a lap of the default model needs it.
    """

    what: str
    ok: bool
    found: str
    mend: str = ""
    needed: bool = True


def examine() -> list[Finding]:
    """Looks at everything a lap needs, and at what single models need besides."""
    return [
        _simulator(),
        _folder("plugins and messages", "PITWALL_WORKSPACE", "lib/libf1_gazebo_api.so"),
        _ros(),
        _messages(),
        _sandbox(),
        _port(),
        _disk(),
        _gpu(),
        *(finding for name in PROBES for finding in _environment(name)),
        *_models(),
    ]


def _simulator() -> Finding:
    if shutil.which("gzserver"):
        return Finding(what="Gazebo 11", ok=True, found="this machine's own gzserver")
    return _folder("Gazebo 11", "PITWALL_SIM_ROOT", "usr/bin/gzserver")


def _folder(what: str, variable: str, file: str) -> Finding:
    folder = os.environ.get(variable, "")
    ok = bool(folder) and (Path(folder) / file).exists()
    found = folder if ok else f"${variable} = {folder or '(not set)'}, no {file}"
    return Finding(what=what, ok=ok, found=found, mend="" if ok else _SET_UP)


_SET_UP = "make setup && source env.sh"


def _ros() -> Finding:
    lacking = [name for name in _ROS_MODULES if importlib.util.find_spec(name) is None]
    return Finding(
        what="ROS Noetic (Python)",
        ok=not lacking,
        found=f"no {', '.join(lacking)}" if lacking else "rospy, rosbag, roslaunch, messages",
        mend=_SET_UP if lacking else "",
    )


def _messages() -> Finding:
    lacking = [n for n in ("gazebo_msgs", "harness_msgs") if importlib.util.find_spec(n) is None]
    return Finding(
        what="built messages",
        ok=not lacking,
        found=f"no {', '.join(lacking)}" if lacking else "gazebo_msgs, harness_msgs",
        mend=_SET_UP if lacking else "",
    )


def _sandbox() -> Finding:
    what = "bubblewrap"
    try:
        options = sandbox.proc_options()
    except UnavailableError as error:
        found, _, mend = str(error).rpartition("; ")
        return Finding(what=what, ok=False, found=found, mend=mend)
    found = (
        f"{shutil.which('bwrap')}, {'/proc of its own' if '--proc' in options else 'outer /proc'}"
    )
    return Finding(what=what, ok=True, found=found)


def _port() -> Finding:
    """A busy standard port is no fault: `harness lap` takes its own; plain roslaunch shares it."""
    with socket.socket() as probe:
        busy = probe.connect_ex(("127.0.0.1", _MASTER_PORT)) == 0
    return Finding(
        what=f"port {_MASTER_PORT} (roslaunch)",
        ok=not busy,
        found="in use: another ROS master" if busy else "free",
        mend="roslaunch -p PORT harness circuit.launch ..." if busy else "",
        needed=False,
    )


def _disk() -> Finding:
    folder = recordings_root()
    while not folder.exists():
        folder = folder.parent
    free_gib = shutil.disk_usage(folder).free / 2**30
    ok = free_gib >= _DISK_GIB
    return Finding(
        what="disk for recordings",
        ok=ok,
        found=f"{free_gib:.1f} GiB free at {folder}",
        mend="" if ok else f"free {_DISK_GIB:g} GiB, or set PITWALL_RECORDINGS to another disk",
    )


def _gpu() -> Finding:
    gpus = nvidia_gpus()
    return Finding(
        what="NVIDIA GPU",
        ok=bool(gpus),
        found="; ".join(gpus) or "none",
        mend="" if gpus else "only TensorRT and CUDA models need one; docs/guides/gpu.md",
        needed=False,
    )


def _environment(name: str) -> list[Finding]:
    """What the engines in an environment of their own say; nothing where it is not set up."""
    folder = os.environ.get(variable(name))
    if not folder:
        return []
    done = subprocess.run(
        [f"{folder}/bin/python3", "-m", "brains.gpu_probe", name],
        cwd=project_root(),
        check=False,
        capture_output=True,
        text=True,
    )
    mend = f"make setup EXTRAS={name}; for the driver ask your system's administrator"
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["it printed nothing"]
        return [Finding(what=name, ok=False, found=last[0], mend=mend, needed=False)]
    return [
        Finding(what=f"{name}: {what}", ok=ok, found=said, mend="" if ok else mend, needed=False)
        for what, ok, said in json.loads(done.stdout)
    ]


def _models() -> list[Finding]:
    findings = []
    for model in read_catalogue().models:
        found = availability.to_drive(model)
        findings.append(
            Finding(
                what=f"model {model.name}",
                ok=found.ok,
                found="runs here" if found.ok else "does not run here",
                mend=found.reason or "",
                needed=model.name == default_model(),
            )
        )
    return findings
