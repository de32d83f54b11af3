"""The plan of batches and the client that runs them in an environment."""
