"""The Gazebo plugins in a real gzserver, driven over ROS as any client would."""

import gc
import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.run.simulator import Simulator, free_port, stop

pytestmark = [pytest.mark.sim, pytest.mark.timeout(300)]

WORLD = Path(__file__).with_name("box_car.world")
PATIENCE_S = 60.0  # nothing is asserted about wall time; this only ends a test that hangs
FRAME_NS = 50_000_000


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"gave up waiting: {what}"
        time.sleep(0.005)


def processes_with(setting: str) -> list[str]:
    """Command lines of the running processes that have this in their environment."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and setting.encode() in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_text())
        except OSError:
            continue  # it ended meanwhile
    return found


def xmlrpc_server() -> Any:
    """The server of this process' node, which rospy keeps to itself."""
    from rosgraph.xmlrpc import ThreadingXMLRPCServer

    (server,) = (thing for thing in gc.get_objects() if isinstance(thing, ThreadingXMLRPCServer))
    return server


@pytest.fixture(scope="module")
def ros() -> Iterator[Any]:
    """A ROS master of our own, and this process as a node of it."""
    uri = f"http://127.0.0.1:{free_port()}"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ROS_MASTER_URI", uri)
        environment.setenv("ROS_IP", "127.0.0.1")
        master = subprocess.Popen(["roscore", "-p", uri.rsplit(":", 1)[1]], start_new_session=True)
        try:
            import rosgraph
            import rospy

            wait_until(rosgraph.is_master_online, "roscore")
            rospy.init_node("test_plugin", disable_rostime=True, disable_signals=True)
            server = xmlrpc_server()
            yield rospy
            rospy.signal_shutdown("end of the tests")
            # rospy closes this server's socket and lets its thread go on polling it, which takes a
            # whole core from the tests that follow in this process.
            server.shutdown()
        finally:
            os.killpg(master.pid, signal.SIGINT)
            master.wait()


def collect(message: Any, messages: list[Any]) -> None:
    """Appends a message; one from before a reset, on its way until then, is dropped by the next."""
    if messages and message.header.stamp < messages[-1].header.stamp:
        messages.clear()
    messages.append(message)


class Client:
    """Collects what the simulator publishes and calls its services."""

    def __init__(self, rospy: Any) -> None:
        from gazebo_msgs.msg import ContactsState, PerformanceMetrics
        from geometry_msgs.msg import Twist
        from harness_msgs.msg import Advance
        from nav_msgs.msg import Odometry
        from rosgraph_msgs.msg import Clock
        from sensor_msgs.msg import CameraInfo, Image

        self._rospy = rospy
        self.speed_m_s: float | None = None
        self.odometry: list[Any] = []
        self.images: list[Any] = []
        self.contacts: list[Any] = []
        self.clock_s: list[float] = []
        self.camera_info: list[Any] = []
        self.performance: list[Any] = []
        self._twist = Twist
        self._drive = rospy.Publisher("/F1ROS/cmd_vel", Twist, queue_size=1, tcp_nodelay=True)
        self.advance = rospy.Publisher("/gazebo/advance", Advance, queue_size=10, tcp_nodelay=True)
        self._subscribers = [
            rospy.Subscriber(name, kind, callback, queue_size=1000, buff_size=2**24)
            for name, kind, callback in (
                ("/F1ROS/odom", Odometry, self._on_odometry),
                ("/F1ROS/cameraL/image_raw", Image, lambda image: collect(image, self.images)),
                ("/F1ROS/cameraL/camera_info", CameraInfo, self.camera_info.append),
                ("/F1ROS/contacts", ContactsState, lambda told: collect(told, self.contacts)),
                ("/gazebo/performance_metrics", PerformanceMetrics, self.performance.append),
                ("/clock", Clock, lambda message: self.clock_s.append(message.clock.to_sec())),
            )
        ]

    def _on_odometry(self, message: Any) -> None:
        collect(message, self.odometry)
        if self.speed_m_s is not None:
            self.publish(self.speed_m_s)

    def publish(self, speed_m_s: float) -> None:
        twist = self._twist()
        twist.linear.x = speed_m_s
        self._drive.publish(twist)

    def call(self, name: str, kind: Any = None, *arguments: Any) -> Any:
        from std_srvs.srv import Empty

        self._rospy.wait_for_service(f"/gazebo/{name}", PATIENCE_S)
        return self._rospy.ServiceProxy(f"/gazebo/{name}", kind or Empty)(*arguments)

    def connected(self) -> bool:
        talking: bool = all(s.get_num_connections() for s in self._subscribers)
        return talking and all(p.get_num_connections() for p in (self._drive, self.advance))

    def forget(self) -> None:
        for collected in (self.odometry, self.images, self.contacts, self.clock_s):
            collected.clear()

    @property
    def x_m(self) -> float:
        return float(self.odometry[-1].pose.pose.position.x)

    @property
    def measured_speed_m_s(self) -> float:
        return float(self.odometry[-1].twist.twist.linear.x)

    @property
    def time_s(self) -> float:
        return float(self.odometry[-1].header.stamp.to_sec()) if self.odometry else 0.0

    def wait_sim(self, duration_s: float) -> None:
        wait_until(lambda: bool(self.odometry), "odometry")
        end_s = self.time_s + duration_s
        wait_until(lambda: self.time_s >= end_s, f"simulated time {end_s}")

    def close(self) -> None:
        for subscriber in self._subscribers:
            subscriber.unregister()
        self._drive.unregister()
        self.advance.unregister()


@contextmanager
def running(rospy: Any, clock_mode: str) -> Iterator[Client]:
    """A fresh, paused simulator with a client; ends both and looks for what they left behind."""
    rospy.set_param("/gazebo/clock_mode", clock_mode)
    simulator = Simulator.from_environment(WORLD)
    process = simulator.start()
    try:
        client = Client(rospy)
        wait_until(lambda: client.connected() or process.poll() is not None, "the simulator")
        assert process.poll() is None
        yield client
        client.close()
    finally:
        stop(process)
    own = f"GAZEBO_MASTER_URI=http://127.0.0.1:{simulator.gazebo_port}"
    wait_until(lambda: not processes_with(own), "the end of every process of the simulator")


@pytest.fixture(scope="class")
def server(ros: Any) -> Iterator[Client]:
    with running(ros, "realtime") as client:
        yield client


@pytest.fixture
def car(server: Client) -> Client:
    """The car at its start, the world running."""
    server.speed_m_s = None
    server.call("pause_physics")
    server.call("reset_simulation")
    server.forget()
    server.call("unpause_physics")
    server.wait_sim(0.1)
    # None need follow one from before the reset, whose stamp is yet to come.
    server.contacts[:] = [m for m in server.contacts if m.header.stamp.to_sec() <= server.time_s]
    return server


class TestRealtime:
    """One server for all of them; each begins with a reset."""

    def test_clock_is_published_at_100_hz_of_simulated_time(self, car: Client) -> None:
        car.wait_sim(1.0)
        steps = [round(b - a, 9) for a, b in zip(car.clock_s, car.clock_s[1:], strict=False)]
        assert set(steps) == {0.01}

    def test_camera_delivers_20_images_per_simulated_second(self, car: Client) -> None:
        wait_until(lambda: len(car.images) > 40, "images")
        images = car.images[:41]
        seconds = [image.header.stamp.to_sec() for image in images]
        assert seconds[-1] - seconds[0] == pytest.approx(2.0, abs=1e-9)
        assert [image.header.seq - images[0].header.seq for image in images] == list(range(41))
        assert {(i.width, i.height, i.encoding, i.step, len(i.data)) for i in images} == {
            (640, 480, "rgb8", 1920, 921600)
        }
        assert images[0].header.frame_id == "camera_left"
        middle = images[-1].data[(240 * 640 + 320) * 3 :][:3]
        assert middle[0] > 2 * middle[1], "the red wall stands in front of the camera"

    def test_camera_info_is_the_pinhole_of_the_sdf(self, car: Client) -> None:
        wait_until(lambda: bool(car.camera_info), "camera info")
        info = car.camera_info[-1]
        assert info.K[0] == pytest.approx(320.25, abs=0.05)  # 320 px / tan(1.57 / 2)
        assert (info.K[2], info.K[5]) == (320.0, 240.0)

    def test_drive_follows_the_command_and_odometry_measures_it(self, car: Client) -> None:
        car.speed_m_s = 1.0
        wait_until(lambda: car.x_m > 0.5, "the car to drive")
        before = car.odometry[-1]
        car.wait_sim(0.5)
        after = car.odometry[-1]
        elapsed_s = (after.header.stamp - before.header.stamp).to_sec()
        distance_m = after.pose.pose.position.x - before.pose.pose.position.x
        assert distance_m / elapsed_s == pytest.approx(1.0, rel=1e-3)
        assert after.twist.twist.linear.x == pytest.approx(1.0, rel=1e-3)
        assert (after.header.frame_id, after.child_frame_id) == ("odom", "base_link")

    def test_car_stops_half_a_simulated_second_after_its_last_command(self, car: Client) -> None:
        car.publish(1.0)
        wait_until(lambda: car.x_m > 0.1, "the car to drive")
        wait_until(
            lambda: car.measured_speed_m_s == pytest.approx(0.0, abs=1e-6), "the car to stop"
        )
        assert car.x_m == pytest.approx(0.5, abs=0.002)

    def test_command_that_is_not_finite_is_ignored(self, car: Client) -> None:
        car.publish(float("nan"))
        car.wait_sim(0.2)
        assert car.x_m == pytest.approx(0.0, abs=1e-6)

    def test_wall_stops_the_car_and_is_reported(self, car: Client) -> None:
        car.speed_m_s = 4.0
        wait_until(lambda: bool(car.contacts), "the wall")
        car.wait_sim(0.5)
        # The face of the wall is at 5.9 m, the front of the box 0.45 m before its origin.
        assert car.x_m == pytest.approx(5.45, abs=0.02)
        assert car.measured_speed_m_s == pytest.approx(0.0, abs=0.01)
        contact = car.contacts[-1]
        names = {(s.collision1_name, s.collision2_name) for s in contact.states}
        assert all("wall" in first + second and "f1" in first + second for first, second in names)
        assert abs(contact.header.stamp.to_sec() - car.time_s) < 0.1

    def test_floor_is_no_contact(self, car: Client) -> None:
        car.wait_sim(0.5)
        assert not car.contacts

    def test_pause_holds_time_and_unpause_goes_on(self, car: Client) -> None:
        from gazebo_msgs.srv import GetWorldProperties

        car.call("pause_physics")
        held_s = car.call("get_world_properties", GetWorldProperties).sim_time
        time.sleep(0.2)
        assert car.call("get_world_properties", GetWorldProperties).sim_time == held_s
        car.call("unpause_physics")
        wait_until(lambda: car.time_s > held_s, "time to go on")

    def test_reset_world_moves_the_car_and_reset_simulation_also_the_time(
        self, car: Client
    ) -> None:
        from gazebo_msgs.srv import GetWorldProperties

        car.speed_m_s = 1.0
        wait_until(lambda: car.x_m > 0.5, "the car to drive")
        car.speed_m_s = None
        time_s = car.time_s
        car.call("reset_world")
        wait_until(lambda: car.x_m < 0.1, "the car at its start")
        assert car.time_s >= time_s
        car.call("pause_physics")
        car.call("reset_simulation")
        assert car.call("get_world_properties", GetWorldProperties).sim_time == 0.0

    def test_set_and_get_model_state(self, car: Client) -> None:
        from gazebo_msgs.msg import ModelState
        from gazebo_msgs.srv import GetModelState, SetModelState

        state = ModelState(model_name="f1")
        state.pose.position.x, state.pose.position.y, state.pose.position.z = -3.0, 2.0, 0.15
        state.pose.orientation.z = state.pose.orientation.w = 0.5**0.5
        assert car.call("set_model_state", SetModelState, state).success
        answer = car.call("get_model_state", GetModelState, "f1", "")
        assert (answer.success, answer.pose.position.x, answer.pose.position.y) == (
            True,
            pytest.approx(-3.0, abs=1e-6),
            pytest.approx(2.0, abs=1e-6),
        )
        # Seen from the car, which looks along y, the wall at (6, 0) lies 9 m right, 2 m back.
        seen = car.call("get_model_state", GetModelState, "wall", "f1").pose.position
        assert (seen.x, seen.y) == (pytest.approx(-2.0, abs=1e-6), pytest.approx(-9.0, abs=1e-6))
        car.wait_sim(0.1)
        speeds = [abs(o.twist.twist.linear.x) for o in car.odometry]
        assert max(speeds) < 0.01, "being placed is no driving"

    def test_unknown_model_is_refused_with_a_reason(self, car: Client) -> None:
        from gazebo_msgs.msg import ModelState
        from gazebo_msgs.srv import GetModelState, SetModelState

        assert "nobody" in car.call("get_model_state", GetModelState, "nobody", "").status_message
        answer = car.call("set_model_state", SetModelState, ModelState(model_name="nobody"))
        assert (answer.success, "nobody" in answer.status_message) == (False, True)

    def test_physics_properties_are_set_and_read(self, car: Client) -> None:
        from gazebo_msgs.srv import GetPhysicsProperties, SetPhysicsProperties

        was = car.call("get_physics_properties", GetPhysicsProperties)
        assert (was.success, was.time_step, was.max_update_rate) == (True, 0.001, 1000.0)
        was.ode_config.sor_pgs_iters = 60
        new = (0.002, 500.0, was.gravity, was.ode_config)
        assert car.call("set_physics_properties", SetPhysicsProperties, *new).success
        now = car.call("get_physics_properties", GetPhysicsProperties)
        assert (now.time_step, now.max_update_rate, now.ode_config.sor_pgs_iters) == (
            0.002,
            500.0,
            60,
        )
        old = (0.001, 1000.0, was.gravity, was.ode_config)
        assert car.call("set_physics_properties", SetPhysicsProperties, *old).success
        refused = (0.0, 1000.0, was.gravity, was.ode_config)
        assert not car.call("set_physics_properties", SetPhysicsProperties, *refused).success

    def test_performance_metrics_count_the_camera(self, car: Client) -> None:
        car.performance.clear()
        wait_until(lambda: len(car.performance) > 2, "performance metrics")
        last = car.performance[-1]
        assert last.real_time_factor > 0.0
        assert [sensor.name for sensor in last.sensors] == ["default::f1::base_link::camera"]
        assert last.sensors[0].sim_update_rate > 0.0


def drive_scripted(client: Client, frames: int) -> tuple[str, str, str]:
    """Hashes of odometry, contacts and images of a scripted drive, one horizon a frame."""
    import rospy
    from harness_msgs.msg import Advance, ScheduledTwist

    for frame in range(1, frames + 1):
        command = ScheduledTwist()
        # Between two frames: the latency of a command is not a multiple of the camera's period.
        command.effective = rospy.Time(0, (frame - 1) * FRAME_NS + 13_000_000)
        command.twist.linear.x = 2.0 + frame % 3
        command.twist.angular.z = 0.3 * (frame % 5 - 2)
        until = rospy.Time(0, frame * FRAME_NS)
        client.advance.publish(Advance(until=until, commands=[command]))
        wait_until(
            lambda expected=frame: len(client.images) >= expected,  # type: ignore[misc]
            f"frame {frame}",
        )
        assert client.images[-1].header.stamp == until
    wait_until(lambda: client.time_s >= frames * FRAME_NS * 1e-9, "the last odometry")
    odometry = repr([(m.header.stamp, m.pose, m.twist) for m in client.odometry]).encode()
    contacts = repr([(m.header.stamp, m.states) for m in client.contacts]).encode()
    images = b"".join(image.data for image in client.images)
    first, second, third = (hashlib.sha256(d).hexdigest() for d in (odometry, contacts, images))
    return first, second, third


def test_lockstep_holds_at_the_horizon_and_serves_there(ros: Any) -> None:
    from gazebo_msgs.msg import ModelState
    from gazebo_msgs.srv import GetWorldProperties, SetModelState
    from harness_msgs.msg import Advance

    def time_s() -> float:
        return float(client.call("get_world_properties", GetWorldProperties).sim_time)

    with running(ros, "lockstep") as client:
        client.advance.publish(Advance(until=ros.Time(0, FRAME_NS)))
        time.sleep(0.2)
        assert time_s() == 0.0, "paused: the horizon alone moves nothing"
        client.call("unpause_physics")
        wait_until(lambda: len(client.images) == 1, "the first frame")
        time.sleep(0.2)
        assert (time_s(), len(client.images)) == (0.05, 1)

        state = ModelState(model_name="f1")
        state.pose.position.x, state.pose.position.z = -2.0, 0.15
        assert client.call("set_model_state", SetModelState, state).success
        client.call("unpause_physics")
        time.sleep(0.1)
        assert time_s() == 0.05, "neither placing the car nor unpausing passes the horizon"

        # Several times: a lost first frame or one of before the reset was a matter of luck.
        for _ in range(10):
            client.call("reset_simulation")
            assert time_s() == 0.0
            client.images.clear()
            client.advance.publish(Advance(until=ros.Time(0, 2 * FRAME_NS)))
            wait_until(lambda: time_s() == 0.1 and len(client.images) >= 2, "two frames")
            assert [image.header.stamp.to_sec() for image in client.images] == [0.05, 0.1]


def test_lockstep_repeats_bit_for_bit_in_a_fresh_server(ros: Any) -> None:
    hashes = []
    for _ in range(2):
        with running(ros, "lockstep") as client:
            client.call("unpause_physics")
            hashes.append(drive_scripted(client, frames=60))
            assert client.contacts, "the script must reach the wall: its contacts are compared too"
    assert hashes[0] == hashes[1]


def test_missing_ros_master_is_one_clear_line(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROS_MASTER_URI", f"http://127.0.0.1:{free_port()}")
    process = Simulator.from_environment(WORLD).start()
    status = process.wait(PATIENCE_S)
    stop(process)
    assert status != 0
    assert "error: no ROS master at" in capfd.readouterr().err
