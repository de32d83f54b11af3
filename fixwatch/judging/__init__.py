"""Judging a working tree: whether the race still shows in it."""
