"""Subjects with planted faults: each detector must catch its own and flag nothing else."""
