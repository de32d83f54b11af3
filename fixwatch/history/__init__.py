"""Which releases and commits there are, and how they are built."""
