"""The weekly check: the newest revisions beside controls, against the recorded status."""
