"""Notices the death of another node of the run."""

import http.client
import threading
import xmlrpc.client
from collections.abc import Callable

import rosgraph
import rospy

from harness.run.supervision import MASTER

_PERIOD_S = 0.5
_TIMEOUT_S = 3.0


class _Transport(xmlrpc.client.Transport):
    """A hung node must not hang its watcher."""

    def make_connection(self, host: object) -> http.client.HTTPConnection:
        connection = super().make_connection(host)  # type: ignore[arg-type]
        connection.timeout = _TIMEOUT_S
        return connection


class NodeWatch(threading.Thread):
    """Asks nodes for a sign of life; tells once of each that had one and lost it.

    A node that does not answer in time may only be busy: that is no death. A refused connection
    or a registration that is gone is one. Where the master itself is gone, `MASTER` has died and
    nothing can be said of the others.
    """

    def __init__(self, names: tuple[str, ...], on_death: Callable[[str], None]) -> None:
        super().__init__(name="node_watch", daemon=True)
        self._names = set(names)
        self._seen: set[str] = set()
        self._on_death = on_death
        self._stop = threading.Event()

    def run(self) -> None:
        """Watches until stopped."""
        master = rosgraph.Master(rospy.get_name())
        while not self._stop.wait(_PERIOD_S):
            try:
                self._look(master)
            except OSError:
                self._on_death(MASTER)
                return

    def lives(self, name: str) -> None:
        """A node gave a sign of life by itself: its death counts even before the first look."""
        self._seen.add(name)

    def stop(self) -> None:
        """Ends the watch."""
        self._stop.set()

    def _look(self, master: rosgraph.Master) -> None:
        """Raises OSError where the master does not answer."""
        for name in tuple(self._names):
            try:
                lives = _answers(master.lookupNode(name))
            except rosgraph.MasterException:  # not registered
                lives = False
            if lives:
                self._seen.add(name)
            elif name in self._seen:
                self._names.discard(name)
                self._on_death(name)


def _answers(address: str) -> bool:
    try:
        xmlrpc.client.ServerProxy(address, transport=_Transport()).getPid(rospy.get_name())
    except TimeoutError:
        return True
    except (OSError, http.client.HTTPException):
        return False
    return True
