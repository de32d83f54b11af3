"""The weekly check of what is recorded against upstream as it is now."""
