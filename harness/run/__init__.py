"""One run, from its arguments to the processes that drive it."""
