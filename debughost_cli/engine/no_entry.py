"""What engines report where the container's user may not enter its workspace."""

from __future__ import annotations

NO_ENTRY = (
    r"chdir to cwd \(\"/app\"\) set in config\.json failed: permission denied"
    r"|chdir to `?/app`?: permission denied"
)
"""Parts of what runc and crun report."""

NO_ENTRY_PREFIX = "the container's user may not enter the workspace: "
NO_ENTRY_HINT = (
    "Let it enter: chmod o+rx or setfacl on the folder; an engine that maps users (userns-remap, "
    "rootless) runs it as another user of its machine"
)
