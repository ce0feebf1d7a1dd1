"""``up``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from debughost_cli.cli.options import (
    COMMAND_LINE,
    TYPES,
    InstallTimeout,
    Stable,
    Wait,
    WaitTimeout,
    Workspace,
    command,
    seconds,
)
from debughost_cli.cli.output import Output, projects_output
from debughost_cli.cli.session import Session
from debughost_cli.errors import Interrupted, Usage
from debughost_cli.models import Project, PullPolicy

if TYPE_CHECKING:
    from debughost_cli.project.settings import Flags


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command("up", context_settings=COMMAND_LINE)(command(up))


def up(
    session: Session,
    command_: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CMD...]", help="The command, in place of the detected one."),
    ] = None,
    project: Annotated[
        str | None, typer.Option("--project", "-p", metavar="ID", help="The project's id.")
    ] = None,
    workspace: Workspace = None,
    allow_workspace: Annotated[
        Path | None,
        typer.Option(
            "--allow-workspace",
            metavar="DIR",
            help="Use this folder even if it exposes the host.",
            show_default=False,
        ),
    ] = None,
    allow_nested: Annotated[
        bool,
        typer.Option("--allow-nested", help="Also inside or around the folder of another project."),
    ] = False,
    type_: Annotated[
        str | None,
        typer.Option("--type", metavar=TYPES, help="What it is; else detected."),
    ] = None,
    image: Annotated[
        str | None, typer.Option("--image", metavar="REF", help="Any image that has a shell.")
    ] = None,
    runtime: Annotated[
        str | None,
        typer.Option("--runtime", metavar="VERSION", help="Version of Node.js, Python or PHP."),
    ] = None,
    port: Annotated[
        str | None, typer.Option("--port", metavar="N|N+|auto|none", help="The port, or none.")
    ] = None,
    publish: Annotated[
        list[str] | None,
        typer.Option(
            "--publish", metavar="[NAME=]N[:M]",
            help="A further port: N of 127.0.0.1, M in the container.",
        ),
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option("--env", "-e", metavar="K=V", help="A variable; K alone takes yours."),
    ] = None,
    env_file: Annotated[
        list[Path] | None, typer.Option("--env-file", metavar="F", help="A file of variables.")
    ] = None,
    cpus: Annotated[str | None, typer.Option("--cpus", metavar="N", help="CPUs (2).")] = None,
    memory: Annotated[
        str | None, typer.Option("--memory", "-m", metavar="SIZE", help="Memory, no swap (2g).")
    ] = None,
    pids: Annotated[
        str | None, typer.Option("--pids", metavar="N", help="Processes (512).")
    ] = None,
    shm_size: Annotated[
        str | None, typer.Option("--shm-size", metavar="SIZE", help="Size of /dev/shm (64m).")
    ] = None,
    restart_: Annotated[
        str | None,
        typer.Option(
            "--restart", metavar="no|always|unless-stopped|on-failure[:N]",
            help="When Docker starts it again (no).",
        ),
    ] = None,
    wait: Wait = True,
    wait_timeout: WaitTimeout = None,
    install_timeout: InstallTimeout = None,
    stable: Stable = None,
    recreate: Annotated[
        bool, typer.Option("--recreate", help="A new container even if nothing changed.")
    ] = False,
    reset: Annotated[
        bool, typer.Option("--reset", help="Forget the flags of earlier runs.")
    ] = False,
    no_deps: Annotated[
        bool, typer.Option("--no-deps", help="Do not install dependencies.")
    ] = False,
    deps: Annotated[
        bool, typer.Option("--deps", help="Install them, after an earlier --no-deps.")
    ] = False,
    compilers: Annotated[
        bool | None,
        typer.Option(
            "--compilers/--no-compilers", show_default=False,
            help="The base image with compilers (node, python).",
        ),
    ] = None,
    debug: Annotated[
        bool | None,
        typer.Option(
            "--debug/--no-debug", show_default=False,
            help="Its language's debugger, see 'debughost debug-config'.",
        ),
    ] = None,
    isolated: Annotated[
        bool | None,
        typer.Option(
            "--isolated/--no-isolated", show_default=False,
            help="A network of its own, which no other project reaches.",
        ),
    ] = None,
    swarm: Annotated[
        bool | None,
        typer.Option(
            "--swarm/--no-swarm", show_default=False,
            help="Have a swarm run it, on the node that it chooses.",
        ),
    ] = None,
    shared_cache: Annotated[
        bool | None,
        typer.Option(
            "--shared-cache/--no-shared-cache", show_default=False,
            help="Share downloaded packages with other projects: trust them all.",
        ),
    ] = None,
    pull: Annotated[
        str, typer.Option("--pull", metavar="missing|always|never", help="When to pull images.")
    ] = "missing",
    all_: Annotated[
        bool, typer.Option("--all", help="The projects of the group of this folder, in order.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the plan, change nothing.")
    ] = False,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch", help="Then bring each change there, or show its output, until Ctrl-C."
        ),
    ] = False,
) -> Output:  # fmt: skip
    """Create what is missing, start it, wait until it listens, print the URL."""
    from debughost_cli.api import ProjectsResult
    from debughost_cli.project.parsers import parse_pause
    from debughost_cli.project.settings import Flags
    from debughost_cli.project.variables import flag_environment

    if pull not in set(PullPolicy):
        raise Usage(f"--pull cannot be {pull!r}", hint="Use missing, always or never")
    flags = Flags(
        project=project, type=type_, image=image, runtime=runtime, port=port, cpus=cpus,
        memory=memory, pids=pids,
        ports=tuple(publish or ()) or None, shm_size=shm_size, restart=restart_,
        dependencies=False if no_deps else deps or None,
        compilers=compilers, debug=debug, isolated=isolated, swarm=swarm, shared_cache=shared_cache,
        allow_nested=allow_nested or None,
        wait_timeout=seconds(wait_timeout, "--wait-timeout"),
        install_timeout=seconds(install_timeout, "--install-timeout"),
        stable=seconds(stable, "--stable", parse_pause),
        command=tuple(command_ or ()) or None,
        environment=flag_environment(env or [], env_file or [], session.environ),
    )  # fmt: skip
    if watch:
        _check_watch(all_=all_, dry_run=dry_run)
        # What follows prints as it goes: silence means that nothing changes.
        session.is_stream = True
    if all_:
        _check_all(flags, allow_workspace)
        return projects_output(session, session.host.up_all(
            workspace, flags, recreate=recreate, reset=reset, wait=wait, pull=PullPolicy(pull),
            dry_run=dry_run, check=False,
        ))  # fmt: skip
    run = session.host.plan_up if dry_run else session.host.up
    item = run(
        workspace, flags, recreate=recreate, reset=reset, wait=wait, pull=PullPolicy(pull),
        allow_workspace=allow_workspace, check=False,
    )  # fmt: skip
    output = projects_output(session, ProjectsResult((item,)))
    return _watched(session, output, item.project) if watch and not output.error else output


def _watched(session: Session, output: Output, project: Project) -> Output:
    """Until it is interrupted: the project goes on running."""
    if session.options.json:
        from debughost_cli.render.json import dumps

        session.streams.out(dumps({"type": "up", "changed": output.changed, **output.data}))
    elif output.show:
        output.show()
    session.streams.stdout.flush()
    found = _followed(session, project)
    ended = {k: v for k, v in found.data.items() if k == "exit"}
    changed = output.changed or found.changed
    return replace(found, data={**output.data, **ended}, changed=changed)


def _followed(session: Session, project: Project) -> Output:
    name = project.project
    if project.sync:
        from debughost_cli.cli.sync import keep_in_step

        return keep_in_step(session, name)
    from debughost_cli.cli.logs import logs

    # The engine sees each change by itself.
    found = logs(session, [name], follow=True, tail="10")
    if isinstance(found.error, Interrupted) and not session.options.json:
        session.progress.notice(f"{name} goes on running; 'debughost stop {name}' ends it")
    return found


def _check_watch(*, all_: bool, dry_run: bool) -> None:
    for is_given, option in ((all_, "--all"), (dry_run, "--dry-run")):
        if is_given:
            raise Usage(
                f"--watch and {option} exclude each other",
                hint="Run 'debughost up' first, then 'debughost sync' or 'debughost logs -f'",
            )


def _check_all(flags: Flags, allow_workspace: Path | None) -> None:
    """Raises Usage for what can be meant for one project alone."""
    given: dict[str, object] = {"-p": flags.project, "--type": flags.type, "--image": flags.image}
    given |= {
        "--port": flags.port,
        "a command": flags.command,
        "--allow-workspace": allow_workspace,
    }
    for option, value in given.items():
        if value is not None:
            raise Usage(
                f"--all and {option} exclude each other",
                hint="Set it in the debughost.toml of the project that it is for",
            )
