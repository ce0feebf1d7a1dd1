"""Several machines on this one: hosts with an engine and sshd each, a switch, and a client.

Every host has namespaces of its own (network, mounts, processes, host name). The folders in which
tests keep their workspaces are empty there, so that a forgotten bind mount is an empty folder, and
``/run`` is its own: ``/var/run/docker.sock`` on a host is that host's engine. Nothing of this
machine's network is touched, and hosts have no way out: images come by ``Host.load``.

    def test_of_a_remote_engine(lab: Lab, tmp_path: Path) -> None:
        a = lab.host("a")                 # started at its first use; kept, emptied after each test
        a.load("static")                  # the base image of a type
        write(tmp_path, PAGE)
        lab.client("up", "-w", tmp_path, env=a.ssh)         # ssh://root@10.77.0.1
        lab.client("status", "-H", a.ssh_url)
        lab.client("status", env=a.tls)                     # tcp://10.77.0.1:2376, certificates
        lab.context("build", a.ssh_url)                     # a Docker context of the client
        lab.client("status", "--context", "build")
        assert a.eye.inspect("demo")                        # behind its back
        with a.partitioned():
            lab.client("status", "-H", a.ssh_url, check=4)

More ways to break it: ``dropping()``, ``mute()``; ``crash()``, ``shut_down()``, ``cut_power()``,
each followed by ``start()``; ``end_sessions()`` of sshd, ``small_volume()``, ``lab.at("+1h")``.

The client runs in a network namespace of its own, whose 127.0.0.1 is the client's alone: whoever
fetches a forwarded port enters it with ``lab.client.prefix``. ``ssh`` there reads
``lab.ssh_config`` and ``lab.known_hosts``, not the user's own.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import docker
from certificates import Authority

from .harness import Eye, Program, eventually
from .private_engine import INIT, Private, PrivateEngine, load_image
from .private_engine import lacks as private_engine_lacks

ROOT = Path(__file__).resolve().parents[2]
NETWORK = "10.77.0"
CLIENT = f"{NETWORK}.100"
TLS_PORT, PLAIN_PORT = 2376, 2375


def lacks() -> str:
    """What this machine lacks for a lab; empty where nothing is missing."""
    missing = private_engine_lacks()
    if missing:
        return missing
    if not _tools():
        return "sshd of Debian's packages, for hosts of the tests' own"
    needed = [p for p in ("ssh", "ssh-keygen", "ip", "iptables", "mount") if not shutil.which(p)]
    return f"{', '.join(needed)}, for hosts of the tests' own" if needed else ""


def _tools() -> Path | None:
    """The folder that ``scripts/lab-tools`` makes."""
    done = subprocess.run([ROOT / "scripts/lab-tools"], capture_output=True, check=False, text=True)
    return Path(done.stdout.strip()) if done.returncode == 0 else None


def _network_namespace() -> subprocess.Popen[bytes]:
    """A process in a network namespace of its own, which lasts as long as the process."""
    held = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", sys.executable, "-I", "-c", INIT],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    assert held.stdout
    assert held.stdout.readline() == b"up\n"
    return held


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    if process.stdout:
        process.stdout.close()


class Switch:
    """A bridge in a namespace of its own, and the cables to it."""

    def __init__(self) -> None:
        self._process = _network_namespace()
        self._ip("link", "add", "br0", "type", "bridge")
        self._ip("link", "set", "br0", "up")

    def _ip(self, *words: str) -> None:
        enter = ("nsenter", f"--net=/proc/{self._process.pid}/ns/net")
        subprocess.run([*enter, "ip", *words], check=True, stdin=subprocess.DEVNULL)

    def join(self, number: int, pid: int) -> None:
        """Gives the network namespace of process ``pid`` the address ``number``."""
        cable = f"port{number}"
        self._ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        self._ip("link", "set", cable, "master", "br0", "up")
        enter = ("nsenter", f"--net=/proc/{pid}/ns/net", "ip")
        for words in (
            ("addr", "add", f"{NETWORK}.{number}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
        ):
            subprocess.run([*enter, *words], check=True, stdin=subprocess.DEVNULL)

    def plug(self, number: int, *, is_in: bool) -> None:
        """Plugs a cable in or out."""
        self._ip("link", "set", f"port{number}", "up" if is_in else "down")

    def end(self) -> None:
        """The cables go with it."""
        _end(self._process)


@dataclass
class Host(PrivateEngine):
    """A machine with an engine; ``number`` is the last part of its address."""

    namespaces: ClassVar[tuple[str, ...]] = ("--net", "--mount", "--pid", "--uts")
    name: str = ""
    number: int = 1
    lab: Lab = field(default=None, repr=False)
    socket: str = "/run/docker.sock"
    """Where its users find the engine."""
    tls: Mapping[str, str] = field(default_factory=dict)
    """The variables with which a client reaches it by TLS; empty for a host with a plain port."""
    session: Mapping[str, str] = field(default_factory=dict)
    """Variables that sshd gives to those who log in."""
    sshd: Sequence[str] = ()
    """More lines of its configuration."""
    _sshd: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"{NETWORK}.{self.number}"

    @property
    def ssh_url(self) -> str:
        return f"ssh://root@{self.address}"

    @property
    def ssh(self) -> dict[str, str]:
        """The variable with which a client reaches it by ssh."""
        return {"DOCKER_HOST": self.ssh_url}

    @property
    def tls_url(self) -> str:
        assert self.tls, "its port is a plain one"
        return f"tcp://{self.address}:{TLS_PORT}"

    @property
    def plain_url(self) -> str:
        assert not self.tls, "its port wants TLS"
        return f"tcp://{self.address}:{PLAIN_PORT}"

    @property
    def unix_url(self) -> str:
        """From this machine, past the network."""
        return self.url

    @cached_property
    def eye(self) -> Eye:
        return Eye(docker.APIClient(base_url=self.url, version="auto"))

    @property
    def private(self) -> Private:
        return Private(self, self.eye)

    def load(self, type_: str) -> str:
        """Brings the base image of a type here, once; its name."""
        ref = self.installed.image(type_)
        if not self.eye.client.images(name=ref):
            load_image(self.lab.source, self.eye, ref)
        return ref

    def _begin(self) -> None:
        super()._begin()
        self.lab.switch.join(self.number, self.init.pid)
        self._furnish()

    def _furnish(self) -> None:
        """Hides what this machine alone has, and puts sshd where it belongs."""
        for name in ("home", "etc"):
            (self.folder / name).mkdir(exist_ok=True)
        users = Path("/etc/passwd").read_text().splitlines()
        users = [u for u in users if not u.startswith(("root:", "sshd:"))]
        users.insert(0, f"root:x:0:0:root:{self.folder}/home:/bin/bash")
        users.append("sshd:x:71:65534::/run/sshd:/usr/sbin/nologin")
        (self.folder / "passwd").write_text("\n".join(users) + "\n")
        tools = _tools()
        self.inside("mount", "-t", "overlay", "-o", f"lowerdir={tools}/usr:/usr", "none", "/usr")
        self.inside("mount", "-t", "tmpfs", "-o", "mode=755", "none", "/run")
        self.inside("mkdir", "-p", "/run/sshd", Path(self.socket).parent)
        self.inside("mount", "--bind", self.folder / "passwd", "/etc/passwd")
        # Engine 20.10 keeps its ID there.
        self.inside("mkdir", "-p", "/etc/docker")
        self.inside("mount", "--bind", self.folder / "etc", "/etc/docker")
        for folder in self.lab.hidden:
            self.inside("mount", "-t", "tmpfs", "-o", "mode=1777", "none", folder)
        self.inside("hostname", self.name)

    def _options(self) -> Sequence[str | Path]:
        words: list[str | Path] = ["--host", f"unix://{self.socket}", "--host"]
        if not self.tls:
            return [*words, f"tcp://{self.address}:{PLAIN_PORT}", "--tls=false"]
        pem = self.folder / "tls"
        words += [f"tcp://{self.address}:{TLS_PORT}", "--tlsverify"]
        for option, file in (("cacert", "ca"), ("cert", "cert"), ("key", "key")):
            words += [f"--tls{option}", pem / f"{file}.pem"]
        return words

    def start(self) -> None:
        """Starts sshd and the engine, and waits until both answer."""
        if self._sshd is None or self._sshd.poll() is not None:
            self._start_sshd()
        super().start()

    def _start_sshd(self) -> None:
        place = self.folder
        lines = [
            f"HostKey {place}/host_key", f"AuthorizedKeysFile {self.lab.key}.pub",
            f"PidFile {place}/sshd.pid", "UsePAM no", "StrictModes no", "PermitRootLogin yes",
            "PasswordAuthentication no", "KbdInteractiveAuthentication no", "PrintMotd no",
            *(f"SetEnv {name}={value}" for name, value in self.session.items()), *self.sshd,
        ]  # fmt: skip
        (place / "sshd_config").write_text("\n".join(lines) + "\n")
        (place / "sshd.pid").unlink(missing_ok=True)
        with (place / "sshd.log").open("ab") as log:
            self._sshd = subprocess.Popen(
                self._enter(["/usr/sbin/sshd", "-D", "-e", "-f", place / "sshd_config"]),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        eventually((place / "sshd.pid").exists, timeout=20)

    def sessions(self) -> list[int]:
        """The processes of sshd that serve those who are logged in."""
        assert self._sshd
        (daemon,) = _children(self._sshd.pid)
        return _children(daemon)

    def end_sessions(self) -> None:
        """Ends whoever is logged in, as a firewall or a restart of sshd may."""
        for session in self.sessions():
            with suppress(ProcessLookupError):
                os.kill(session, signal.SIGKILL)

    @contextmanager
    def partitioned(self) -> Iterator[None]:
        """The cable is out: nobody hears of it, on either side."""
        self.lab.switch.plug(self.number, is_in=False)
        try:
            yield
        finally:
            self.lab.switch.plug(self.number, is_in=True)

    @contextmanager
    def dropping(self) -> Iterator[None]:
        """Its firewall drops whatever comes in."""
        rule = ("INPUT", "-i", "eth0", "-j", "DROP")
        self.inside("iptables", "-w", "-I", *rule)
        try:
            yield
        finally:
            self.inside("iptables", "-w", "-D", *rule)

    @contextmanager
    def mute(self) -> Iterator[None]:
        """The engine accepts connections and answers nothing."""
        assert self.daemon
        os.killpg(self.daemon.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            eventually(self._awake, pause=0.1)

    def _awake(self) -> bool:
        """Continues it. ``nsenter`` stops when it hears that what it runs has been stopped."""
        assert self.daemon
        os.killpg(self.daemon.pid, signal.SIGCONT)
        time.sleep(0.1)
        both = (self.daemon.pid, *_children(self.daemon.pid))
        stats = [Path(f"/proc/{pid}/stat").read_text() for pid in both]
        return not any(stat.rpartition(")")[2].split()[0] == "T" for stat in stats)

    def small_volume(self, name: str, size: str = "1m") -> None:
        """A volume that is soon full."""
        options = {"type": "tmpfs", "device": "tmpfs", "o": f"size={size}"}
        self.eye.client.create_volume(name, driver_opts=options)

    def sees(self, path: Path) -> bool:
        """Whether a path is there, as its users see it."""
        words = self._enter(["test", "-e", path])
        return subprocess.run(words, check=False, stdin=subprocess.DEVNULL).returncode == 0

    def end(self) -> None:
        if "eye" in self.__dict__:
            self.eye.client.close()
        super().end()
        if self._sshd:
            self._sshd.wait(20)


def _children(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Lab:
    """The switch, the client, and hosts that are started when they are first used."""

    def __init__(
        self, folder: Path, installed: Program, source: Eye, hidden: Sequence[Path]
    ) -> None:
        """``source``: the engine that has the images. ``hidden``: what no host may see of here."""
        self.folder, self.installed, self.source = folder, installed, source
        self.hidden = tuple(hidden)
        self.authority = Authority()
        self._hosts: dict[str, Host] = {}
        self.ssh_config, self.known_hosts = folder / "ssh_config", folder / "known_hosts"
        self.key = folder / "id_ed25519"
        self._write_keys()
        self.switch = Switch()
        self._client = _network_namespace()
        self.switch.join(int(CLIENT.rpartition(".")[2]), self._client.pid)

    def _write_keys(self) -> None:
        make_key(self.key)
        self.known_hosts.touch()
        self.ssh_config.write_text(
            f"UserKnownHostsFile {self.known_hosts}\nGlobalKnownHostsFile /dev/null\n"
            f"IdentityFile {self.key}\nIdentitiesOnly yes\nIdentityAgent none\n"
        )
        for name in ("bin", "home", "docker", "state"):
            (self.folder / name).mkdir()
        wrapper = self.folder / "bin/ssh"
        # ssh finds the user's folder by itself, whatever HOME is.
        wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {self.ssh_config} "$@"\n')
        wrapper.chmod(0o755)

    @property
    def client(self) -> Program:
        """The program in the client's network, with a home of its own, where it finds no engine."""
        kept = {k: v for k, v in self.installed.env.items() if not k.startswith("DOCKER_")}
        env = kept | {
            "PATH": f"{self.folder}/bin:{kept['PATH']}",
            "HOME": f"{self.folder}/home",
            "XDG_CONFIG_HOME": f"{self.folder}/home/.config",
            "XDG_STATE_HOME": f"{self.folder}/state",
            "DOCKER_CONFIG": f"{self.folder}/docker",
            "DOCKER_HOST": f"unix://{self.folder}/no-engine.sock",
        }
        return Program(env, ("nsenter", f"--net=/proc/{self._client.pid}/ns/net"))

    def at(self, offset: str) -> Program:
        """The client with a clock that is wrong, such as ``+1h`` or ``-400d``."""
        tools = _tools()
        assert tools
        (library,) = tools.glob("usr/lib/*/faketime/libfaketime.so.1")
        # The processes that a test starts wait by the monotonic clock, which stays right.
        wrong = {"LD_PRELOAD": str(library), "FAKETIME": offset, "DONT_FAKE_MONOTONIC": "1"}
        return replace(self.client, env={**self.client.env, **wrong})

    def host(self, name: str) -> Host:
        """The host of that name, which runs from now on."""
        return self._hosts[name] if name in self._hosts else self.add(name)

    @property
    def next_address(self) -> str:
        """Of the host that is added next."""
        return f"{NETWORK}.{len(self._hosts) + 1}"

    def add(
        self, name: str, *, tls: bool = True,
        socket: str = "/run/docker.sock", session: Mapping[str, str] | None = None,
        sshd: Sequence[str] = (),
    ) -> Host:  # fmt: skip
        """Starts another host. ``socket``: where its engine is. ``session``, ``sshd``: ``Host``."""
        number = len(self._hosts) + 1
        folder = self.folder / name
        folder.mkdir()
        make_key(folder / "host_key")
        address = self.next_address
        variables = {}
        if tls:
            self.authority.write(folder / "tls", address, address=address)
            mine = self.authority.write(self.folder / "pem", "client")
            variables = {
                "DOCKER_HOST": f"tcp://{address}:{TLS_PORT}",
                "DOCKER_TLS_VERIFY": "1",
                "DOCKER_CERT_PATH": str(mine),
            }
        host = Host(
            folder, self.installed, name=name, number=number, lab=self, socket=socket,
            tls=variables, session=session or {}, sshd=sshd,
        )  # fmt: skip
        self._hosts[name] = host
        self.know()
        host.start()
        return host

    def know(self) -> None:
        """The client knows the key of every host, and no other."""
        lines = []
        for host in self._hosts.values():
            key = (host.folder / "host_key.pub").read_text().split()
            lines.append(f"{host.address} {key[0]} {key[1]}\n")
        self.known_hosts.write_text("".join(lines))

    def context(self, name: str, url: str, pem: Path | None = None) -> None:
        """A Docker context of the client, as the docker command line keeps it."""
        digest = hashlib.sha256(name.encode()).hexdigest()
        contexts = self.folder / "docker/contexts"
        meta = {"Name": name, "Endpoints": {"docker": {"Host": url, "SkipTLSVerify": False}}}
        place = contexts / "meta" / digest
        place.mkdir(parents=True, exist_ok=True)
        (place / "meta.json").write_text(json.dumps(meta))
        if pem:
            shutil.copytree(pem, contexts / "tls" / digest / "docker", dirs_exist_ok=True)

    def clear(self) -> None:
        """After a test: hosts without containers, a client that remembers nothing."""
        for host in self._hosts.values():
            host.private.clear()
        self.know()
        for name in ("home", "docker", "state"):
            shutil.rmtree(self.folder / name)
            (self.folder / name).mkdir()

    def end(self) -> None:
        """Takes everything away."""
        for host in self._hosts.values():
            host.end()
        _end(self._client)
        self.switch.end()
        shutil.rmtree(self.folder, ignore_errors=True)


def make_key(path: Path) -> None:
    """An ssh key, and ``.pub`` beside it."""
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "tests", "-f", str(path)]
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
