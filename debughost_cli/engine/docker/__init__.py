"""The engine port over docker-py: one part for each kind of object, over one connection."""
