"""Fixwatch tells which defects of the simulator upstream has fixed, and since when."""
