"""Measurements of Fixwatch itself, with tables for docs/measurements.md; the schemas in docs/."""
