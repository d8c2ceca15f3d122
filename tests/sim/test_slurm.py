"""A batch on a real Slurm, with the profile that the guide documents."""

from pathlib import Path

import pytest

from harness.paths import project_root
from tests.sim.slurm_cluster import slurm_cluster, why_not
from tests.sim.test_batch import batch, results_in, write_plan

pytestmark = [pytest.mark.sim, pytest.mark.timeout(600)]

PROFILE = project_root() / "docs" / "guides" / "profiles" / "slurm"


def test_a_plan_of_four_runs(
    short_circuit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reason := why_not():
        pytest.skip(reason)
    text = f"models: [explicit]\ncircuits: [{short_circuit}]\nrepetitions: 4\nlatency: fixed:20\n"
    plan, output = write_plan(tmp_path, text + "timeout_s: 3\n"), tmp_path / "out"
    with slurm_cluster(tmp_path) as env:
        for name in ("SLURM_CONF", "PATH"):
            monkeypatch.setenv(name, env[name])
        with batch(plan, output, "--profile", str(PROFILE)) as run:
            printed, _ = run.communicate()
    assert run.returncode == 0, printed + (output / ".batch" / "snakemake.log").read_text()[-2000:]
    assert {result.outcome for result in results_in(output).values()} == {"timeout"}
    assert len(results_in(output)) == 4
    log = (output / ".batch" / "snakemake.log").read_text()
    assert log.count("has been submitted with SLURM jobid") == 4
