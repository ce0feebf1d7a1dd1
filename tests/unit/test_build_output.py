"""The step that each line of a build belongs to."""

from __future__ import annotations

import pytest

from debughost_cli.services.build_output import BuildOutput


@pytest.mark.parametrize(
    ("texts", "lines"),
    [
        (["Step 1/9 : FROM x"], ["[1/9] FROM x"]),
        (
            ["Step 10/12 : RUN apt-get update", " ---> Running in a9ba3c7f7e0", "Get:1 http://x"],
            ["[10/12] RUN apt-get update", "[10/12] Get:1 http://x"],
        ),
        (["Step 1/2 : A\nStep 2/2 : B\nb"], ["[1/2] A\n[2/2] B\n[2/2] b"]),
        (["Sending build context"], ["Sending build context"]),
        (["Step by step : no step"], ["Step by step : no step"]),
        (["Step 1/1 : A", "Removed intermediate container 12", " "], ["[1/1] A"]),
    ],
)
def test_each_line_has_its_step(texts: list[str], lines: list[str]) -> None:
    seen: list[str] = []
    output = BuildOutput(seen.append)
    for text in texts:
        output(text)
    assert [s for s in seen if s.strip()] == lines
