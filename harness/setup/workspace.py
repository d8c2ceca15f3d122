"""The built catkin workspace: plugins for the simulator, messages for both sides."""

from pathlib import Path

from harness.setup.cache import build_once, cache_root, key_of, key_of_tree
from harness.setup.simroot import enter
from harness.setup.steps import run_step


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
    target = cache_root() / f"workspace-{key_of(key_of_tree(source), root.name)}"

    def build() -> None:
        build_folder = target / "build"
        build_folder.mkdir(parents=True)
        script = (
            f"ln -s /usr/share/catkin/cmake/toplevel.cmake {build_folder}/CMakeLists.txt && "
            f"for package in {source}/*/; do ln -s $package {build_folder}/; done && "
            f"cmake -S {build_folder} -B {build_folder}/out -DCMAKE_BUILD_TYPE=Release "
            f"-DCATKIN_ENABLE_TESTING=OFF -DPYTHON_EXECUTABLE=/usr/bin/python3 "
            f"-DCMAKE_INSTALL_PREFIX={target} && "
            f"cmake --build {build_folder}/out -j2 --target install && rm -rf {build_folder}"
        )
        run_step(
            "workspace: Gazebo plugins and messages",
            [*enter(root, target, source), "sh", "-ec", script],
        )

    build_once(target, build)
    return target
