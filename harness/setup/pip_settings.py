"""What this machine's pip is configured to."""

import ast
import subprocess


def pip_settings(listing: str) -> dict[str, str]:
    """Settings as `pip config list` prints them; one of the environment wins over a file's."""
    found: dict[str, str] = {}
    for line in sorted(listing.splitlines(), key=lambda line: line.startswith(":env:")):
        name, _, value = line.partition("=")
        found[name.rpartition(".")[2]] = str(ast.literal_eval(value))
    return found


def settings_here() -> dict[str, str]:
    """Settings of the pip3 on PATH."""
    command = ["pip3", "config", "list"]
    return pip_settings(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
