"""Recordings that were moved to another disk and linked back."""

from pathlib import Path

from harness.report.found import find_runs
from tests.harness.report.test_report import record


def test_case_21_linked_folders_are_followed_once(tmp_path: Path) -> None:
    root, disk = tmp_path / "recordings", tmp_path / "disk"
    record(root, "first", driven_m=2.0)
    record(disk, "night/a", driven_m=2.0)
    single = record(disk, "single", driven_m=2.0)
    (root / "night").symlink_to(disk / "night")
    (root / "again").symlink_to(disk / "night")
    (root / "single").symlink_to(single)
    (root / "latest").symlink_to("first")
    (disk / "night" / "circle").symlink_to(root)
    found = find_runs([root])
    assert [run.name for run in found.runs] == ["first", "again/a", "single"]
    assert found.notes == ()
    assert len(find_runs([root, disk, root / "latest"]).runs) == 3


def test_a_link_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    record(tmp_path, "here", driven_m=2.0)
    (tmp_path / "gone").symlink_to("/data/gone")
    (note,) = find_runs([tmp_path]).notes
    assert note == f"{tmp_path / 'gone'} is a link to /data/gone, which is not there"
