"""The command ``mine``: a user's own tests, and what becomes of their failures elsewhere."""
