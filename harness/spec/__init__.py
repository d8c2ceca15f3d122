"""What a run or a replay is asked to be: the arguments of the launch files, checked."""
