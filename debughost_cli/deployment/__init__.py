"""Where a project's containers live: their lifecycle, and how the workspace gets to them."""
