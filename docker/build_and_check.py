#!/usr/bin/env python3
"""Builds the container images and checks what runs in them; for anyone, and for a nightly job.

No registry is asked: the bases are made by mmdebstrap, from the mirror of this machine's apt, and
the packages come from where its pip takes them. Images and all else lie in one folder, which is
removed at the end.

Steps, cpu and nvidia if none is named:
  cpu     the image for CPUs; as its user a lap, its report, and what is said without the rights
  nvidia  the image for NVIDIA GPUs; what it says where there is none
  test    `make test` in the image for CPUs (takes long)

Exit codes: 0 all is as it should be | 2 senseless argument | 4 this machine lacks something, or a
build failed | 5 an image does not do what it should | 7 the disk | 130 stopped
"""

import argparse
import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlparse

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from harness.errors import HarnessError, UnavailableError, UsageError  # noqa: E402
from harness.setup import debian  # noqa: E402
from harness.setup.cache import cache_root, is_complete  # noqa: E402
from harness.setup.pip_settings import settings_here  # noqa: E402
from harness.setup.simroot import simulator_root  # noqa: E402
from harness.setup.steps import check_step, exit_code, run_step, say  # noqa: E402

_STEPS = ("cpu", "nvidia", "test")
_SUITES = {"BASE": "bookworm", "SIMULATOR_BASE": "bullseye"}
_PACKAGES = {
    **{"buildah": "buildah", "podman": "podman", "runc": "runc"},
    **{"mmdebstrap": "mmdebstrap", "pip3": "python3-pip", "git": "git"},
}
_UID = 1000
_MARK = ".pitwall-images"
# What Docker's own filter does to bubblewrap, which Podman's does not.
_NO_NAMESPACES = {
    "defaultAction": "SCMP_ACT_ALLOW",
    "syscalls": [{"names": ["mount", "unshare"], "action": "SCMP_ACT_ERRNO"}],
}
_RIGHTS = ("--security-opt", f"seccomp={PROJECT}/docker/seccomp.json")
_LAP = ("harness", "lap", "--clock", "lockstep", "--latency", "fixed:20")


@dataclass(frozen=True)
class Sources:
    """Where this machine takes packages from, as arguments of a build.

    Attributes:
        arguments: build arguments.
        volumes: folders of packages on this machine.
        certificates: file of the authorities that an index is trusted by; None: the usual ones.
    """

    arguments: dict[str, str]
    volumes: tuple[Path, ...]
    certificates: Path | None


def sources_of(settings: dict[str, str], mirror: str, proxies: Sequence[str]) -> Sources:
    """What a build is told of this machine's sources of packages.

    Args:
        settings: pip's.
        mirror: address of the Debian mirror.
        proxies: lines of apt's configuration that name one.
    """
    arguments = {"DEBIAN_MIRROR": mirror}
    volumes: list[Path] = []
    for name in ("index-url", "extra-index-url", "find-links"):
        if not (value := settings.get(name, "").strip()):
            continue
        arguments[f"PIP_{name.upper().replace('-', '_')}"] = " ".join(value.split())
        for word in value.split():
            address = urlparse(word)
            if address.scheme in ("", "file"):
                # The pages of an index point to files beside it.
                folder = Path(address.path)
                volumes.append(folder if name == "find-links" else folder.parent)
    for line in proxies:
        if match := re.search(r'Acquire::(https?)::Proxy "([^"]+)"', line):
            arguments[f"{match[1]}_proxy"] = match[2]
    present = tuple(dict.fromkeys(folder for folder in volumes if folder.is_dir()))
    certificates = settings.get("cert")
    return Sources(arguments, present, Path(certificates) if certificates else None)


class Images:
    """The images of one folder: what makes, runs and removes them."""

    def __init__(self, folder: Path, keep: bool) -> None:
        """Takes the folder; another call with it waits for none, it is refused.

        Raises:
            UsageError: the folder holds other things, or another call uses it.
        """
        self.folder = folder
        self.keep = keep
        if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
            raise UsageError(f"{folder} holds other things: --storage takes a folder of its own")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _MARK).touch()
        self._lock = (folder / _MARK).open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"{folder} is in use by another build") from None
        self._store = ["--root", f"{folder}/store", "--runroot", f"{folder}/run"]
        self._store += ["--storage-driver", "overlay"]

    def buildah(self, *arguments: str) -> list[str]:
        """Command line of buildah on these images."""
        return ["buildah", *self._store, *arguments]

    def podman(self, *arguments: str) -> list[str]:
        """Command line of podman on these images."""
        # runc: crun refuses version 1 of cgroups beside version 2.
        managers = ["--cgroup-manager", "cgroupfs", "--runtime", "runc"]
        return ["podman", *self._store, *managers, *arguments]

    def run(self, image: str, *command: str, rights: Sequence[str] = _RIGHTS) -> list[str]:
        """Command line that runs a command in an image, without a network."""
        volume = f"{self.recordings}:/work/recordings"
        options = ["--rm", "--network", "none", "--shm-size", "1g", "--volume", volume]
        # By default podman raises these, which root may not on every machine.
        options += ["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096", *rights]
        return self.podman("run", *options, image, *command)

    @property
    def recordings(self) -> Path:
        """The folder that is mounted; it belongs to the images' user."""
        folder = self.folder / "recordings"
        folder.mkdir(exist_ok=True)
        os.chown(folder, _UID, _UID)
        return folder

    def has(self, image: str) -> bool:
        """Whether an image is there from an earlier call that kept it."""
        command = self.podman("image", "exists", image)
        return subprocess.run(command, check=False).returncode == 0

    def size_gb(self, image: str) -> float:
        """Size of an image with all its layers, as podman tells."""
        command = self.podman("image", "inspect", "--format", "{{.Size}}", image)
        return int(subprocess.run(command, check=True, capture_output=True).stdout) / 1e9

    def close(self) -> None:
        """Ends what still runs; removes images and folder unless they are kept."""
        for command in (self.podman("rm", "--all", "--force", "--time", "0"),) + (
            () if self.keep else (self.buildah("rm", "--all"), self.podman("rmi", "-a", "-f"))
        ):
            subprocess.run(command, check=False, capture_output=True)
        if not self.keep:
            shutil.rmtree(self.folder)


def make_bases(images: Images, from_cache: bool) -> None:
    """Base images of both releases, unless they were kept.

    Args:
        images: where they go.
        from_cache: Debian 11 is the set-up's own simulator root, packages and all.

    Raises:
        UnavailableError: a step failed, or there is no such root.
    """
    for suite in _SUITES.values():
        name = _base(suite)
        if images.has(name):
            continue
        archive = images.folder / f"{suite}.tar"
        if from_cache and suite == _SUITES["SIMULATOR_BASE"]:
            root = simulator_root()
            if not is_complete(root):
                raise UnavailableError("--from-cache: no simulator root here; run `make setup`")
            packed = ["tar", "-C", str(root), "--exclude=./dev/*", "--exclude=./.complete"]
            run_step(f"base {suite}: tar", [*packed, "-cf", str(archive), "."])
        else:
            _debootstrap(suite, archive)
        run_step(f"base {suite} image: import", images.podman("import", str(archive), name))
        archive.unlink()


def _debootstrap(suite: str, archive: Path) -> None:
    without = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "locale")]
    options = ["--mode=root", "--variant=minbase", "--skip=output/dev", *without]
    options.append('--aptopt=APT::Install-Recommends "false"')
    run_step(f"base {suite}: mmdebstrap", debian.bootstrap(suite, archive, options))


def build(images: Images, name: str, sources: Sources, arguments: dict[str, str]) -> None:
    """Builds an image from the clone."""
    described = ["git", "-C", str(PROJECT), "describe", "--always", "--abbrev=40", "--dirty"]
    revision = subprocess.run(described, check=True, capture_output=True, text=True).stdout.strip()
    given = {variable: _base(suite) for variable, suite in _SUITES.items()}
    given |= sources.arguments | {"REVISION": revision} | arguments
    command = images.buildah("build", "--layers", "--isolation", "chroot", "--tag", name)
    for variable, value in given.items():
        command += ["--build-arg", f"{variable}={value}"]
    for folder in sources.volumes:
        command += ["--volume", f"{folder}:{folder}:ro"]
    if sources.certificates:
        command += ["--secret", f"id=certificates,src={sources.certificates}"]
    command += ["--file", str(PROJECT / "docker" / "Dockerfile"), str(PROJECT)]
    run_step(f"image {name.rpartition(':')[2]}: buildah", command)
    say(f"{name}: {images.size_gb(name):.2f} GB")


def check_cpu(images: Images, image: str) -> None:
    """A lap and its report by the image's user; without rights, one line.

    Raises:
        HarnessError: something is not as it should be.
    """
    before = set(images.recordings.iterdir())
    check_step("lap in the image", images.run(image, *_LAP))
    (folder,) = [
        path for path in set(images.recordings.iterdir()) - before if not path.is_symlink()
    ]
    result = json.loads((folder / "result.json").read_text())
    said = f"{result['outcome']}, lap_time_s {result['lap_time_s']}"
    said += f", real_time_factor {result['real_time_factor']}, commit {_commit(result)}"
    say(f"lap in the image: {said}")
    _expect(result["outcome"] == "completed", f"the lap in the image: {said}")
    _expect(bool(_commit(result)), "result.json in the image has no commit")
    _expect(folder.stat().st_uid == _UID, f"{folder} belongs to user {folder.stat().st_uid}")
    check_step("report in the image", images.run(image, "harness", "report", "recordings/latest"))
    _expect((folder / "report.html").is_file(), "harness report in the image wrote no page")
    profile = images.folder / "no-namespaces.json"
    profile.write_text(json.dumps(_NO_NAMESPACES))
    refused = images.run(image, *_LAP, rights=("--security-opt", f"seccomp={profile}"))
    _expect_one_line(refused, "--security-opt seccomp=")


def check_nvidia(images: Images, image: str, extras: Sequence[str]) -> None:
    """Where there is no GPU: the engines are there, the models say in one line what they lack.

    Raises:
        HarnessError: something is not as it should be.
    """
    doctor = subprocess.run(
        images.run(image, "harness", "doctor", "--json"),
        check=False,
        capture_output=True,
        text=True,
    )
    found = {finding["what"]: finding["found"] for finding in json.loads(doctor.stdout)}
    for name in ("cuda", "tftrt"):
        engines = [f"{what}: {said}" for what, said in found.items() if what.startswith(f"{name}:")]
        for line in engines:
            say(f"doctor in the image: {line}")
        _expect(bool(engines) or name not in extras, f"no environment {name} in the image")
    if found["NVIDIA GPU"] != "none":
        say("there is a GPU here: what is said without one is not checked")
        return
    models = subprocess.run(
        images.run(image, "harness", "models"), check=False, capture_output=True, text=True
    )
    _expect(models.returncode == 0, "harness models in the image fails")
    _expect_one_line(images.run(image, "harness", "lap", "--model", "tftrt_fp16"), "NVIDIA GPU")


def check_tests(images: Images, image: str, tests: str) -> None:
    """All tests in the image, or some."""
    command = images.run(image, "make", "-C", "/pitwall", "test", f"TESTS={tests}")
    index = command.index(image)
    command[index:index] = ["--env", "PITWALL_RECORDINGS=/pitwall/recordings"]
    check_step("tests in the image", command)


def _base(suite: str) -> str:
    return f"localhost/pitwall-base:{suite}"


def _commit(result: dict[str, dict[str, str]]) -> str:
    return result["provenance"]["git_commit"]


def _expect(fact: bool, otherwise: str) -> None:
    if not fact:
        raise HarnessError(otherwise)


def _expect_one_line(command: list[str], words: str) -> None:
    """Expects exit code 4 with one line on stderr that holds these words."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    lines = done.stderr.strip().splitlines()
    say(f"exit code {done.returncode}: {done.stderr.strip()}")
    _expect(
        done.returncode == 4 and len(lines) == 1 and words in lines[0],
        f"expected exit code 4 and one line with {words!r}",
    )


def _check_machine() -> None:
    missing = [package for program, package in _PACKAGES.items() if not shutil.which(program)]
    if missing:
        raise UnavailableError(f"missing here: apt-get install {' '.join(sorted(missing))}")
    if os.geteuid() != 0:
        raise UnavailableError("mmdebstrap, buildah and podman are used as root here: use sudo")


@contextlib.contextmanager
def _images(folder: Path, keep: bool) -> Iterator[Images]:
    images = Images(folder, keep)
    try:
        yield images
    finally:
        # A second Ctrl-C must not leave half of it behind.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        images.close()


def carry_out(options: argparse.Namespace) -> None:
    """Runs the steps that were asked for.

    Raises:
        PitwallError: one failed; says which.
    """
    steps = options.steps or ["cpu", "nvidia"]
    if unknown := sorted(set(steps) - set(_STEPS)):
        raise UsageError(f"unknown step {', '.join(unknown)}; known: {', '.join(_STEPS)}")
    _check_machine()
    sources = sources_of(settings_here(), debian.mirror(), debian.proxy_options())
    chosen = {"EXTRAS": options.extras} if options.extras else {}
    with _images(options.storage, options.keep) as images:
        make_bases(images, options.from_cache)
        if "cpu" in steps or "test" in steps:
            build(images, "localhost/pitwall:cpu", sources, chosen)
        if "cpu" in steps:
            check_cpu(images, "localhost/pitwall:cpu")
        if "test" in steps:
            check_tests(images, "localhost/pitwall:cpu", options.tests)
        if "nvidia" in steps:
            gpu = {"GPU_EXTRAS": options.gpu_extras, "NVIDIA_VISIBLE_DEVICES": "all"}
            build(images, "localhost/pitwall:nvidia", sources, chosen | gpu)
            check_nvidia(images, "localhost/pitwall:nvidia", options.gpu_extras.split(","))


def main() -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("steps", nargs="*", metavar="STEP", help="cpu, nvidia, test")
    parser.add_argument("--extras", default="", help="the Dockerfile's EXTRAS")
    parser.add_argument("--gpu-extras", default="cuda,tensorrt,tftrt", help="of the NVIDIA image")
    parser.add_argument("--tests", default="", help="for the step test: TESTS of `make test`")
    parser.add_argument(
        "--storage",
        type=Path,
        default=cache_root() / "images",
        help="folder for images, 20 GB with both; default: %(default)s",
    )
    parser.add_argument(
        "--from-cache",
        action="store_true",
        help="Debian 11 is the set-up's simulator root: quicker, but its packages are not fetched",
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep images and recordings: the next call is quick"
    )
    options = parser.parse_args()
    options.storage = options.storage.absolute()
    return exit_code(lambda: carry_out(options), "the images' folder")


if __name__ == "__main__":
    sys.exit(main())
