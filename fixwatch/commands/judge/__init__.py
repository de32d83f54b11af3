"""The verdict on a working tree of an upstream."""
