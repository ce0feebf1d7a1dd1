"""What the user wants: settings, detection, workspace, and the project that they resolve to."""
