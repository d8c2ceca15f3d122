"""A whole Slurm on this machine's loopback: munged, slurmctld and slurmd, all of our own."""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from harness.run.simulator import free_port

PACKAGES = ("slurmctld", "slurmd", "slurm-client", "munge")
_PROGRAMS = ("slurmctld", "slurmd", "sbatch", "munged")
_PATIENCE_S = 60.0


def why_not() -> str | None:
    """Why there can be no Slurm here; installs Debian's packages where that is possible."""
    if not _missing():
        return None
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return f"no {', '.join(_missing())}: apt-get install {' '.join(PACKAGES)}, as root"
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES]):
        done = subprocess.run(
            ["apt-get", "-qq", *arguments],
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            return f"apt-get {arguments[0]} failed: {done.stderr.strip()[-200:]}"
    return f"still no {', '.join(_missing())}" if _missing() else None


@contextmanager
def slurm_cluster(folder: Path) -> Iterator[dict[str, str]]:
    """A Slurm of one node, this machine, for the user who calls.

    Args:
        folder: takes its state and logs.

    Yields:
        The environment in which its commands work.
    """
    key = folder / "munge.key"
    key.touch(0o600)
    key.write_bytes(secrets.token_bytes(1024))
    munge = folder / "munge.socket"
    conf = folder / "slurm.conf"
    conf.write_text(_configuration(folder, munge))
    (folder / "state").mkdir()
    _wrap_srun(folder / "bin", conf)
    path = os.pathsep.join([str(folder / "bin"), os.environ["PATH"]])
    env = {**os.environ, "SLURM_CONF": str(conf), "PATH": path}
    commands = [
        ["munged", "--foreground", "--force", f"--key-file={key}", f"--socket={munge}"]
        + [f"--{name}-file={folder}/munged.{name}" for name in ("log", "pid", "seed")],
        ["slurmctld", "-D", "-f", str(conf)],
        ["slurmd", "-D", "-f", str(conf)],
    ]
    with ExitStack() as stack:
        for command in commands:
            log = stack.enter_context((folder / f"{command[0]}.out").open("w"))
            process = subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            if command[0] == "munged":
                _wait(munge.exists, f"munged: {folder}/munged.out")
        _wait(lambda: _idle(env), f"the node: {folder}/slurmd.log")
        yield env


def _wrap_srun(folder: Path, conf: Path) -> None:
    """Snakemake's jobs lose $SLURM_CONF: a cluster has its file in /etc, where ours is not."""
    folder.mkdir()
    script = folder / "srun"
    script.write_text(f'#!/bin/sh\nSLURM_CONF={conf} exec {shutil.which("srun")} "$@"\n')
    script.chmod(0o755)


def _configuration(folder: Path, munge: Path) -> str:
    user = pwd.getpwuid(os.geteuid()).pw_name
    host = socket.gethostname().partition(".")[0]
    cores = len(os.sched_getaffinity(0))
    memory_mib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
    return f"""
ClusterName=pitwall
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={free_port()}
SlurmdPort={free_port()}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={munge}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory_mib * 9 // 10} State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def _missing() -> list[str]:
    return [name for name in _PROGRAMS if not shutil.which(name)]


def _idle(env: dict[str, str]) -> bool:
    command = ["sinfo", "--noheader", "--format=%T"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    return done.stdout.strip() == "idle"


def _wait(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, f"gave up waiting: {what}"
        time.sleep(0.1)
