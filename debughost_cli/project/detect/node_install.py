"""Node.js package managers: which one a workspace uses, how it installs and how it runs scripts.

The lock file decides which manager is used; with several of them, the field ``packageManager``
does. No install writes a lock file, a store or a setting into the workspace. In a monorepo the
managers put a ``node_modules`` folder into member packages as well, which cannot be avoided.
"""

from __future__ import annotations

import re

from msgspec import Struct

from debughost_cli.models import Dependencies
from debughost_cli.project.detect.shell import install_script
from debughost_cli.project.reader import Folder

_VERSION = re.compile(r"^(npm|pnpm|yarn)@(\d+(?:\.\d+){0,2}(?:-[\w.]+)?)")
_SETTINGS = (".npmrc", "pnpm-workspace.yaml", ".yarnrc.yml", ".yarnrc")
_LOCKS = {
    "pnpm": ("pnpm-lock.yaml",),
    "yarn": ("yarn.lock",),
    "npm": ("package-lock.json", "npm-shrinkwrap.json"),
}

# Husky would write git hooks into the workspace, where the host's git runs them; version 5 does so
# with "git config", which GIT_CONFIG leads elsewhere.
_COMMON = """\
export HUSKY=0 HUSKY_SKIP_INSTALL=1 GIT_CONFIG=/tmp/debughost-git-config
export npm_config_update_notifier=false
"""
# npm waits for 10 and 60 s between its tries of each request, also where a certificate is refused.
# With short pauses it fails in seconds; what may pass gets the long ones then, and a name that was
# not found is looked up once more. Where lock file and manifest disagree, npm says so above a page
# of its usage, so the reason is repeated below.
_NPM = """\
export npm_config_logs_dir="$(mktemp -d)"
run_npm() {{ npm "$@" --include=dev --no-audit --no-fund --no-progress; }}
install() {{
{install}
}}
again() {{
    grep -qE "error code ($1)" "$npm_config_logs_dir"/* || exit "$code"
    echo "debughost: $2, npm tries again" >&2
}}
disagreement() {{
    ! grep -q 'error code EUSAGE' "$npm_config_logs_dir"/* || {{
        echo 'debughost: the lock file does not match package.json:'
        grep -hoE '(Missing|Invalid): .*' "$npm_config_logs_dir"/* | head -n5
    }} >&2
}}
(
    export npm_config_fetch_retry_mintimeout=1000 npm_config_fetch_retry_maxtimeout=4000
    install && exit
    code=$?
    again 'EAI_AGAIN|ENOTFOUND' 'a name was not found'
    sleep 5
    install
) || {{
    code=$?
    disagreement
    passing='ECONN|EPIPE|ETIMEDOUT|E[A-Z]*UNREACH|E[A-Z_]*SOCKET|ERR_SOCKET|E429|E5'
    again "$passing" 'the network failed'
    install
}}
"""
# "npm ci" removes all packages and installs them again. Where an earlier install is complete, "npm
# install" changes only what the lock file changed, and writes no lock file without saving; the dry
# run of "npm ci" fails as it does where lock file and manifest disagree.
_NPM_LOCKED = """\
    if [ -e node_modules/.package-lock.json ]; then
        run_npm ci --dry-run --ignore-scripts >/dev/null && run_npm install --no-save
    else
        run_npm ci
    fi"""
_NPM_UNLOCKED = "    run_npm install --no-package-lock"
# Build scripts that the user has not approved with pnpm are skipped with a warning, instead of
# failing the install.
_PNPM = """\
export PNPM_CONFIG_STORE_DIR=/var/cache/debughost/pnpm
export npm_config_store_dir="$PNPM_CONFIG_STORE_DIR"
export PNPM_CONFIG_CACHE_DIR=/var/cache/debughost/pnpm-cache
export PNPM_CONFIG_STRICT_DEP_BUILDS=false PNPM_CONFIG_CONFIRM_MODULES_PURGE=false
{pnpm} install {lock} --prod=false </dev/null
"""
_YARN_CLASSIC = """\
[ -e yarn-error.log ] || trap 'rm -f yarn-error.log' EXIT
yarn install {lock} --production=false --non-interactive --no-progress
"""
# Packages go into node_modules, as a volume needs it, even where the project uses Plug'n'Play:
# its .pnp files contain paths on the host. Yarn removes these files then, so they are restored.
_YARN_BERRY = """\
export YARN_ENABLE_GLOBAL_CACHE=true YARN_GLOBAL_FOLDER="${{YARN_CACHE_FOLDER:-/tmp/yarn}}/berry"
export YARN_ENABLE_TELEMETRY=0 YARN_ENABLE_PROGRESS_BARS=0
kept=$(mktemp -d)
trap 'for file in "$kept"/.pnp.*; do [ ! -e "$file" ] || cp -p "$file" .; done; rm -rf "$kept"' EXIT
for file in .pnp.*; do [ ! -e "$file" ] || cp -p "$file" "$kept"/; done
{yarn} install --immutable
"""
_BERRY_SETTINGS = (
    "YARN_NODE_LINKER=node-modules",
    "YARN_INSTALL_STATE_PATH=/app/node_modules/.yarn-install-state.gz",
)
# pnpm would install again, without these settings, before each script whose manifest has changed;
# and it would fetch the version that packageManager names, and record that in the lock file.
_PNPM_SETTINGS = (
    "PNPM_CONFIG_VERIFY_DEPS_BEFORE_RUN=false",
    "PNPM_CONFIG_PM_ON_FAIL=ignore",
)
_STAMP = (
    "{name} $(node -p 'process.arch + \" abi \" + process.versions.modules') "
    "$(sed -n 's/^ID=//p' /etc/os-release)"
)


class Manager(Struct, frozen=True):
    """A package manager. ``program``: how it is called; ``install``: shell text for it."""

    name: str
    program: tuple[str, ...]
    install: str
    lock: str | None = None

    def run(self, script: str, arguments: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The command that runs a script of the package.

        Only npm needs ``--`` before arguments: the others pass it on to the script.
        """
        separator = ("--",) if self.name == "npm" and arguments else ()
        return (*self.program, "run", script, *separator, *arguments)

    def execute(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """The command that runs an installed program."""
        if words[0] == "node":
            return words
        verb = {"npm": ("exec", "--no", "--"), "pnpm": ("exec",), "yarn": ("run",)}
        return (*self.program, *verb[self.name], *words)


def manager_of(folder: Folder, package_manager: str) -> Manager:
    """The manager that a workspace uses. ``package_manager``: that field, or empty."""
    pinned = _VERSION.match(package_manager)
    named, version = (pinned[1], pinned[2]) if pinned else ("", "")
    locks = {name: lock for name, files in _LOCKS.items() if (lock := folder.first(*files))}
    name = named if named in locks or not locks else next(iter(locks))
    lock = locks.get(name)
    if name == "pnpm":
        return _pnpm(folder, lock)
    if name == "yarn":
        return _yarn(folder, lock, version if named == "yarn" else "")
    return _npm(lock)


def _npm(lock: str | None) -> Manager:
    install = _NPM.format(install=_NPM_LOCKED if lock else _NPM_UNLOCKED)
    return Manager("npm", ("npm",), install, lock)


def _pnpm(folder: Folder, lock: str | None) -> Manager:
    program = ("env", *_PNPM_SETTINGS, *_pnpm_program(folder))
    frozen = "--frozen-lockfile" if lock else "--no-lockfile"
    install = _PNPM.format(pnpm=" ".join(program), lock=frozen)
    return Manager("pnpm", program, install, lock)


def _pnpm_program(folder: Folder) -> tuple[str, ...]:
    """Lock files older than version 9 are read only by the pnpm of their time."""
    found = re.match(r"lockfileVersion: '?(\d+)", folder.source("pnpm-lock.yaml"))
    old = {"5": "7", "6": "8"}.get(found[1]) if found else None
    return _from_npm(f"pnpm@{old}", "pnpm") if old else ("pnpm",)


def _yarn(folder: Folder, lock: str | None, version: str) -> Manager:
    head = folder.source("yarn.lock")[:2000]
    is_berry = not version.startswith("1") if version else "__metadata:" in head
    if is_berry and lock:
        return _yarn_berry(folder, lock, version or _berry_version(head))
    if is_berry:
        return _npm(None)  # a later Yarn cannot do without writing its lock file
    frozen = "--frozen-lockfile" if lock else "--no-lockfile"
    return Manager("yarn", ("yarn",), _YARN_CLASSIC.format(lock=frozen), lock)


def _yarn_berry(folder: Folder, lock: str, version: str) -> Manager:
    carried = "yarnPath:" in folder.source(".yarnrc.yml")
    yarn = ("yarn",) if carried else _from_npm(f"@yarnpkg/cli-dist@{version}", "yarn")
    program = ("env", *_BERRY_SETTINGS, *yarn)
    return Manager("yarn", program, _YARN_BERRY.format(yarn=" ".join(program)), lock)


def _berry_version(head: str) -> str:
    found = re.search(r"^__metadata:\s+version: (\d+)", head, re.MULTILINE)
    return "3" if found and int(found[1]) < 8 else "4"


def _from_npm(package: str, program: str) -> tuple[str, ...]:
    """A manager that is fetched once, into npm's cache, in the version that is needed."""
    return ("npm", "exec", "--yes", f"--package={package}", "--", program)


def manifests(folder: Folder, manager: Manager) -> tuple[str, ...]:
    """The files on which an install depends."""
    return folder.present("package.json", *((manager.lock,) if manager.lock else ()), *_SETTINGS)


def dependencies_of(
    folder: Folder, manager: Manager, files: tuple[str, ...] = (), text: str = ""
) -> Dependencies:
    """The install of a workspace that has something to install.

    ``files`` and ``text``: what is to be installed after it, and on which files that depends.
    """
    stamp = _STAMP.format(name=manager.name)
    script = install_script("node_modules", stamp, _COMMON + manager.install + text)
    return Dependencies(manager.name, (*manifests(folder, manager), *files), script)
