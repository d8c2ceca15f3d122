"""Imported first by the programs beside it: Python's search path, as it is to be here.

Ours comes first and Python's own next. What the user's PYTHONPATH names is for own brains alone
(brains/loading.py): a `random.py` there must not end every program.
"""

import os
import sys

_PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
# pathlib and its like may be hidden by what is about to be taken off the path.
_given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
sys.path[:] = [_PROJECT, *(entry for entry in sys.path[1:] if entry not in _given)]

from harness.run.environment import settle  # noqa: E402

settle(os.environ)
