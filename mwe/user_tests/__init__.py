"""A user's own pytest tests under the schedules: pytest runs them, each trial in a fresh process.

`command` starts a pytest of the user's interpreter with `plugin`; `item` runs one test once and
judges it, `trials` counts, `diagnosis` says what the counts mean. Needs pytest, numpy and numba.
"""
