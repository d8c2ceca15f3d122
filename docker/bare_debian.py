#!/usr/bin/env python3
"""Tries the two commands of the README as a new user would: `make lap`, then `make test`.

In a bare Debian 12, made for it by mmdebstrap from the mirror of this machine's apt, with python3,
git, make and sudo; in a clone of this one (what is committed), with an empty cache and pip as
Debian has it. Only what reaches the network at all is this machine's: name server, proxies, and
the certificates that its pip trusts. Each step has a root of its own, which is removed at the end.

Steps, both if none is named:
  root  as root
  user  as a user with sudo

Exit codes: 0 the lap completed and all tests passed | 2 senseless argument | 4 this machine lacks
something | 5 the lap or a test failed | 7 the disk | 130 stopped
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from harness.errors import HarnessError, UnavailableError, UsageError  # noqa: E402
from harness.setup import debian  # noqa: E402
from harness.setup.cache import cache_root, remove_tree  # noqa: E402
from harness.setup.pip_settings import settings_here  # noqa: E402
from harness.setup.pytorch import VARIABLE  # noqa: E402
from harness.setup.steps import check_step, exit_code, run_step, say  # noqa: E402

_SUITE = "bookworm"
_INCLUDED = ("python3", "git", "make", "ca-certificates", "sudo")
_PACKAGES = {"mmdebstrap": "mmdebstrap", "pip3": "python3-pip", "git": "git"}
_USER = "driver"
_STEPS = {"root": "root", "user": _USER}
_PROXIES = ("http_proxy", "https_proxy", "no_proxy")
_CERTIFICATES = Path("/etc/ssl/certs/of-the-machine.pem")
_ENTER = Path(__file__).with_name("enter_root.py")


def entered(root: Path, user: str, variables: Mapping[str, str], command: str) -> list[str]:
    """Command line that runs a shell's command in the user's clone.

    Args:
        root: the bare Debian's folder.
        user: who runs it.
        variables: the environment, besides what a login sets.
        command: the shell's command.
    """
    given = [f"{name}={value}" for name, value in variables.items()]
    shell = ["env", *given, "sh", "-c", f"cd ~/pitwall && {command}"]
    return [sys.executable, str(_ENTER), str(root), user, *shell]


def network(environment: Mapping[str, str], certificates: bool) -> dict[str, str]:
    """Of this machine's environment, what reaches the network."""
    found = {name: environment[name] for name in _PROXIES if name in environment}
    return found | ({"PIP_CERT": str(_CERTIFICATES)} if certificates else {})


def summaries(log: str) -> list[str]:
    """pytest's last lines, one a process of tests."""
    return re.findall(
        r"^=* ?(\d+ (?:passed|failed|skipped|error)\S*.* in [\d.]+s.*?) ?=*$", log, re.M
    )


@contextlib.contextmanager
def bare_root(storage: Path, who: str, certificates: Path | None, keep: bool) -> Iterator[Path]:
    """A bare Debian 12 with a user who has sudo; removed whatever happens, unless it is kept.

    Args:
        storage: folder for it.
        who: names the steps.
        certificates: file of the authorities that pip trusts here; None: the usual ones.
        keep: leave it there.
    """
    storage.mkdir(parents=True, exist_ok=True)
    root = Path(tempfile.mkdtemp(prefix="bare-", dir=storage))
    try:
        options = ["--mode=root", "--variant=apt", f"--include={','.join(_INCLUDED)}"]
        run_step(f"bare Debian for {who}: mmdebstrap", debian.bootstrap(_SUITE, root, options))
        for name in ("resolv.conf", "hosts"):
            shutil.copyfile(f"/etc/{name}", root / "etc" / name)
        if certificates is not None:
            shutil.copyfile(certificates, root / _CERTIFICATES.relative_to("/"))
        made = ["useradd", "--create-home", "--shell", "/bin/bash", _USER]
        subprocess.run(["chroot", root, *made], check=True)
        (root / "etc" / "sudoers.d" / _USER).write_text(f"{_USER} ALL=(ALL) NOPASSWD: ALL\n")
        yield root
    finally:
        if keep:
            say(f"kept, to look at by `{_ENTER} {root} {who} bash`: {root}")
        else:
            _remove(root)


def _remove(root: Path) -> None:
    # A second Ctrl-C must not leave half of it behind.
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in handlers:
        signal.signal(number, signal.SIG_IGN)
    remove_tree(root)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def clone(root: Path, user: str) -> Path:
    """Clones this project into the user's home; the clone's folder."""
    home = root / ("root" if user == "root" else f"home/{user}")
    subprocess.run(["git", "clone", "--quiet", str(PROJECT), str(home / "pitwall")], check=True)
    owned = ["chown", "-R", f"{user}:", f"/{home.relative_to(root)}/pitwall"]
    subprocess.run(["chroot", root, *owned], check=True)
    return home / "pitwall"


def try_commands(
    root: Path, user: str, variables: Mapping[str, str], tests: str | None
) -> list[str]:
    """`make lap` and `make test` by a user; what came out, a line each.

    Args:
        root: the bare Debian's folder.
        user: who runs them.
        variables: the environment, besides what a login sets.
        tests: TESTS of `make test`, empty for all; None leaves it out.

    Raises:
        HarnessError: one failed, or the lap was not completed.
    """
    folder = clone(root, user)
    started_s = time.monotonic()
    check_step(f"make lap as {user}", entered(root, user, variables, "exec make lap"))
    run = folder / "recordings" / (folder / "recordings" / "latest").readlink().name
    result = json.loads((run / "result.json").read_text())
    said = f"make lap as {user}: {result['outcome']}, lap_time_s {result['lap_time_s']}"
    if result["outcome"] != "completed":
        raise HarnessError(said)
    lines = [f"{said}; {time.monotonic() - started_s:.0f} s"]
    if tests is None:
        return lines
    started_s = time.monotonic()
    command = entered(root, user, {**variables, "TESTS": tests}, "exec make test")
    log = check_step(f"make test as {user}", command)
    lines += [f"make test as {user}: {line}" for line in summaries(log.read_text(errors="replace"))]
    return [*lines, f"make test as {user}: all passed; {time.monotonic() - started_s:.0f} s"]


def carry_out(
    steps: Sequence[str], storage: Path, tests: str | None, torch_index: str, keep: bool
) -> None:
    """Runs the steps that were asked for.

    Raises:
        PitwallError: one failed; says which.
    """
    if unknown := sorted(set(steps) - set(_STEPS)):
        raise UsageError(f"unknown step {', '.join(unknown)}; known: {', '.join(_STEPS)}")
    missing = [package for program, package in _PACKAGES.items() if not shutil.which(program)]
    if missing:
        raise UnavailableError(f"missing here: apt-get install {' '.join(sorted(missing))}")
    if os.geteuid() != 0:
        raise UnavailableError("mmdebstrap and the roots' mounts take root's rights: use sudo")
    trusted = settings_here().get("cert")
    variables = network(os.environ, trusted is not None)
    if torch_index:
        variables[VARIABLE] = torch_index
    described = ["git", "-C", str(PROJECT), "describe", "--always", "--abbrev=40"]
    commit = subprocess.run(described, check=True, capture_output=True, text=True).stdout.strip()
    said = [f"commit {commit}"]
    for step in steps or _STEPS:
        user = _STEPS[step]
        with bare_root(storage, user, Path(trusted) if trusted else None, keep) as root:
            said += try_commands(root, user, variables, tests)
    for line in said:
        say(line)


def main() -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("steps", nargs="*", metavar="STEP", help=", ".join(_STEPS))
    parser.add_argument("--tests", default="", help="TESTS of `make test`")
    parser.add_argument("--lap-only", action="store_true", help="leave `make test` out")
    parser.add_argument("--torch-index", default="", help=f"{VARIABLE}: an index's address")
    parser.add_argument(
        "--storage",
        type=Path,
        default=cache_root() / "bare",
        help="folder for the roots, 15 GB each, one at a time; default: %(default)s",
    )
    parser.add_argument("--keep", action="store_true", help="leave the roots there, to look at")
    options = parser.parse_args()
    tests = None if options.lap_only else options.tests
    storage = options.storage.absolute()
    return exit_code(
        lambda: carry_out(options.steps, storage, tests, options.torch_index, options.keep),
        "the roots' folder",
    )


if __name__ == "__main__":
    sys.exit(main())
