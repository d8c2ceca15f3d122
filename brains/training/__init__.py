"""Data sets from recordings, training, export."""
