"""What is advised about failures that programs and package managers are known for."""

from __future__ import annotations

import pytest

from debughost_cli.planning.disk_full import reports_disk_full
from debughost_cli.planning.failure_hints import install_hint, program_hint


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("npm error code SELF_SIGNED_CERT_IN_CHAIN", "DEBUGHOST_CA_BUNDLE=/etc/own.pem"),
        ("npm error code UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "DEBUGHOST_CA_BUNDLE=/etc/own.pem"),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] c", "CA_BUNDLE"),
        ("  Caused by: invalid peer certificate: UnknownIssuer", "DEBUGHOST_CA_BUNDLE"),
        ("curl error 60: SSL certificate problem: unable to get local issuer", "CA_BUNDLE"),
        ("fatal: server certificate verification failed. CAfile: none", "DEBUGHOST_CA_BUNDLE"),
        ("npm error request to https://registry.npmjs.org/ms failed, EAI_AGAIN", "resolve names"),
        ("[Errno -3] Temporary failure in name resolution')': /simple/flask/", "resolve names"),
        ("curl error 6 while downloading: Could not resolve host: repo.packagist", "resolve names"),
        ("dns error: failed to lookup address information: Try again", "resolve names"),
        ("debughost: the lock file does not match package.json:",
         "run 'npm install --package-lock-only' in the workspace"),
        ("  help: Regenerate the lockfile with `pnpm install --lockfile-only` so that",
         "'pnpm install --lockfile-only'"),
        (" ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with", "'pnpm install --lockfile-only'"),
        ("error Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`.",
         "'yarn install'"),
        ("➤ YN0028: │ The lockfile would have been modified by this install, which is explicitly "
         "forbidden.", "'yarn install --mode=update-lockfile'"),
        ("pyproject.toml changed significantly since poetry.lock was last generated. Run `poetry "
         "lock` to fix the lock file.", "'poetry lock'"),
        ('- Required package "psr/log" is in the lock file as "3.0.0" but that does not satisfy '
         'your constraint "3.0.2".', "'composer update'"),
        ('- Required package "psr/log" is not present in the lock file.', "'composer update'"),
        ("npm error code ERESOLVE", "npm_config_legacy_peer_deps=true"),
        ("npm ERR! ERESOLVE unable to resolve dependency tree", "npm_config_legacy_peer_deps=true"),
        ("npm error this command with --force, or --legacy-peer-deps", "legacy_peer_deps"),
        ("ERROR: ResolutionImpossible: for help visit https://pip.pypa.io", "fit together"),
        ("  x No solution found when resolving dependencies:", "fit together"),
        ("Because shop depends on b (1), version solving failed.", "fit together"),
        ("Your requirements could not be resolved to an installable set of", "fit together"),
        ("ERROR: 'a' requires a different Python: 3.13 not in '<3.12,>=3.8'", "python:3.11"),
        ("current Python version (3.13.5) does not satisfy Python>=3.8,<3.12, we", ">=3.8,<3.12"),
        ("error: The requested interpreter resolved to Python 3.13.5, which is incompatible with "
         "the project's Python requirement: `>=3.8, <3.12` (from `project.requires-python`)",
         "The project needs Python >=3.8, <3.12, the image has 3.13.5"),
        ("Python version 3.13.5 is not supported by the project (^3.8,<3.12).", "python:3.11"),
        ('error a@1.0.0: The engine "node" is incompatible with this module. Expected version '
         '"^16.0.0". Got "24.19.0"', "Node.js ^16.0.0, the image has 24.19.0: choose one with "
         "--image node:16"),
        ("ERROR: Failed building wheel for psycopg2", "psycopg2 has no wheel"),
        ("  Failed to build `pillow==8.0.0`", "pillow has no wheel"),
        ("error: command 'gcc' failed: No such file or directory", "--compilers"),
        ("gyp ERR! find Python", "--compilers"),
        ("/.debughost/install: 14: yarn: not found", "The image has no yarn"),
        ("env: 'pnpm': No such file or directory", "The image has no pnpm"),
        ("env: \u2018pnpm\u2019: No such file or directory", "The image has no pnpm"),
        ("/.debughost/install: line 14: composer: command not found", "The image has no composer"),
    ],
)  # fmt: skip
def test_a_failed_install_is_explained(line: str, named: str) -> None:
    assert named in install_hint(["before", line, "after"], "/etc/own.pem")


def test_nothing_is_advised_about_what_is_not_known() -> None:
    lines = ["npm error code E404", "npm error 404 Not Found - GET https://registry/x"]
    assert install_hint(lines, "/etc/own.pem") == ""
    assert program_hint(["Error: ENOTFOUND db"]) == ""


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("ENOSPC: System limit for number of file watchers reached, watch '/app'", "inotify"),
        ("OSError: [Errno 28] inotify watch limit reached: no space left on device", "inotify"),
        ("unable to write to file </torch_1>: No space left on device (28)\n"
         "insufficient shared memory (shm)", "--shm-size"),
        ("FATAL: could not resize /dev/shm/P.1: No space left on device", "--shm-size"),
    ],
)  # fmt: skip
def test_a_limit_of_the_kernel_is_no_full_disk(text: str, named: str) -> None:
    assert not reports_disk_full(text)
    assert named in program_hint(text.splitlines())


@pytest.mark.parametrize(
    ("line", "who", "port"),
    [
        ("[1] Error: listen EADDRINUSE: address already in use :::3000", "'1'", 3000),
        ("[server] OSError: [Errno 98] Address already in use", "'server'", 0),
        ("[api   ] Error: listen EADDRINUSE: address already in use 0.0.0.0:5000", "'api'", 5000),
        ("web:dev: Error: listen EADDRINUSE: address already in use :::3000", "'web:dev'", 3000),
        ("@acme/web#dev: Error: Port 3000 is already in use", "'@acme/web#dev'", 3000),
        ("Error: listen EADDRINUSE: address already in use 127.0.0.1:3725", "A program", 3725),
        ("[web]   code: 'EADDRINUSE',\n[web]   address: '::',\n[web]   port: 3059", "'web'", 3059),
        ("  port: 8080 EADDRINUSE", "A program", 8080),
        ("ERROR:    [Errno 98] error while attempting to bind on address ('0.0.0.0', 5000): "
         "address already in use", "A program", 5000),
        ("Port 5001 is in use by another program.", "A program", 5001),
        ("Failed to listen on 0.0.0.0:8090 (reason: Address already in use)", "A program", 8090),
        ("listen tcp :9000: bind: address already in use", "A program", 9000),
    ],
)  # fmt: skip
def test_programs_that_want_the_same_port(line: str, who: str, port: int) -> None:
    hint = program_hint(["listening on 3000", *line.splitlines(), "exited with code 1"])
    assert hint.startswith(f"{who if who == 'A program' else f'The program {who}'} could not")
    assert (f"on port {port}:" if port else "on its port:") in hint
    assert f"--publish {port + 1 if port else 'N'}" in hint


@pytest.mark.parametrize(
    "line",
    [
        "Port 3000 is in use, trying another one...",
        " warn Port 3000 is in use by process 12, using available port 3001 instead.",
        "connect ECONNREFUSED 127.0.0.1:5432",
    ],
)
def test_a_program_that_takes_another_port_has_not_failed(line: str) -> None:
    assert program_hint([line]) == ""


def test_a_full_disk_is_one() -> None:
    assert reports_disk_full("npm error ENOSPC: no space left on device, write")
    assert program_hint(["npm error ENOSPC: no space left on device, write"]) == ""


@pytest.mark.parametrize("line", ["ERR_OSSL_EVP_UNSUPPORTED", "envelope routines::unsupported"])
def test_webpack_4_is_for_an_older_node(line: str) -> None:
    assert "node:16" in program_hint([line])
    assert "node:16" in install_hint([line])
