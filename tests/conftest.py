"""What all tests share."""

from hypothesis import settings

# On a busy machine a call may take any time: how long something takes is no test's business.
settings.register_profile("pitwall", deadline=None)
settings.load_profile("pitwall")
