"""The scripts of a ``package.json``: which program they end in, and how it gets host and port.

Many development servers read neither PORT nor HOST and listen on the loopback interface,
where nobody outside the container reaches them: they need flags. Arguments given to a script go
to the last command of its text, so flags are given only where that command is such a server.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

HOST_PORT = ("--host", "0.0.0.0", "--port", "{port}")


class DevServer(Struct, frozen=True):
    """A program that serves, and its flags.

    ``serves``: the first arguments with which it serves, "" for none; empty where it serves with
    any that is not in ``NO_SERVER``. ``own``: the options by which a script sets host and port
    itself.
    ``needs``: an argument without which it does not serve.
    """

    name: str
    flags: tuple[str, ...] = HOST_PORT
    serves: tuple[str, ...] = ()
    own: tuple[str, ...] = ("--host", "--port")
    needs: str = ""


NO_SERVER = frozenset({"build", "watch", "optimize", "generate", "prepare", "help", "export"})
_VITE = (*HOST_PORT, "--strictPort")
_SHORT = ("--host", "-h", "--port", "-p")
_PORT = ("--port", "{port}")
_IP = ("--ip", "0.0.0.0", *_PORT)
_HOSTNAME = ("--hostname", "0.0.0.0", "--port", "{port}")

SERVERS: Mapping[str, DevServer] = {
    "vite": DevServer("Vite", flags=_VITE),
    "svelte-kit": DevServer("SvelteKit", serves=("dev", "preview"), own=_SHORT),
    "vinxi": DevServer("Vinxi", serves=("dev", "start")),
    "astro": DevServer("Astro", serves=("dev", "preview")),
    "next": DevServer("Next.js", _HOSTNAME, ("dev", "start"), ("--hostname", "-H", "--port", "-p")),
    "nuxt": DevServer("Nuxt", serves=("dev", "preview", "start"), own=_SHORT),
    "nuxi": DevServer("Nuxt", serves=("dev", "preview", "start"), own=_SHORT),
    "ng": DevServer("Angular", serves=("serve", "dev", "s")),
    "webpack": DevServer("webpack", serves=("serve", "server", "s")),
    "webpack-dev-server": DevServer("webpack"),
    "rspack": DevServer("Rspack", serves=("serve", "server", "dev", "s"), own=_SHORT),
    "rsbuild": DevServer("Rsbuild", serves=("", "dev", "preview")),
    "react-scripts": DevServer("Create React App", flags=(), serves=("start",)),
    "craco": DevServer("Create React App", flags=(), serves=("start",)),
    "parcel": DevServer("Parcel", own=("--host", "--port", "-p")),
    "gatsby": DevServer(
        "Gatsby", serves=("develop", "serve"), own=("--host", "-H", "--port", "-p")
    ),
    "react-router": DevServer("React Router", serves=("dev",)),
    "remix": DevServer("Remix", serves=("vite:dev",)),
    "vue-cli-service": DevServer("Vue CLI", serves=("serve",)),
    "eleventy": DevServer("Eleventy", ("--port={port}",), own=("--port",), needs="--serve"),
    "@11ty/eleventy": DevServer("Eleventy", ("--port={port}",), own=("--port",), needs="--serve"),
    "docusaurus": DevServer("Docusaurus", serves=("start", "serve"), own=_SHORT),
    "vitepress": DevServer("VitePress", serves=("", "dev", "preview", "serve")),
    "storybook": DevServer("Storybook", (*HOST_PORT, "--ci"), ("dev",), _SHORT),
    "ember": DevServer("Ember", serves=("serve", "server", "s"), own=_SHORT),
    "json-server": DevServer("json-server", own=_SHORT),
    "http-server": DevServer(
        "http-server", ("-a", "0.0.0.0", "-p", "{port}"), (), ("-a", "-p", "--port")
    ),
    "wrangler": DevServer("Wrangler", _IP, ("dev", "pages"), ("--ip", "--port")),
    "hexo": DevServer("Hexo", _IP, ("server", "s"), ("-i", "--ip", "-p", "--port")),
    "browser-sync": DevServer("Browsersync", (*_PORT, "--no-open"), ("start",), ("--port",)),
    "vuepress": DevServer("VuePress", serves=("dev",), own=_SHORT),
    "rspress": DevServer("Rspress", serves=("", "dev", "preview")),
    "slidev": DevServer("Slidev", ("--remote", *_PORT), (), ("--remote", "--port", "-p")),
    "sirv": DevServer("sirv", own=_SHORT),
    "waku": DevServer("Waku", serves=("dev",), own=_SHORT),
    "nitro": DevServer("Nitro", serves=("dev",)),
    "nitropack": DevServer("Nitro", serves=("dev",)),
    "expo": DevServer("Expo", ("--web", *_PORT), ("start",), ("--web", "--port", "-p")),
    "live-server": DevServer(
        "live-server", ("--host=0.0.0.0", "--port={port}", "--no-browser"), ()
    ),
    "serve": DevServer(
        "serve", ("-l", "tcp://0.0.0.0:{port}"), (), ("-l", "--listen", "-p", "--port")
    ),
}

ASSET_TOOLS = frozenset(
    {"tailwindcss", "@tailwindcss/cli", "postcss", "sass", "node-sass", "lessc", "gulp", "grunt"}
    | {"webpack", "rollup", "esbuild", "vite", "parcel", "rspack", "tsc", "mix", "encore"}
    | {"wp-scripts", "eleventy"}
)
"""Programs that build a site's assets and do nothing else, except with options to serve."""

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_MOST_CHARACTERS = 4096
"""The length of the longest script that is looked at; others are run as they are."""
_OPERATORS = frozenset("();<>|&")
_WRAPPERS = frozenset({"env", "exec", "cross-env", "cross-env-shell", "npx", "bunx"})


class SimpleCommand(Struct, frozen=True):
    """The last command of a script. ``alone``: the script is nothing but this command."""

    environment: tuple[str, ...]
    words: tuple[str, ...]
    alone: bool

    @property
    def tool(self) -> str:
        """The program's name, as in ``node_modules/.bin``."""
        return self.words[0].rpartition("node_modules/.bin/")[2]

    @property
    def server(self) -> DevServer | None:
        """The development server that this is, if it serves."""
        server = SERVERS.get(self.tool)
        return server if server and _serves(server, self.words[1:]) else None

    @property
    def builds_assets(self) -> bool:
        return self.tool in ASSET_TOOLS and self.server is None


def _serves(server: DevServer, arguments: tuple[str, ...]) -> bool:
    verb = next((word for word in arguments if not word.startswith("-")), "")
    if server.needs and server.needs not in arguments:
        return False
    return verb in server.serves if server.serves else verb not in NO_SERVER


def last_command(script: str) -> SimpleCommand | None:
    """The command that receives a script's arguments, None where that is not certain."""
    if len(script) > _MOST_CHARACTERS:
        return None
    lexer = shlex.shlex(script, posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        words = list(lexer)
    except ValueError:
        return None
    ends = [i for i, word in enumerate(words) if _OPERATORS.issuperset(word)]
    return _unwrap(words[ends[-1] + 1 :] if ends else words, alone=not ends)


def _unwrap(words: list[str], alone: bool) -> SimpleCommand | None:
    """Removes assignments and programs that only start another one."""
    environment: list[str] = []
    at = 0
    while at < len(words):
        if _ASSIGNMENT.match(words[at]):
            environment.append(words[at])
            at += 1
        elif words[at] in _WRAPPERS:
            at = _after_options(words, at + 1)
        elif words[at : at + 2] in (["pnpm", "exec"], ["yarn", "exec"], ["npm", "exec"]):
            at = _after_options(words, at + 2)
        elif words[at] == "dotenv" and "--" in words[at:]:
            alone, at = False, words.index("--", at) + 1
        else:
            return SimpleCommand(tuple(environment), tuple(words[at:]), alone)
    return None


def _after_options(words: list[str], at: int) -> int:
    while at < len(words) and words[at].startswith("-"):
        at += 1
    return at


def resolve(scripts: Mapping[str, str], name: str) -> str:
    """The script that runs in the end, where one only runs another: ``npm run serve``."""
    for _ in range(3):
        command = last_command(scripts[name])
        target = _script_named(command.words, scripts) if command and command.alone else None
        if target is None or target == name:
            break
        name = target
    return name


def _script_named(words: tuple[str, ...], scripts: Mapping[str, str]) -> str | None:
    if words[0] not in ("npm", "pnpm", "yarn"):
        return None
    rest = words[2:] if words[1:2] in (("run",), ("run-script",)) else words[1:]
    return rest[0] if len(rest) == 1 and rest[0] in scripts else None


def chooses_address(command: SimpleCommand) -> bool:
    """Whether a script sets a port or a host of its own."""
    if any(item.startswith(("PORT=", "HOST=")) for item in command.environment):
        return True
    own = command.server.own if command.server else ()
    return any(word.partition("=")[0] in own for word in command.words[1:])


def without_address(command: SimpleCommand) -> SimpleCommand | None:
    """The same command without its own port and host; None where only a shell can run it."""
    kept = tuple(e for e in command.environment if not e.startswith(("PORT=", "HOST=")))
    own = command.server.own if command.server else ()
    words = (command.tool, *_drop_options(command.words[1:], own))
    if any(set("$`*?~{") & set(word) for word in (*kept, *words)):
        return None
    return replace(command, environment=kept, words=words)


def _drop_options(words: tuple[str, ...], names: tuple[str, ...]) -> list[str]:
    kept: list[str] = []
    dropped = False
    for word in words:
        value = dropped and not word.startswith("-")
        dropped = word in names
        if not (value or word.partition("=")[0] in names):
            kept.append(word)
    return kept
