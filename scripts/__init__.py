"""Measurements of Fixwatch itself: each script writes its tables into docs/measurements.md."""
