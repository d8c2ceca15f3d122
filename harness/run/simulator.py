"""Starts and ends Gazebo, in the simulator root or as the machine has it. Imports no ROS."""

import os
import shutil
import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness.errors import DataError, UnavailableError
from harness.run.environment import LOOPBACK
from harness.run.processes import RUN_ID
from harness.setup import sandbox

_SCRIPT = Path(__file__).with_name("simulator.sh")
_SCRIPT_GRACE_S = 2.0  # simulator.sh kills gzserver 1 s after it was asked to end
# Inside the root, where the caller's own folders may lie below what the root itself has (/usr).
_WORLD_INSIDE = Path("/run/pitwall/world")
_WORKSPACE_INSIDE = Path("/run/pitwall/workspace")


def free_port() -> int:
    """A TCP port that was free a moment ago on the loopback interface."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Simulator:
    """How to start one gzserver.

    Attributes:
        world: the .world file; its meshes lie in its folder or below.
        workspace: install prefix of the built catkin workspace (PITWALL_WORKSPACE).
        root: simulator root (PITWALL_SIM_ROOT); None: the machine's own Gazebo.
        gazebo_port: port of Gazebo's own master.
        ros_master_uri: where roscore listens.
        gui: show the window on the display of the caller instead of a virtual one.
        seed: of Gazebo's random numbers (the contact solver draws from them).
        proc: bubblewrap's options for /proc.
    """

    world: Path
    workspace: Path
    root: Path | None
    gazebo_port: int
    ros_master_uri: str
    gui: bool = False
    seed: int = 1
    proc: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, world: Path, *, gui: bool = False, seed: int = 1) -> "Simulator":
        """A simulator as the environment describes it, on a free Gazebo port.

        Raises:
            DataError: there is no such world file.
            UnavailableError: the workspace, the simulator or a display is missing, or the root
                can't be entered.
        """
        if not world.is_file():
            raise DataError(f"there is no world file {world}; `harness circuit` makes one")
        workspace = os.environ.get("PITWALL_WORKSPACE", "")
        if not Path(workspace, "lib", "libf1_gazebo_api.so").is_file():
            raise UnavailableError(
                f"no simulator plugins in PITWALL_WORKSPACE={workspace!r}; "
                "run `make setup`, then `source env.sh`"
            )
        if gui and not os.environ.get("DISPLAY"):
            raise UnavailableError("gui:=true needs a display, but DISPLAY is not set")
        root = simulator_root_in_use()
        return cls(
            world=world.resolve(),
            workspace=Path(workspace).resolve(),
            root=root,
            gazebo_port=free_port(),
            ros_master_uri=os.environ.get("ROS_MASTER_URI", f"http://{LOOPBACK}:11311"),
            gui=gui,
            seed=seed,
            proc=() if root is None else sandbox.proc_options(),
        )

    def command(self) -> list[str]:
        """The command line that runs the simulator until its standard input ends."""
        script = ["/bin/bash", "-c", _SCRIPT.read_text(encoding="utf-8"), "simulator"]
        world = self.world if self.root is None else _WORLD_INSIDE / self.world.name
        arguments = [str(world), "true" if self.gui else "false", str(self.seed)]
        sandbox = [] if self.root is None else self._enter(self.root)
        return [*sandbox, *script, *arguments]

    def environment(self) -> dict[str, str]:
        """The whole environment of the simulator: nothing else of the caller's reaches it."""
        # The run's id lets the run's end find every process of it.
        passed = [RUN_ID, "LP_NUM_THREADS", *(["DISPLAY"] if self.gui else [])]
        return {name: os.environ[name] for name in passed if name in os.environ} | {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/tmp" if self.root else os.environ.get("HOME", "/tmp"),
            "LC_ALL": "C.UTF-8",
            "PITWALL_WORKSPACE": str(_WORKSPACE_INSIDE if self.root else self.workspace),
            "GAZEBO_MASTER_URI": f"http://{LOOPBACK}:{self.gazebo_port}",
            "GAZEBO_IP": LOOPBACK,
            # The root has no /etc/hosts to look `localhost` up in.
            "ROS_MASTER_URI": self.ros_master_uri.replace("//localhost:", f"//{LOOPBACK}:"),
            "ROS_IP": LOOPBACK,
        }

    def start(self) -> subprocess.Popen[bytes]:
        """Starts the simulator in a session of its own; it ends when the caller dies."""
        return subprocess.Popen(
            self.command(),
            env=self.environment(),
            cwd=self.world.parent,
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def _enter(self, root: Path) -> list[str]:
        """Bubblewrap's command line up to the program. The root is read-only: runs may share it."""
        command = ["bwrap", "--die-with-parent", "--unshare-pid", "--unshare-ipc", "--share-net"]
        for entry in sorted(root.iterdir()):
            if entry.name.startswith(("bin", "etc", "lib", "opt", "sbin", "usr")):
                inside = f"/{entry.name}"
                if entry.is_symlink():
                    command += ["--symlink", str(entry.readlink()), inside]
                else:
                    command += ["--ro-bind", str(entry), inside]
        command += ["--dev", "/dev", *self.proc, "--tmpfs", "/tmp", "--tmpfs", "/run"]
        if self.gui:
            command += ["--dev-bind-try", "/dev/dri", "/dev/dri"]
            command += ["--ro-bind-try", "/tmp/.X11-unix", "/tmp/.X11-unix"]
            if authority := os.environ.get("XAUTHORITY"):
                command += ["--ro-bind", authority, "/tmp/.Xauthority"]
                command += ["--setenv", "XAUTHORITY", "/tmp/.Xauthority"]
        command += ["--ro-bind", str(self.world.parent), str(_WORLD_INSIDE)]
        command += ["--ro-bind", str(self.workspace), str(_WORKSPACE_INSIDE)]
        return [*command, "--chdir", str(_WORLD_INSIDE)]


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends a simulator and everything it started, within 5 s; harmless when it has ended."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(_SCRIPT_GRACE_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def simulator_root_in_use() -> Path | None:
    """The simulator root that PITWALL_SIM_ROOT names; None: the machine's own Gazebo is used.

    Raises:
        UnavailableError: there is neither.
    """
    root = os.environ.get("PITWALL_SIM_ROOT", "")
    if not root:
        if shutil.which("gzserver"):
            return None
        raise UnavailableError(
            "no simulator: PITWALL_SIM_ROOT is not set and there is no gzserver; run `make setup`"
        )
    if not Path(root, "usr", "bin", "gzserver").is_file():
        raise UnavailableError(f"no Gazebo in PITWALL_SIM_ROOT={root}; run `make setup`")
    return Path(root).resolve()


def check_simulator() -> None:
    """Says at once why no simulator could start here.

    Raises:
        UnavailableError: it is missing, or its root can't be entered.
    """
    if simulator_root_in_use() is not None:
        sandbox.proc_options()
