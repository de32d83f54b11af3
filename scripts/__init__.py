"""Measurements of Fixwatch itself; run by make, never by the tests."""
