#!/usr/bin/env python3
"""``enter_root.py FOLDER USER COMMAND...``: runs a command in a root folder, as on a machine.

For root, by namespaces of mounts, processes and IPC, and ``pivot_root``. Unlike in a chroot the
user may take namespaces of their own there, and unlike in bubblewrap they may use sudo: both are
what a set-up does. The network and the devices are this machine's. All that still runs ends with
the command, or with this process.
"""

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

_NEW_MOUNTS, _NEW_IPC, _NEW_PIDS = 0x00020000, 0x08000000, 0x20000000
_PARENT_DEATH_SIGNAL, _DETACH = 1, 2
_LIBC = ctypes.CDLL(None, use_errno=True)


def main() -> int:
    """Enters; returns the command's exit code."""
    root, user, *command = sys.argv[1:]
    _check(_LIBC.unshare(_NEW_MOUNTS | _NEW_IPC | _NEW_PIDS))
    if (child := os.fork()) == 0:
        _check(_LIBC.prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL))
        _enter(Path(root).resolve())
        login = ["--reuid", user, "--regid", user, "--init-groups", "--reset-env"]
        os.execv("/usr/bin/setpriv", ["setpriv", *login, *command])
    # The namespace's first process ends all others of it before it has ended.
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.signal(signal.SIGINT, lambda *_: os.kill(child, signal.SIGKILL))
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code


def _enter(root: Path) -> None:
    """Makes the folder the root of this process; nothing of the old one is left mounted."""
    for mount in (
        ("--make-rprivate", "/"),
        ("--bind", root, root),
        ("-t", "proc", "proc", root / "proc"),
        ("--rbind", "/dev", root / "dev"),
        ("--rbind", "/sys", root / "sys"),
    ):
        subprocess.run(["mount", *mount], check=True)
    os.chdir(root)
    # The old root ends up mounted over the new one, where `.` is.
    subprocess.run(["pivot_root", ".", "."], check=True)
    _check(_LIBC.umount2(b".", _DETACH))
    os.chdir("/")


def _check(result: int) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


if __name__ == "__main__":
    sys.exit(main())
