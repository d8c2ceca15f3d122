"""The images' files against each other, the guide and the command line. No image is built."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from harness.cli.main import build_app
from harness.paths import project_root
from harness.setup.venv import known_extras

ROOT = project_root()
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text()
GUIDE = (ROOT / "docs" / "guides" / "containers.md").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DECLARED = set(re.findall(r"^ARG (\w+)", DOCKERFILE, re.MULTILINE))


@pytest.mark.parametrize("name", SERVICES)
def test_a_services_command_exists(name: str) -> None:
    enter, program, *words = SERVICES[name]["entrypoint"]
    assert (ROOT / enter.removeprefix("/pitwall/")).stat().st_mode & 0o111
    if program == "harness":
        command: Any = typer.main.get_command(build_app())
        for word in [word for word in words if not word.startswith("-")]:
            command = command.commands[word]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= options
    elif program == "make":
        targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert set(words) <= set(targets)
    else:
        assert [program, *words] == ["bash"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_the_rights_and_the_recordings(name: str) -> None:
    service = SERVICES[name]
    profile, apparmor = service["security_opt"]
    assert apparmor == "apparmor=unconfined"
    assert (ROOT / profile.removeprefix("seccomp=")).is_file()
    assert "./recordings:/work/recordings" in service["volumes"]
    assert "privileged" not in service and "cap_add" not in service
    assert service["build"]["dockerfile"] == "docker/Dockerfile"
    assert f"`{name}`" in GUIDE


def test_only_the_nvidia_service_asks_for_gpus() -> None:
    asking = [name for name, service in SERVICES.items() if "deploy" in service]
    assert asking == ["nvidia"]
    (device,) = SERVICES["nvidia"]["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])
    arguments = SERVICES["nvidia"]["build"]["args"]
    extras = re.fullmatch(r"\$\{GPU_EXTRAS:-(.*)\}", arguments["GPU_EXTRAS"])
    assert extras and set(extras[1].split(",")) <= set(known_extras(ROOT))
    assert SERVICES["nvidia"]["image"] != SERVICES["lap"]["image"]


def test_build_arguments_are_declared_and_told() -> None:
    for service in SERVICES.values():
        assert set(service["build"]["args"]) <= DECLARED
    assert set(SERVICES["nvidia"]["build"]["args"]) | {"PIP_NO_CACHE_DIR"} == DECLARED
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", GUIDE, re.MULTILINE)) == DECLARED


def test_compose_hands_on_the_dockerfiles_defaults() -> None:
    for name, value in SERVICES["lap"]["build"]["args"].items():
        (default,) = re.findall(rf"^ARG {name}(?:=(.*))?$", DOCKERFILE, re.MULTILINE)[:1]
        assert value == (f"${{{name}:-{default}}}" if default else None), name


def test_the_image_has_what_make_test_asks_for() -> None:
    (default,) = re.findall(r"^ARG EXTRAS=(.*)$", DOCKERFILE, re.MULTILINE)
    (tested,) = re.findall(r"^ALL_EXTRAS := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert default == tested


def test_the_image_runs_as_nobody_special() -> None:
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE) == ["pitwall"]


def test_what_the_dockerfile_copies_is_there_and_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {".git", ".pitwall", "recordings/*"} <= set(ignored)
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE):
        *paths, _target = [word for word in shlex.split(line) if not word.startswith("--")]
        for path in paths:
            assert (ROOT / path).exists(), line
            assert path not in ignored


def test_the_filter_takes_nothing_that_bubblewrap_needs() -> None:
    profile = json.loads((ROOT / "docker" / "seccomp.json").read_text())
    (rule,) = profile["syscalls"]
    assert (profile["defaultAction"], rule["action"]) == ("SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO")
    assert rule["names"] == sorted(set(rule["names"]))
    needed = {"clone", "unshare", "mount", "umount2", "pivot_root", "prctl", "capset"}
    assert not needed & set(rule["names"])


def test_compose_itself_takes_the_file() -> None:
    for compose in (["docker", "compose"], ["docker-compose"]):
        asked = [*compose, "version"]
        if shutil.which(compose[0]) and not subprocess.run(asked, check=False).returncode:
            break
    else:
        pytest.skip("no docker compose here: only PyYAML has read compose.yaml")
    profiles = {name for service in SERVICES.values() for name in service.get("profiles", ())}
    command = [*compose, *(f"--profile={name}" for name in sorted(profiles)), "config", "--quiet"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("address", "expected"),
    [("", "deb base main\n"), ("file:///mirror", "deb file:///mirror bookworm main\n")],
)
def test_the_mirror_replaces_what_the_base_names(
    tmp_path: Path, address: str, expected: str
) -> None:
    (tmp_path / "etc/apt/sources.list.d").mkdir(parents=True)
    (tmp_path / "etc/apt/sources.list.d" / "debian.sources").touch()
    (tmp_path / "etc/apt/sources.list").write_text("deb base main\n")
    (tmp_path / "etc/os-release").write_text("VERSION_CODENAME=bookworm\n")
    script = (ROOT / "docker" / "apt_mirror").read_text().replace("/etc/", f"{tmp_path}/etc/")
    subprocess.run(["sh", "-c", script, "apt_mirror", address], check=True)
    assert (tmp_path / "etc/apt/sources.list").read_text() == expected
    assert (tmp_path / "etc/apt/sources.list.d" / "debian.sources").exists() == (not address)
