"""The engine: a port in our terms, and docker-py behind it."""
