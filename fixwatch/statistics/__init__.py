"""Counts in, verdicts out: no I/O, no clock, no global random state."""
