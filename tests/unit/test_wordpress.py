"""What is said of the database of a WordPress."""

from __future__ import annotations

from pathlib import Path

import pytest

from debughost_cli.project.detect.wordpress import missing_database
from debughost_cli.project.reader import Folder


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "there is no wp-config.php"),
        ({"wp-config-sample.php": "define( 'DB_HOST', 'db' );"}, "there is no wp-config.php"),
        ({"wp-config.php": "<?php\ndefine( 'DB_HOST', 'localhost' );"}, "names localhost"),
        ({"wp-config.php": '<?php\ndefine("DB_HOST", "127.0.0.1:3306");'}, "names 127.0.0.1"),
        ({"wp-config.php": "<?php\ndefine('DB_HOST', 'db');"}, ""),
        ({"wp-config.php": "<?php\ndefine('DB_HOST', getenv('DB_HOST'));"}, ""),
        ({"wp-config.php": "<?php\n// define('DB_HOST', 'localhost');\n"}, ""),
        ({"wp-content/db.php": "<?php // SQLite"}, ""),
    ],
)
def test_a_wordpress_without_a_database_is_told_how_to_get_one(
    tmp_path: Path, files: dict[str, str], said: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    warnings = missing_database(Folder(tmp_path))
    assert len(warnings) == bool(said)
    assert all(said in warning.message for warning in warnings)
