"""What bubblewrap may do here decides how the simulator root is entered, or what is said."""

from pathlib import Path

import pytest

from harness.doctor import examine
from harness.errors import UnavailableError
from harness.run.simulator import Simulator, check_simulator
from harness.setup import sandbox

_NO_PROC = "bwrap: Can't mount proc on /newroot/proc: Operation not permitted"
_NO_NAMESPACE = "bwrap: No permissions to create a new namespace"


@pytest.fixture
def bwrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bubblewrap to be written by the test."""
    program = tmp_path / "bwrap"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return program


def test_a_proc_of_its_own_where_the_kernel_grants_it(bwrap: Path) -> None:
    bwrap.write_text("#!/bin/sh\nexit 0\n")
    assert sandbox.proc_options() == ("--proc", "/proc")


def test_the_containers_proc_where_it_does_not(bwrap: Path) -> None:
    bwrap.write_text(
        f'#!/bin/sh\ncase "$*" in *"--proc /proc"*) echo "{_NO_PROC}" >&2; exit 1;; esac\n'
    )
    assert sandbox.proc_options() == ("--bind", "/proc", "/proc")


def test_a_refusal_is_one_line_for_a_lap_and_a_finding_of_the_doctor(
    bwrap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bwrap.write_text(f'#!/bin/sh\necho "first line" >&2\necho "{_NO_NAMESPACE}" >&2\nexit 1\n')
    gzserver = tmp_path / "root" / "usr" / "bin" / "gzserver"
    gzserver.parent.mkdir(parents=True)
    gzserver.touch()
    monkeypatch.setenv("PITWALL_SIM_ROOT", str(tmp_path / "root"))
    monkeypatch.setenv("container", "podman")
    with pytest.raises(UnavailableError) as caught:
        check_simulator()
    said = str(caught.value)
    assert "\n" not in said
    assert _NO_NAMESPACE in said
    (finding,) = [finding for finding in examine() if finding.what == "bubblewrap"]
    assert finding.needed and not finding.ok
    assert _NO_NAMESPACE in finding.found
    assert finding.mend and said.endswith(finding.mend)


def test_no_bubblewrap_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="make setup"):
        sandbox.proc_options()


@pytest.mark.parametrize(
    ("said", "container", "confined", "settings", "words"),
    [
        (_NO_NAMESPACE, True, False, [], ["seccomp=docker/seccomp.json"]),
        (_NO_NAMESPACE, True, True, [], ["seccomp=docker/seccomp.json", "apparmor=unconfined"]),
        (
            "bwrap: Failed to make / slave: Permission denied",
            True,
            True,
            [],
            ["--security-opt apparmor=unconfined"],
        ),
        (_NO_NAMESPACE, True, False, ["user.a=1"], ["sysctl user.a=1", "host"]),
        (_NO_NAMESPACE, False, False, ["user.a=1"], ["sysctl user.a=1"]),
        (_NO_NAMESPACE, False, False, [], ["administrator"]),
    ],
)
def test_the_missing_right_is_named(
    said: str, container: bool, confined: bool, settings: list[str], words: list[str]
) -> None:
    advice = sandbox.advise(said, container, confined, settings)
    assert all(word in advice for word in words)
    assert ("seccomp" in advice) == any("seccomp" in word for word in words)


@pytest.mark.parametrize("place", ["/opt/pitwall/plugins", "/usr/local/cache", "/lib/ünd 'so"])
def test_case_20_the_callers_folders_may_lie_anywhere(tmp_path: Path, place: str) -> None:
    (tmp_path / "root/usr/bin").mkdir(parents=True)
    simulator = Simulator(
        world=Path(place, "circuit.world"),
        workspace=Path(place, "workspace"),
        root=tmp_path / "root",
        gazebo_port=1,
        ros_master_uri="http://127.0.0.1:2",
    )
    command = simulator.command()
    mounts = {
        inside: outside
        for option, outside, inside in zip(command, command[1:], command[2:], strict=False)
        if option == "--ro-bind"
    }
    assert mounts["/run/pitwall/world"] == place
    assert mounts["/run/pitwall/workspace"] == f"{place}/workspace"
    assert all(inside.startswith(("/usr", "/run/pitwall/")) for inside in mounts)
    assert "/run/pitwall/world/circuit.world" in command
    assert simulator.environment()["PITWALL_WORKSPACE"] == "/run/pitwall/workspace"
