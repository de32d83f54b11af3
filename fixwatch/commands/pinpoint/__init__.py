"""The search for the commit at which the failure rate changes."""
