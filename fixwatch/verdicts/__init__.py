"""What the records say: the only place that decides."""
