"""debughost: one development container for a project, on a Docker Engine."""

__version__ = "0.1.0"
