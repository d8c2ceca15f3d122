"""Where the car stands, and what of a run's conditions is in its world."""

import math
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from harness.run.start import camera_mount, drive_options, start_pose, world_of
from harness.spec.run import RunSpec


def world(folder: Path, conditions: str, seed: int = 1) -> Xml.Element:
    spec = RunSpec.parse({"conditions": conditions, "seed": seed})
    return Xml.parse(world_of(spec, folder)).getroot()


def test_the_start_is_beside_the_line_and_turned() -> None:
    usual = start_pose(RunSpec())
    asked = start_pose(RunSpec(conditions="start_offset_m=-0.5,start_heading_deg=20"))
    right = (math.sin(usual.yaw_rad), -math.cos(usual.yaw_rad))
    away = (asked.x_m - usual.x_m, asked.y_m - usual.y_m)
    assert away[0] * right[0] + away[1] * right[1] == pytest.approx(0.5)
    assert math.hypot(*away) == pytest.approx(0.5)
    assert math.remainder(asked.yaw_rad - usual.yaw_rad, math.tau) == pytest.approx(
        math.radians(20.0)
    )


def test_the_world_of_a_run_without_conditions_says_nothing_of_them(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "neutral").mkdir()
    plain = world_of(RunSpec(), tmp_path / "none").read_bytes()
    neutral = RunSpec(conditions="gusts=0,light=1,line_worn=0,camera_yaw_deg=0,steering_gain=1")
    assert world_of(neutral, tmp_path / "neutral").read_bytes() == plain
    assert b'name="drive" filename="libf1_gazebo_drive.so" />' in plain or (
        b'name="drive" filename="libf1_gazebo_drive.so"/>' in plain
    )


def test_the_drive_plugin_is_told_what_is_asked(tmp_path: Path) -> None:
    root = world(tmp_path, "steering_gain=0.5,steering_bias_rad_s=0.3,speed_gain=2,gusts=0.4")
    plugin = root.find(".//plugin[@name='drive']")
    assert plugin is not None
    told = {child.tag: child.text or "" for child in plugin}
    assert [float(told[name]) for name in ("steering_gain", "steering_bias_rad_s")] == [0.5, 0.3]
    assert float(told["speed_gain"]) == 2.0
    period_s, gusts = float(told["gust_period_s"]), [float(x) for x in told["gusts_rad_s"].split()]
    options = drive_options(RunSpec(conditions="gusts=0.4", seed=1))
    assert gusts == pytest.approx(options.gusts_rad_s, abs=1e-6)
    # It blows until the run is over at the latest.
    assert len(gusts) * period_s >= RunSpec().timeout_s()


def test_the_camera_sits_as_it_is_asked(tmp_path: Path) -> None:
    root = world(tmp_path, "camera_pitch_deg=10,camera_yaw_deg=-20,camera_height_m=0.3")
    text = root.findtext(".//sensor[@name='camera_left']/pose") or ""
    x, y, z, roll, pitch, yaw = map(float, text.split())
    assert (x, y, z, roll) == pytest.approx((0.45, 0.04, 0.4, 0.0))
    assert pitch == pytest.approx(math.radians(10.0), abs=1e-6)
    assert yaw == pytest.approx(math.radians(-20.0), abs=1e-6)
    assert camera_mount(RunSpec()).xyz_m == (0.45, 0.04, 0.10)


def test_light_and_wear_are_of_the_world(tmp_path: Path) -> None:
    for name in ("day", "dusk", "gone"):
        (tmp_path / name).mkdir()
    day = world(tmp_path / "day", "")
    dusk = world(tmp_path / "dusk", "light=0.4")

    def sky(root: Xml.Element) -> list[float]:
        return [float(x) for x in (root.findtext(".//scene/background") or "").split()][:3]

    shares = [dark / bright for dark, bright in zip(sky(dusk), sky(day), strict=True)]
    assert shares[0] > shares[1] > shares[2]
    assert shares[1] == pytest.approx(0.4, abs=1e-3)
    world(tmp_path / "gone", "line_worn=1")
    assert list((tmp_path / "day" / "meshes").glob("line_*"))
    assert not list((tmp_path / "gone" / "meshes").glob("line_*"))
