"""The built catkin workspace: plugins for the simulator, messages for both sides."""

from pathlib import Path

from harness.setup import sandbox
from harness.setup.cache import build_once, cache_root, key_of, key_of_tree
from harness.setup.steps import run_step

# From /run/packages to /run/install, inside the root; docker/Dockerfile runs it too.
_BUILD = Path(__file__).with_name("workspace.sh").read_text().replace("\\\n", "").strip()


def workspace(source: Path, root: Path) -> Path:
    """Where the workspace of this source stands, or would stand.

    Args:
        source: folder of the catkin packages.
        root: the simulator root.
    """
    return cache_root() / f"workspace-{key_of(key_of_tree(source), root.name, _BUILD)}"


def build_workspace(source: Path, root: Path) -> Path:
    """Builds ros_ws/src inside the simulator root unless this very source is built already.

    Args:
        source: folder of the catkin packages.
        root: the simulator root.

    Returns:
        The install prefix: lib/*.so, lib/python3/dist-packages, share/.

    Raises:
        UnavailableError: the build failed.
    """
    target = workspace(source, root)

    def build() -> None:
        target.mkdir()
        command = [*_enter(root, source, target), "sh", "-ec", _BUILD]
        run_step("workspace: Gazebo plugins and messages", command)

    build_once(target, build)
    return target


def _enter(root: Path, source: Path, target: Path) -> list[str]:
    """Bubblewrap's command line up to the program; nothing of the caller's environment gets in."""
    return [
        *("bwrap", "--die-with-parent", "--unshare-pid", "--ro-bind", str(root), "/"),
        *("--dev", "/dev", *sandbox.proc_options(), "--tmpfs", "/tmp", "--tmpfs", "/run"),
        *("--ro-bind", str(source), "/run/packages", "--bind", str(target), "/run/install"),
        *("--clearenv", "--setenv", "PATH", "/usr/bin:/bin"),
        *("--setenv", "HOME", "/tmp", "--setenv", "LC_ALL", "C.UTF-8"),
    ]
