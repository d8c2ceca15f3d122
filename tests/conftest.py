"""What all tests share."""

from hypothesis import settings

from tests.processes import (  # noqa: F401 - pytest finds its hooks here
    pytest_addoption,
    pytest_cmdline_main,
    pytest_configure,
    pytest_ignore_collect,
    pytest_report_header,
)

# On a busy machine a call may take any time: how long something takes is no test's business.
settings.register_profile("pitwall", deadline=None)
settings.load_profile("pitwall")
