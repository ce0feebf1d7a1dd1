"""Engines of other machines: by ssh and TLS, and what is said of those that cannot be reached."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from certificates import Authority

from .harness import Result, eventually, finish, write
from .held import held
from .lab import NETWORK, Host, Lab
from .workspaces import PAGE

LIMIT = 5 + 3
"""Seconds within which every attempt to reach an engine elsewhere ends."""


def refused(found: Result, *words: str) -> None:
    """Not reached, for good: nothing is tried again."""
    assert (found.code, found.error["code"]) == (4, "ENGINE_UNAVAILABLE"), str(found)
    assert found.error["retryable"] is False
    assert "trying again" not in found.err
    text = f"{found.error['message']} {found.error['hint']}"
    assert all(word in text for word in words), text


def status(lab: Lab, env: Mapping[str, str], *args: str) -> Result:
    return lab.client("status", "--no-stats", "--json", *args, env=env, check=False)


def test_by_ssh_wherever_the_engine_of_the_user_there_is(lab: Lab) -> None:
    usual, rootless = lab.host("a"), lab.add("rootless", socket="/run/user/0/docker.sock")
    elsewhere = lab.add("c", socket="/srv/x.sock", session={"DOCKER_HOST": "unix:///srv/x.sock"})
    urls = [usual.ssh_url, rootless.ssh_url, elsewhere.ssh_url, f"{elsewhere.ssh_url}/srv/x.sock"]
    with ThreadPoolExecutor() as pool:
        missing = pool.submit(status, lab, {}, "-H", f"{elsewhere.ssh_url}/srv/none.sock")
        found = list(pool.map(lambda url: status(lab, {}, "-H", url), urls))
    assert [f.document["engine"]["endpoint"] for f in found if f.code == 0] == urls
    assert missing.result().error["code"] == "ENGINE_UNAVAILABLE"
    assert f"no socket /srv/none.sock on {NETWORK}" in missing.result().error["message"]


def test_where_no_socket_can_be_forwarded_docker_connects_over_there(
    lab: Lab, tmp_path: Path
) -> None:
    """Where docker knows a way that is no socket, and where the server forbids the forward."""
    forbids = ["AllowStreamLocalForwarding no", "AllowTcpForwarding no"]
    plain = {"DOCKER_HOST": f"tcp://{lab.next_address}:2375"}
    unknown = lab.add("unknown", tls=False, socket="/srv/y.sock", session=plain)
    closed = lab.add("closed", sshd=forbids)
    bare = lab.add("bare", session={"PATH": str(lab.folder / "bare/tools")}, sshd=forbids)
    (bare.folder / "tools").mkdir()
    for name in ("sh", "cat", "id", "grep"):
        (bare.folder / "tools" / name).symlink_to(str(shutil.which(name)))
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(status, lab, bare.ssh)
        assert status(lab, unknown.ssh).code == 0
        closed.load("static")
        lab.client("up", "-w", write(tmp_path / "shop", PAGE), env=closed.ssh)
        # It ends with its input.
        command = ("-i", "-p", "shop", "--", "sh", "-c", "cat; head -c 1000000 /dev/zero")
        assert len(lab.client("exec", *command, env=closed.ssh).stdout) == 10**6
        eventually(lambda: logins(unknown) == logins(closed) == 0)
        error = asked.result().error
    for words in ("open failed", "no docker command"):
        assert words in error["message"]
    assert "AllowStreamLocalForwarding" in error["hint"]


def test_what_ssh_objects_to_is_told_in_its_words(lab: Lab) -> None:
    a, b = lab.host("a"), lab.host("b")
    lab.known_hosts.write_text("")
    refused(status(lab, a.ssh), "Host key verification failed.", f"ssh root@{a.address}")
    lab.know()
    keys = lab.known_hosts.read_text()
    lab.known_hosts.write_text(keys.replace(f"{a.address} ", "x ").replace(b.address, a.address))
    changed = status(lab, a.ssh)
    refused(changed, f"Host key for {a.address} has changed", f"ssh-keygen -R {a.address}")
    lab.know()
    denied = status(lab, {}, "-H", f"ssh://nobody@{a.address}")
    assert denied.error["code"] == "ENGINE_PERMISSION_DENIED"
    assert "Permission denied (publickey)" in denied.error["message"]


def test_tls_is_verified_both_ways(lab: Lab, tmp_path: Path) -> None:
    a = lab.host("a")
    assert status(lab, a.tls).code == 0
    mine = Path(a.tls["DOCKER_CERT_PATH"])
    stranger = Authority("stranger").write(tmp_path / "stranger", "client")
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    shutil.copy(mine / "ca.pem", nothing)
    unknown = shutil.copytree(stranger, tmp_path / "unknown")
    shutil.copy(mine / "ca.pem", unknown)
    old = lab.authority.write(tmp_path / "old", "client", days=-1)
    for folder, words in (
        (stranger, ("its certificate is not trusted", "ca.pem")),
        (nothing, ("wants a client certificate, and there is none", "key.pem")),
        (unknown, ("does not accept the certificate", "openssl x509")),
        (old, ("does not accept the certificate", "openssl x509")),
    ):
        refused(status(lab, {**a.tls, "DOCKER_CERT_PATH": str(folder)}), *words)
    refused(status(lab, {}, "-H", a.tls_url), "wants TLS", "DOCKER_CERT_PATH")
    late = lab.at("+400d")("status", "--json", env=a.tls, check=False)
    refused(late, "certificate has expired", "clock")


def test_plain_tcp_to_another_machine_is_used_only_where_it_is_asked_for(lab: Lab) -> None:
    plain = lab.add("plain", tls=False)
    refused(status(lab, {"DOCKER_HOST": plain.plain_url}), "neither TLS nor ssh", "--host")
    assert status(lab, {}, "-H", plain.plain_url).code == 0
    assert status(lab, {"DEBUGHOST_HOST": plain.plain_url}).code == 0
    lab.context("plain", plain.plain_url)
    assert status(lab, {}, "-c", "plain").code == 0
    tls = {**lab.host("a").tls, "DOCKER_HOST": plain.plain_url}
    refused(status(lab, tls), "does not speak TLS", "2376")


def test_whoever_does_not_answer_is_not_waited_for(lab: Lab) -> None:
    """No host at all, a cable that is out, packets that are dropped, an engine that hangs."""
    out, dropping, mute = lab.host("a"), lab.host("b"), lab.host("plain")
    none = {"DOCKER_HOST": f"ssh://root@{NETWORK}.99"}
    with ThreadPoolExecutor() as pool, out.partitioned(), dropping.dropping(), mute.mute():
        ways = [none, out.ssh, out.tls, dropping.ssh, dropping.tls, mute.ssh]
        start = pool.submit(lab.client.slow, 2)
        found = list(pool.map(lambda env: status(lab, env), ways))
    for result in found:
        assert result.code == 4
        assert result.own_seconds < LIMIT + start.result(), str(result)
        assert "trying again" not in result.err
    codes = [f.error["code"] for f in found]
    assert codes == ["ENGINE_UNAVAILABLE"] * 5 + ["ENGINE_TIMEOUT"]
    assert all(f.error["retryable"] for f in found)
    assert status(lab, out.ssh).code == status(lab, mute.ssh).code == 0


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_ssh_ends_with_the_command_however_that_ends(lab: Lab, ending: int) -> None:
    a = lab.host("a")
    process = lab.client.start("events", "--json", env=a.ssh)
    eventually(lambda: logins(a) == 1)
    process.send_signal(ending)
    finish(process)
    eventually(lambda: logins(a) == 0)


def logins(host: Host) -> int:
    return len(host.sessions())


def test_a_link_that_is_cut_at_the_wrong_moment_makes_nothing_twice(lab: Lab) -> None:
    a = lab.host("a")
    lab.client("network", "ensure", env=a.ssh)
    lab.client("network", "rm", env=a.ssh)
    run = type(lab.client)({**lab.client.env, **a.ssh}, lab.client.prefix)
    with held(run, [("creating the network", ("network", "ensure"))]) as (command,):
        a.end_sessions()
        found = command.result()
    assert found.code == 0, str(found)
    assert found.document["changed"] is True
    assert len(a.private.networks()) == 1


def test_a_stream_goes_on_over_a_new_link(lab: Lab) -> None:
    a = lab.host("a")
    process = lab.client.start("events", "--json", env=a.ssh)
    eventually(lambda: logins(a) == 1)
    before = a.sessions()
    a.end_sessions()
    eventually(lambda: logins(a) == 1 and a.sessions() != before, timeout=20)
    process.send_signal(signal.SIGTERM)
    code, _, err = finish(process)
    assert code == 143, err


def test_a_name_that_leads_to_another_engine_is_no_silent_switch(lab: Lab) -> None:
    a, b = lab.host("a"), lab.host("b")
    lab.context("build", a.ssh_url)
    lab.client("network", "ensure", "-c", "build")
    lab.context("build", b.ssh_url)
    lab.client("status", "-c", "build")
    changed = lab.client("network", "ensure", "-c", "build", "--json", check=5)
    assert changed.error["code"] == "ENGINE_CHANGED"
    for host in (a, b):
        assert host.eye.client.info()["ID"] in changed.error["message"]
        assert host.ssh_url in changed.error["message"]
    assert not b.private.networks()
    assert changed.error["hint"].endswith("debughost engines forget build")
    lab.client("engines", "forget", "build")
    lab.client("network", "ensure", "-c", "build")
    assert b.private.networks()
