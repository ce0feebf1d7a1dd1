"""The site is built without a warning, and shows every page."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_site_is_built_without_warnings(tmp_path: Path) -> None:
    # A page that the first one does not list, and a link that leads nowhere, are such warnings.
    command = [sys.executable, "-m", "sphinx", "-qW", "--keep-going", str(ROOT / "docs")]
    done = subprocess.run([*command, tmp_path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for page in ROOT.glob("docs/**/*.md"):
        made = tmp_path / page.relative_to(ROOT / "docs").with_suffix(".html")
        assert made.is_file(), page


def test_no_page_needs_more_than_a_code_host_shows() -> None:
    for page in ROOT.glob("docs/**/*.md"):
        text = page.read_text("utf-8")
        assert "```{" not in text, page
        assert "\n:::" not in text, page
