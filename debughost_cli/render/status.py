"""The table of projects: in a terminal with colour, bars and links; piped as plain columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from debughost_cli.models import THIS_MACHINE, Companion, Freshness, Project, State, Stats
from debughost_cli.planning.drift import in_words
from debughost_cli.render.streams import Streams, inline
from debughost_cli.render.text import bar, columns, duration, size, sparkline, state_word
from debughost_cli.specs import HTTP
from debughost_cli.synced import SyncState

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

    from debughost_cli.services.results import EngineReport

WIDE = 100
"""Columns from which on whole URLs fit."""

_GAP = 2
"""Columns of the terminal between two of the table."""
_LONGEST, _SHORTEST = 1000, 4
"""Characters of a sparkline; a shorter one says nothing."""
_ID = 30
"""Characters of an id that are never folded where there is room for them and the state."""
_PROJECT, _STATE, _CPU, _MEMORY, _PLACE, _UPTIME, _ENGINE = range(7)
_RIGHT = (_MEMORY, _UPTIME)
_GOING = (_UPTIME, _MEMORY, _CPU, _PLACE)
"""The columns that a narrow terminal does without, in the order in which they go."""

_STYLES = {
    "running": "green",
    "starting": "yellow",
    "restarting": "yellow",
    "paused": "yellow",
    "unhealthy": "red",
    "crashed": "red",
    "no answer": "red",
}


def show(
    streams: Streams,
    projects: Sequence[Project],
    remedies: Callable[[Project], Sequence[str]] = lambda _: (),
    engines: Sequence[EngineReport] = (),
) -> None:
    """Prints the table, and under it what is not as it should be, with the command that helps.

    ``engines``: those that were asked, where that were several.
    """
    if not projects and not any(e.error for e in engines):
        streams.talk("No projects. Start one with 'debughost up'")
        return
    if streams.is_plain():
        several = _are_several(projects, engines)
        rows = [row for p in projects for row in _plain_rows(p)] + _silent_rows(engines)
        shown = [_headings(wide=True, several=True), *rows]
        shown = shown if several else [row[:_ENGINE] for row in shown]
        streams.stdout.write(columns(shown, (*_RIGHT, _CPU)))
    else:
        console = console_for(streams)
        width, pretty = console.width, console.is_terminal
        write(streams, console, table(projects, width=width, pretty=pretty, engines=engines))
    for project in projects:
        if further := extra_ports(project):
            streams.out(f"{label(project)}: {further}")
        if there := elsewhere(project):
            streams.out(f"{label(project)}: {project.url or 'its ports'} {there}")
        for line in reasons([project]):
            streams.out(line)
            # On a terminal, they are one below the other.
            streams.stdout.flush()
            for help_ in remedies(project)[:1]:
                streams.talk(f"  {help_}")


def console_for(streams: Streams) -> Console:
    """A console on stdout; piped, as wide as its content needs, so that nothing is ever cut."""
    from rich.console import Console

    tty = streams.stdout.isatty()
    color = streams.has_color(streams.stdout)
    return Console(
        file=streams.stdout,
        no_color=not color,
        force_terminal=color,
        highlight=False,
        markup=False,
        emoji=False,
        width=None if tty else 100_000,
    )


def write(streams: Streams, console: Console, renderable: RenderableType) -> None:
    """Prints through our own stream: rich turns a reader that went away into exit code 1."""
    with console.capture() as text:
        console.print(renderable)
    streams.stdout.write(text.get())


def table(
    projects: Sequence[Project],
    *,
    width: int,
    pretty: bool,
    history: Mapping[str, list[float]] | None = None,
    engines: Sequence[EngineReport] = (),
) -> Table:
    """A rich table. ``pretty``: bars and links; ``history``: CPU percents by label, for sparklines.

    A terminal that is too narrow for all columns loses bars first, then whole columns: never the
    project, nor its state.
    """
    from rich.table import Table

    several = _are_several(projects, engines)
    headings = _headings(wide=width >= WIDE, several=several)
    left = list(range(len(headings)))

    def cells(bars: int) -> list[list[Text]]:
        known = history or {}
        found = []
        for p in projects:
            cpu = _cpu(p.stats, bars, known.get(label(p)))
            found.append(_cells(_texts(p, width >= WIDE, cpu), pretty, p.url))
            found += [
                _cells(_service_texts(p, s, _cpu(s.stats, bars, None)), pretty, None)
                for s in p.services
            ]
        return found + [_cells(row, pretty, None) for row in _silent_rows(engines)]

    rows = cells(_LONGEST if pretty else 0)
    if pretty:
        missing = _needed(headings, rows, left, width) - width
        if missing > 0:
            bars = max(map(len, (history or {}).values()), default=0) - missing
            rows = cells(bars if bars >= _SHORTEST else 0)
        going = list(_GOING)
        while going and _needed(headings, rows, left, width) > width:
            left.remove(going.pop(0))
    made = Table(box=None, pad_edge=False, show_edge=False, header_style="bold" if pretty else "")
    for index in left:
        made.add_column(
            headings[index],
            justify="right" if index in _RIGHT or (index == _CPU and not pretty) else "left",
            overflow="fold",
            no_wrap=index != _PROJECT or not pretty,
        )
    for row in rows:
        made.add_row(*(row[index] for index in left))
    return made


def _needed(
    headings: Sequence[str], rows: Sequence[list[Text]], columns: Sequence[int], width: int
) -> int:
    """In a terminal of ``width``; ids that would take most of it may be folded."""
    widest = {c: max([len(headings[c]), *(row[c].cell_len for row in rows)]) for c in columns}
    widest[_PROJECT] = min(widest[_PROJECT], max(_ID, width // 2))
    return sum(widest.values()) + _GAP * (len(columns) - 1)


def _headings(*, wide: bool, several: bool) -> list[str]:
    names = ["PROJECT", "STATE", "CPU", "MEMORY", "URL" if wide else "PORT", "UPTIME"]
    return [*names, "ENGINE"] if several else names


def _are_several(projects: Sequence[Project], engines: Sequence[EngineReport]) -> bool:
    return bool(engines) or any(p.engine for p in projects)


def _silent_rows(engines: Sequence[EngineReport]) -> list[list[str]]:
    """One for each engine that did not answer: what it has is not known."""
    return [["?", "no answer", "-", "-", "-", "-", inline(e.name)] for e in engines if e.error]


def label(project: Project) -> str:
    """The project's id, with its engine where several were asked."""
    return inline(f"{project.project} on {project.engine}" if project.engine else project.project)


def _texts(project: Project, wide: bool, cpu: str) -> list[str]:
    return [
        inline(project.project),
        state_word(project),
        cpu,
        _memory(project.stats),
        (project.url if wide else str(project.port or "")) or "-",
        duration(project.uptime_seconds),
        inline(project.engine or "-"),
    ]


def _service_texts(project: Project, service: Companion, cpu: str) -> list[str]:
    """The row of a service under its project's."""
    word = "unhealthy" if service.health == "unhealthy" else service.state.value
    ports = " ".join(str(p.host_port) for p in service.ports)
    name = inline(f"{project.project}/{service.name}")
    engine = inline(project.engine or "-")
    return [name, word, cpu, _memory(service.stats), ports or "-", "-", engine]


def _plain_rows(project: Project) -> list[list[str]]:
    """A project's row and those of its services, piped."""
    services = [_service_texts(project, s, _cpu(s.stats, 0, None)) for s in project.services]
    return [_texts(project, True, _cpu(project.stats, 0, None)), *services]


def _cells(texts: list[str], pretty: bool, url: str | None) -> list[Text]:
    from rich.style import Style
    from rich.text import Text

    styles: list[str | Style] = [""] * len(texts)
    if pretty:
        styles[_STATE] = _STYLES.get(texts[_STATE], "")
        styles[_PLACE] = Style(link=url) if url else ""
    return [Text(text, style=style) for text, style in zip(texts, styles, strict=True)]


def _cpu(stats: Stats | None, bars: int, history: list[float] | None) -> str:
    """``bars``: how many characters the bars may take; 0 for none."""
    if stats is None:
        return "-"
    number = f"{stats.cpu_percent:.1f}%"
    if not bars:
        return number
    if history is not None:
        return f"{number:>6} {sparkline(history[-bars:], 100 * stats.cpu_limit)}"
    if stats.cpu_limit:
        return f"{number:>6} {bar(stats.cpu_percent / (100 * stats.cpu_limit))}"
    return number


def _memory(stats: Stats | None) -> str:
    return f"{size(stats.memory_bytes)} / {size(stats.memory_limit_bytes)}" if stats else "-"


def extra_ports(project: Project) -> str:
    """The published ports besides the project's own, such as ``mail at 127.0.0.1:8025``."""
    further = (p for p in project.ports if p.name != HTTP)
    return ", ".join(f"{inline(p.name)} at 127.0.0.1:{p.host_port}" for p in further)


def elsewhere(project: Project) -> str:
    """Of one that runs: on which other machine its URL is valid, and what brings it here."""
    if project.url_host in (None, THIS_MACHINE) or project.state is not State.RUNNING:
        return ""
    return f"on {inline(project.url_host)}; debughost forward -p {project.project}"


def reasons(projects: Sequence[Project]) -> list[str]:
    """One line for each project or service that ended otherwise than wished, or is not as
    configured.
    """
    found = []
    for project in projects:
        found += [(label(project), why)] if (why := _reason(project)) else []
        found += [
            (inline(f"{project.project}/{service.name}"), service.exit.message)
            for service in project.services
            if service.exit and not service.exit.expected
        ]
    return [f"{name}: {inline(why)}" for name, why in found]


def urgency(project: Project) -> int:
    """0 for what has failed, 1 for what is not ready, 2 for what is out of date, 3 for the rest."""
    word = state_word(project)
    if word == "unhealthy" or (project.exit and not project.exit.expected):
        return 0
    if word in ("starting", "restarting"):
        return 1
    return 2 if _reason(project) else 3


def _reason(project: Project) -> str:
    if project.exit and not project.exit.expected:
        return project.exit.message
    found = []
    # That nothing listens yet, its state says.
    if project.not_ready and project.not_ready.reason != "nothing_listens":
        found.append(project.not_ready.message)
    if project.drift:
        found.append(f"differs from its configuration: {', '.join(in_words(project.drift))}")
    if project.dependencies is Freshness.STALE:
        found.append("its packages are older than its manifest or lock file")
    if (sync := project.sync) and sync.state is SyncState.STALE:
        found.append(f"workspace: stale ({sync.files} file{'s' * (sync.files != 1)})")
    if sync and sync.state is SyncState.SYNCING:
        found.append("workspace: syncing")
    return "; ".join(found)
