"""Why a launch left nothing, in one line of what it printed."""

import pytest

from harness.run.launching import reason_in

NODE_DIED = """\
\x1b[1mprocess[stats-2]: started with pid [14292]\x1b[0m
Traceback (most recent call last):
  File "/clone/harness/nodes/gazebo_node.py", line 9, in <module>
    import random
  File "/home/user/random.py", line 1, in <module>
    raise ImportError("not the one of Python")
ImportError: not the one of Python
\x1b[31m[gazebo-3] process has died [pid 14293, exit code 1, cmd gazebo_node.py].
log file: /logs/gazebo-3*.log\x1b[0m
Traceback (most recent call last):
  File "/clone/harness/nodes/stats_node.py", line 320, in main
KeyError: '/run'
\x1b[31m================REQUIRED process [stats-2] has died!
process has died [pid 14292, exit code 1, cmd stats_node.py].
"""
NO_NETWORK = """\
... logging to /logs/roslaunch.log
\x1b[31mRLException: Unable to contact my own server at [http://nonsense.example:34249/].
This usually means that the network is not configured properly.
\x1b[0m
\x1b[31mThe traceback for the exception was written to the log file\x1b[0m
"""


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (NODE_DIED, "ImportError: not the one of Python"),
        (
            NO_NETWORK,
            "RLException: Unable to contact my own server at [http://nonsense.example:34249/].",
        ),
        (f"error: no disk\n{NODE_DIED}error: brain_node: KeyError: 3\n", "brain_node: KeyError: 3"),
        ("started\nKilled\n\n", "roslaunch ended before the run began; it last said: Killed"),
        ("", "roslaunch ended before the run began; it last said: nothing"),
    ],
)
def test_the_reason_is_one_line(log: str, reason: str) -> None:
    assert reason_in(log) == reason
