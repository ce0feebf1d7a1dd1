"""What apt says about packages that cannot be installed."""

from __future__ import annotations

import pytest

from debughost_cli.planning.packages import has_no_apt, unknown_packages


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["Reading state information...", "E: Unable to locate package ffmpegg"], ("ffmpegg",)),
        (
            ["\x1b[91mE: Unable to locate package a1", "E: Unable to locate package g++\x1b[0m"],
            ("a1", "g++"),
        ),
        (["E: Package 'awk' has no installation candidate"], ("awk",)),
        (["E: Package awk has no installation candidate"], ("awk",)),
        (["E: Version '7:0.1-1' for 'ffmpeg' was not found"], ("ffmpeg=7:0.1-1",)),
        (["E: Failed to fetch http://deb.debian.org/debian/x  Connection failed"], ()),
        ([], ()),
    ],
)
def test_packages_that_do_not_exist(lines: list[str], expected: tuple[str, ...]) -> None:
    assert unknown_packages(lines) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/bin/sh: apt-get: not found", True),
        ("/bin/sh: line 1: apt-get: command not found", True),
        ("E: Unable to locate package apt-get", False),
    ],
)
def test_an_image_without_apt(line: str, expected: bool) -> None:
    assert has_no_apt([line]) is expected
