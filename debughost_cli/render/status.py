"""The table of projects: in a terminal with colour, bars and links; piped as plain columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from debughost_cli.models import Freshness, Project, Stats
from debughost_cli.planning.drift import in_words
from debughost_cli.render.streams import Streams, inline
from debughost_cli.render.text import bar, duration, size, sparkline, state_word

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

WIDE = 100
"""Columns from which on whole URLs fit."""

_STYLES = {
    "running": "green",
    "starting": "yellow",
    "restarting": "yellow",
    "paused": "yellow",
    "unhealthy": "red",
    "crashed": "red",
}


def show(
    streams: Streams,
    projects: Sequence[Project],
    remedies: Callable[[Project], Sequence[str]] = lambda _: (),
) -> None:
    """Prints the table, and under it what is not as it should be, with the command that helps."""
    if not projects:
        streams.talk("No projects. Start one with 'debughost up'")
        return
    console = console_for(streams)
    write(streams, console, table(projects, width=console.width, pretty=console.is_terminal))
    for project in projects:
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
    history: Mapping[str, Sequence[float]] | None = None,
) -> Table:
    """A rich table. ``pretty``: bars and links; ``history``: CPU percents for a sparkline."""
    from rich.table import Table

    wide = width >= WIDE
    made = Table(box=None, pad_edge=False, show_edge=False, header_style="bold" if pretty else "")
    made.add_column("PROJECT", overflow="fold", no_wrap=not pretty)
    made.add_column("STATE", no_wrap=True)
    made.add_column("CPU", justify="left" if pretty else "right", no_wrap=True)
    made.add_column("MEMORY", justify="right", no_wrap=True)
    made.add_column("URL" if wide else "PORT", no_wrap=True)
    made.add_column("UPTIME", justify="right", no_wrap=True)
    for project in projects:
        made.add_row(*_row(project, wide, pretty, (history or {}).get(project.project)))
    return made


def _row(project: Project, wide: bool, pretty: bool, history: Sequence[float] | None) -> list[Text]:
    from rich.text import Text

    word = state_word(project)
    return [
        Text(inline(project.project)),
        Text(word, style=_STYLES.get(word, "") if pretty else ""),
        Text(_cpu(project.stats, pretty, history)),
        Text(_memory(project.stats)),
        _place(project, wide, pretty),
        Text(duration(project.uptime_seconds)),
    ]


def _cpu(stats: Stats | None, pretty: bool, history: Sequence[float] | None) -> str:
    if stats is None:
        return "-"
    number = f"{stats.cpu_percent:.1f}%"
    if history is not None:
        return f"{number:>6} {sparkline(history, 100 * stats.cpu_limit)}"
    if pretty and stats.cpu_limit:
        return f"{number:>6} {bar(stats.cpu_percent / (100 * stats.cpu_limit))}"
    return number


def _memory(stats: Stats | None) -> str:
    return f"{size(stats.memory_bytes)} / {size(stats.memory_limit_bytes)}" if stats else "-"


def _place(project: Project, wide: bool, pretty: bool) -> Text:
    from rich.style import Style
    from rich.text import Text

    text = (project.url if wide else str(project.port or "")) or "-"
    link = Style(link=project.url) if pretty and project.url else ""
    return Text(text, style=link)


def reasons(projects: Sequence[Project]) -> list[str]:
    """One line for each project that ended otherwise than wished, or is not as configured."""
    return [f"{inline(p.project)}: {inline(why)}" for p in projects if (why := _reason(p))]


def _reason(project: Project) -> str:
    if project.exit and not project.exit.expected:
        return project.exit.message
    found = []
    if project.drift:
        found.append(f"differs from its configuration: {', '.join(in_words(project.drift))}")
    if project.dependencies is Freshness.STALE:
        found.append("its packages are older than its manifest or lock file")
    return "; ".join(found)
