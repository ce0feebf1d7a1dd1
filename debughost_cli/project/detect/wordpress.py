"""WordPress: the database that it cannot do without."""

from __future__ import annotations

import re

from debughost_cli.models import Warn
from debughost_cli.project.reader import Folder

_CONFIG = "wp-config.php"
_ANOTHER_DATABASE = "wp-content/db.php"
"""A plug-in that takes the place of MySQL, such as the one for SQLite."""
_HOST = re.compile(
    r"^\s*define\(\s*['\"]DB_HOST['\"]\s*,\s*['\"](localhost|127\.0\.0\.1|::1)\b", re.MULTILINE
)


def missing_database(folder: Folder) -> tuple[Warn, ...]:
    """Why WordPress reaches no database, and how it gets one; none where nothing shows that."""
    if folder.has(_ANOTHER_DATABASE):
        return ()
    host = _HOST.search(folder.source(_CONFIG))
    if folder.has(_CONFIG) and not host:
        return ()
    why = (
        f"{_CONFIG} names {host[1]}, which is the container itself"
        if host
        else f"there is no {_CONFIG} that names one"
    )
    text = (
        f"WordPress needs a MySQL database, and {why}: start one, as in 'docker run -d --name db "
        "--network {network} -e MARIADB_DATABASE=wordpress -e MARIADB_ROOT_PASSWORD=... mariadb', "
        f"and name it in {_CONFIG} as DB_HOST"
    )
    return (Warn("DATABASE_MISSING", text),)
