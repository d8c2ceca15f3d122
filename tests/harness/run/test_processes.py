import os
import signal
import subprocess
import sys
import uuid

from harness.run.processes import RUN_ID, end_run, processes_of_run


def start(run_id: str, code: str) -> subprocess.Popen[str]:
    """Starts Python in a session of its own and waits until it says that it runs."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"{code}\nprint('up', flush=True)\nimport time; time.sleep(60)"],
        env={**os.environ, RUN_ID: run_id},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def test_end_run_ends_the_run_and_nobody_else() -> None:
    ours, others = uuid.uuid4().hex, uuid.uuid4().hex
    stubborn = start(ours, "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    meek = start(ours, "")
    bystander = start(others, "")
    try:
        assert set(processes_of_run(ours)) == {stubborn.pid, meek.pid}
        end_run(ours, patience_s=0.5)
        assert meek.wait(5) == -signal.SIGTERM
        assert stubborn.wait(5) == -signal.SIGKILL
        assert bystander.poll() is None
    finally:
        for process in (stubborn, meek, bystander):
            process.kill()
            process.wait()


def test_end_run_of_nothing_returns_at_once() -> None:
    end_run(uuid.uuid4().hex)
