"""Fixwatch tells whether upstream has fixed the race, and since which commit or release."""
