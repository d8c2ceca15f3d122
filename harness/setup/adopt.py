"""`python3 -m harness.setup.adopt SIMULATOR WORKSPACE`: takes over what was built elsewhere.

The build of a container image has the simulator root and the workspace made by stages of their own
(docker/Dockerfile), where no mmdebstrap and no bubblewrap are needed. Linked under the names that
the set-up would give them, they count as its own.
"""

import sys
from pathlib import Path

from harness.setup.cache import cache_root, mark_complete
from harness.setup.simroot import simulator_root
from harness.setup.workspace import workspace


def adopt(simulator: Path, plugins: Path, source: Path) -> None:
    """Lets the set-up find what was made of this version of the project.

    Args:
        simulator: root folder of a Debian 11 with the packages of simulator-packages.txt.
        plugins: what workspace.sh installed.
        source: the packages that it built.
    """
    cache_root().mkdir(parents=True, exist_ok=True)
    root = simulator_root()
    for name, made in ((root, simulator), (workspace(source, root), plugins)):
        name.symlink_to(made.resolve(strict=True))
        mark_complete(name)


if __name__ == "__main__":
    adopt(Path(sys.argv[1]), Path(sys.argv[2]), Path(__file__).parents[2] / "ros_ws" / "src")
