"""Replays: the frames of a recording through any model, the answers beside the recorded ones."""
