"""Results for people: sentences, and tables by rich, which is loaded only for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from debughost_cli.characters import message
from debughost_cli.errors import Failure
from debughost_cli.models import Action, State
from debughost_cli.render.status import console_for, elsewhere, extra_ports, label, write
from debughost_cli.render.streams import Streams, clean, inline
from debughost_cli.render.text import columns, size
from debughost_cli.resources import Network
from debughost_cli.services.results import (
    ImagesResult,
    ProjectResult,
    ProjectsResult,
    VolumesResult,
)

if TYPE_CHECKING:
    from debughost_cli.services.doctor import Check
    from debughost_cli.services.engine_load import EngineState


def error(streams: Streams, failure: Failure) -> None:
    """What happened, the end of the project's output where there is any, and a remedy."""
    tail = failure.details.get("log_tail")
    streams.talk(f"Error: {_indented(failure.message)} [{failure.code}]", "red")
    for line in tail if isinstance(tail, list | tuple) else ():
        streams.talk(f"  | {clean(str(line))}", "dim")
    if failure.hint:
        streams.talk(f"Hint: {_indented(failure.hint)}")


def _indented(text: str) -> str:
    """An engine's words may have several lines; none of them can pass for one of ours."""
    return message(text).replace("\n", "\n  ")


def projects(streams: Streams, result: ProjectsResult) -> None:
    """A line for each project: what was done, and where it answers."""
    for item in result.items:
        if item.plan:
            _plan(streams, item)
        elif item.action is not Action.FAILED:
            streams.out(_sentence(item))
        elif item.error and len(result.items) > 1:
            error(streams, item.error)
    if not result.items:
        streams.talk("Nothing to do: there are no projects")


def _sentence(item: ProjectResult) -> str:
    project = item.project
    name = label(project)
    if item.action is Action.UNCHANGED and project.state is None:
        return f"{name} does not exist"
    if item.action in (Action.STOPPED, Action.REMOVED) or project.state is not State.RUNNING:
        done = "is stopped already" if item.action is Action.UNCHANGED else item.action.value
        why = (
            f": it {inline(project.exit.message)}"
            if item.action is Action.STOPPED and project.exit
            else ""
        )
        return f"{name} {done}{why}"
    url = f" at {project.url}" if project.url else ""
    further = extra_ports(project)
    url += f"{', ' if url else ', with '}{further}" if further else ""
    url += f" {there}" if (there := elsewhere(project)) else ""
    ready = "" if project.ready else " (not ready yet)"
    why = f" ({inline(item.why)})" if item.why else ""
    return f"{name} {item.action.value}{why}, running{url}{ready}"


def _plan(streams: Streams, item: ProjectResult) -> None:
    streams.out(f"{label(item.project)} would be {item.action.value}")
    for step in item.plan.steps if item.plan else ():
        streams.out(
            f"  {step.kind.value.replace('_', ' ')} {inline(step.target)} ({inline(step.reason)})"
        )
    for drift in item.project.drift:
        change = f"{drift.field}: {drift.have} -> {drift.want}"
        streams.out(f"  {inline(change)}")


def table(streams: Streams, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table as wide as the terminal; piped, as wide as its content, with nothing cut."""
    texts = [[inline(str(cell)) for cell in row] for row in rows]
    names = [heading.lstrip(">") for heading in headings]
    if streams.is_plain() and all(cell.isascii() for row in texts for cell in row):
        right = {i for i, heading in enumerate(headings) if heading.startswith(">")}
        streams.stdout.write(columns([names, *texts], right))
        return
    from rich.table import Table
    from rich.text import Text

    console = console_for(streams)
    tty = console.is_terminal
    made = Table(box=None, pad_edge=False, show_edge=False, header_style="bold" if tty else "")
    for heading, name in zip(headings, names, strict=True):
        made.add_column(
            name, justify="right" if heading.startswith(">") else "left", overflow="fold",
            no_wrap=not tty,
        )  # fmt: skip
    for row in texts:
        made.add_row(*map(Text, row))
    write(streams, console, made)


def check(streams: Streams, found: Check) -> None:
    """A line of ``doctor``: the status as a word, for not everybody sees colours."""
    style = {"ok": "green", "warning": "yellow", "failed": "red"}[found.status]
    word = streams.styled(f"{found.status:8}", style, streams.stdout)
    streams.out(f"{word} {found.name}: {inline(found.message)}")
    if found.hint:
        streams.out(f"         {inline(found.hint)}")


def network(streams: Streams, found: Network, *, done: str) -> None:
    """One line about the network."""
    count = len(found.containers)
    streams.out(
        f"{found.name} {done}: {found.driver}, subnet {found.subnet}, gateway {found.gateway}, "
        f"{count} container{'' if count == 1 else 's'}"
    )


def engines(streams: Streams, found: Sequence[EngineState]) -> None:
    """The table of engines."""
    rows = [
        (
            e.report.name,
            e.report.endpoint or "-",
            "no answer" if e.report.error else "answers",
            e.version or "-",
            f"{size(e.load.free_bytes)} of {size(e.load.memory_bytes)}" if e.load else "-",
            _projects(e),
        )
        for e in found
    ]
    table(streams, ("NAME", "ADDRESS", "STATE", "VERSION", ">FREE MEMORY", ">PROJECTS"), rows)


def _projects(engine: EngineState) -> str:
    """``2 of 5`` where no more than five may run."""
    if engine.load is None:
        return "-"
    count = str(engine.load.projects)
    return f"{count}, {engine.load.running} of {engine.capacity} run" if engine.capacity else count


def volumes(streams: Streams, result: VolumesResult) -> None:
    """The table of volumes."""
    if not result.volumes:
        streams.talk("No volumes")
        return
    rows = [
        (v.name, v.project or "-", size(v.size_bytes), "yes" if v.in_use else "no")
        for v in result.volumes
    ]
    table(streams, ("VOLUME", "PROJECT", ">SIZE", "IN USE"), rows)


def images(streams: Streams, result: ImagesResult) -> None:
    """The table of base images, and of those with packages."""
    rows = [
        (
            e.type,
            e.ref,
            ("here" if e.current else "here, outdated") if e.image else "missing",
            size(e.image.size_bytes if e.image else None),
            " ".join(e.packages),
        )
        for e in (*result.images, *result.variants)
    ]
    headings = ("TYPE", "IMAGE", "STATE", ">SIZE", "PACKAGES")
    used = len(headings) if any(row[-1] for row in rows) else -1
    table(streams, headings[:used], [row[:used] for row in rows])
