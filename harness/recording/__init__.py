"""What a run leaves: its bag and its result, written and read."""
