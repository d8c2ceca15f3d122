"""`python3 -m harness.setup [--extras tf,dev]`: makes this machine able to drive a lap."""

import argparse
import shlex
import sys
from pathlib import Path

from harness.errors import PitwallError
from harness.setup.debian import install_packages
from harness.setup.simroot import build_simulator_root
from harness.setup.steps import say
from harness.setup.venv import build_venvs, known_extras
from harness.setup.workspace import build_workspace

PROJECT = Path(__file__).resolve().parents[2]
ENV_FILE = PROJECT / ".pitwall" / "env"


def main() -> int:
    """Sets up what is missing and writes .pitwall/env, which env.sh reads."""
    parser = argparse.ArgumentParser(prog="make setup", description=__doc__)
    parser.add_argument("--extras", default="", help=f"of: {', '.join(known_extras(PROJECT))}")
    extras = {name for name in parser.parse_args().extras.replace(" ", ",").split(",") if name}
    try:
        set_up(extras | _extras_so_far())
    except PitwallError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"error: set-up could not write its cache: {error}", file=sys.stderr)
        return 7
    return 0


def set_up(extras: set[str]) -> None:
    """Runs every step that is not done yet; quick when nothing changed.

    Args:
        extras: names of extras besides the default install.

    Raises:
        PitwallError: a step failed; says which and where its log is.
    """
    install_packages(sorted(extras))
    root = build_simulator_root()
    venvs = build_venvs(PROJECT, extras)
    workspace = build_workspace(PROJECT / "ros_ws" / "src", root)
    values = {
        "PITWALL_SIM_ROOT": str(root),
        **{variable: str(folder) for variable, folder in venvs.items()},
        "PITWALL_WORKSPACE": str(workspace),
        "PITWALL_EXTRAS": ",".join(sorted(extras)),
    }
    text = "".join(f"export {key}={shlex.quote(value)}\n" for key, value in values.items())
    if not ENV_FILE.is_file() or ENV_FILE.read_text() != text:
        ENV_FILE.parent.mkdir(exist_ok=True)
        fresh = ENV_FILE.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(ENV_FILE)
        say("ready; `source env.sh` gives a shell with harness, roslaunch, rosbag, rostopic")


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
