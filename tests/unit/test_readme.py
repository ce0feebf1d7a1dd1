"""What README.md and the other pages name exists: tests, modules, files."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def promises() -> list[str]:
    """The numbered items under "What it promises"."""
    text = (ROOT / "README.md").read_text("utf-8")
    _, _, rest = text.partition("## What it promises")
    section, _, _ = rest.partition("\n## ")
    return re.split(r"^\d+\. ", section, flags=re.MULTILINE)[1:]


def test_every_promise_is_held_by_a_test_that_exists() -> None:
    found = promises()
    assert len(found) == 10
    for promise in found:
        named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", promise)
        assert named, promise
        for file, test in named:
            assert f"def {test}(" in (ROOT / "tests" / "e2e" / file).read_text("utf-8"), test


def test_every_module_that_the_guide_for_contributors_names_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    _, _, rest = text.partition("## Where a change goes")
    section, _, _ = rest.partition("\n## Tests")
    named = {n for n in re.findall(r"`([\w/]+(?:\.py|/))`", section) if n != "debughost_cli/"}
    assert len(named) > 10
    places = (ROOT, ROOT / "debughost_cli")
    assert {n for n in named if not any((p / n).exists() for p in places)} == set()


def test_every_link_to_a_file_of_the_repository_leads_somewhere() -> None:
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
