"""Packages as of a date, builds, their exceptions, and parts of the CUDA toolkit."""
