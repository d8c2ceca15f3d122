"""Bags whose recorder was killed before it wrote the index."""

import subprocess
from pathlib import Path

from harness.errors import DataError
from harness.runlog import read_run_log


def recover_bag(bag: Path) -> bool:
    """Rebuilds the index of an unclosed bag in place; what was in no whole chunk is lost.

    Args:
        bag: the file, which need not exist.

    Returns:
        Whether the index was rebuilt: False for a bag that was closed, for none, and for one that
        holds nothing to recover.
    """
    if not bag.exists() or _reads(bag):
        return False
    before = bag.with_name(f"{bag.stem}.orig{bag.suffix}")  # where rosbag keeps what it found
    try:
        subprocess.run(
            ["rosbag", "reindex", "--quiet", "--force", str(bag)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        if before.exists():
            before.replace(bag)
        return False
    if not _reads(bag):
        before.replace(bag)
        return False
    before.unlink(missing_ok=True)
    return True


def _reads(bag: Path) -> bool:
    try:
        read_run_log(bag)
    except DataError:
        return False
    return True
