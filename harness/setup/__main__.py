"""`python3 -m harness.setup [--extras tf,dev]`: makes this machine able to drive a lap."""

import argparse
import shlex
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from harness.errors import PitwallError, UnavailableError, UsageError
from harness.setup.debian import install_packages
from harness.setup.simroot import build_simulator_root
from harness.setup.steps import beside, say
from harness.setup.venv import build_venvs, check_extras, known_extras
from harness.setup.workspace import build_workspace

PROJECT = Path(__file__).resolve().parents[2]
OLDEST_PYTHON = (3, 11)
ENV_FILE = PROJECT / ".pitwall" / "env"


def main() -> int:
    """Sets up what is missing and writes .pitwall/env, which env.sh reads."""
    parser = argparse.ArgumentParser(prog="make setup", description=__doc__)
    parser.add_argument("--extras", default="", help=f"of: {', '.join(known_extras(PROJECT))}")
    parser.add_argument(
        "--models-only", action="store_true", help="no simulator, no ROS: to measure on a board"
    )
    parser.add_argument(
        "--only",
        choices=("packages", "environments"),
        help="one step alone; images are built step by step, each a layer of its own",
    )
    arguments = parser.parse_args()
    # What a step started ends with it, whichever of two that run at once is ended.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    extras = {name for name in arguments.extras.replace(" ", ",").split(",") if name}
    try:
        if arguments.only == "packages":
            install_packages(sorted(extras))
        elif arguments.only == "environments":
            build_venvs(PROJECT, extras)
        else:
            (set_up_models if arguments.models_only else set_up)(extras | _extras_so_far())
    except PitwallError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"error: set-up could not write its cache: {error}", file=sys.stderr)
        return 7
    except KeyboardInterrupt:
        say("stopped; what is done is kept, the same command goes on")
        return 128 + signal.SIGINT
    return 0


def set_up(extras: set[str]) -> None:
    """Runs every step that is not done yet; quick when nothing changed.

    Args:
        extras: names of extras besides the default install.

    Raises:
        PitwallError: a step failed; says which and where its log is.
    """
    check_extras(PROJECT, extras)
    install_packages(sorted(extras))
    # Unpacking the root's packages keeps one core busy; what has no need of it takes another.
    only = ("--only", "environments", "--extras", ",".join(sorted(extras)))
    with beside([sys.executable, "-m", "harness.setup", *only]):
        root = build_simulator_root()
        workspace = build_workspace(PROJECT / "ros_ws" / "src", root)
    venvs = build_venvs(PROJECT, extras)
    _write_env({"PITWALL_SIM_ROOT": root, **venvs, "PITWALL_WORKSPACE": workspace}, extras)
    say("ready; `source env.sh` gives a shell with harness, roslaunch, rosbag, rostopic")


def set_up_models(extras: set[str]) -> None:
    """Makes the virtual environments alone, of the Python that runs this: no root, any Linux.

    Args:
        extras: names of extras besides the default install.

    Raises:
        PitwallError: a step failed; says which and where its log is.
    """
    if sys.version_info < OLDEST_PYTHON:
        raise UnavailableError(
            f"this Python is {sys.version.split()[0]}, and 3.11 or newer is needed: "
            "name one, as in `make models PYTHON=python3.11`"
        )
    if ENV_FILE.is_file() and "PITWALL_SIM_ROOT" in ENV_FILE.read_text():
        raise UsageError("this clone is set up with a simulator already: use it, or another clone")
    _write_env(dict(build_venvs(PROJECT, extras, sys.executable)), extras)
    say("ready; `source env.sh` gives a shell with harness, to optimize, evaluate and profile")


def _write_env(folders: Mapping[str, Path], extras: set[str]) -> None:
    """Writes what env.sh reads, unless it stands there already."""
    values = {name: str(folder) for name, folder in folders.items()}
    values["PITWALL_EXTRAS"] = ",".join(sorted(extras))
    text = "".join(f"export {key}={shlex.quote(value)}\n" for key, value in values.items())
    if not ENV_FILE.is_file() or ENV_FILE.read_text() != text:
        ENV_FILE.parent.mkdir(exist_ok=True)
        fresh = ENV_FILE.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(ENV_FILE)


def _extras_so_far() -> set[str]:
    """Extras of earlier set-ups of this clone: a later plain set-up must not take them away."""
    if not ENV_FILE.is_file():
        return set()
    for line in ENV_FILE.read_text().splitlines():
        name, _, value = line.removeprefix("export ").partition("=")
        if name == "PITWALL_EXTRAS":
            known = set(known_extras(PROJECT))
            return known & set(shlex.split(value)[0].split(","))
    return set()


if __name__ == "__main__":
    sys.exit(main())
