"""The address guard: nothing private is called unless `egress.allow` names it, however it is spelt or resolved."""

import asyncio
import ipaddress
import socket
import threading
import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import errors
from connector.http import Http, parse_egress
from connector.http.networks import special
from connector.model import Request
from connector.secrets import Vault
from tests.http.certificate import Certificate
from tests.http.servers import OK, Server, answering

NUMBERS = """
127.1 127.0.1 127.00.00.01 2130706433 0x7f000001 0x7f.1 0x7F.0.0.1 0x7f.0x0.0x0.0x1 017700000001 0177.0.0.1 0177.1
00000177.0.0.1 127.0.0.01 127.0.0.0x1 0 0x0 00 1 256 0.1 127.0.0.1. 127.1. 127.0.0.256 127.0.0.1.1 127.0.0 4294967295
4294967296 0x100000001 127.0x1 3232235521 0xc0a80001 0300.0250.1 10.1 172.16.1 192.168.1 169.254.43518 2852039166
0xa9fea9fe 0251.0376.0251.0376 a.1 foo.0x7f 1.2.3.4.5
"""
PRIVATE_4 = """
127.0.0.1 127.255.255.254 127.0.0.53 0.0.0.0 0.255.255.255 10.0.0.5 10.255.255.255 172.16.0.1 172.31.255.255
192.168.0.1 192.168.255.255 100.64.0.1 100.127.255.255 100.100.100.200 169.254.169.254 169.254.170.2 169.254.0.1
168.63.129.16 192.0.0.1 192.0.0.192 192.0.2.1 198.51.100.7 203.0.113.9 198.18.0.1 198.19.255.255 192.88.99.1
192.31.196.1 192.52.193.1 192.175.48.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
"""
PRIVATE_6 = """
::1 :: 0:0:0:0:0:0:0:1 ::0001 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:169.254.169.254 ::ffff:8.8.8.8 ::127.0.0.1
::7f00:1 64:ff9b::7f00:1 64:ff9b::127.0.0.1 64:ff9b::8.8.8.8 64:ff9b:1::1 2002:7f00:1:: 2002:a00:1::
2001:0:4136:e378:8000:63bf:3fff:fdd2 2001::1 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 3fff::1 100::1 5f00::1
fc00::1 fd00:ec2::254 fd12:3456::1 fe80::1 febf::1 fec0::1 feff::1 ff02::1 ff0e::1 4000::1 e000::1 2620:4f:8000::1
"""
NAMES = """
localhost LOCALHOST LocalHost localhost. localhost.. foo.localhost a.b.localhost localhost.localdomain ip6-localhost
crm db metadata metadata.google.internal METADATA.google.internal metadata.google.internal. metadata.azure.internal
instance-data metadata.tencentyun.com printer.local router.home.arpa consul.service.internal
"""
ODD = """
127\u30020\u30020\u30021 127\uff0e0\uff0e0\uff0e1 \uff11\uff12\uff17.0.0.1 \u2460\u2461\u2466.\u24ea.\u24ea.\u2460
\u24dbocalhost loc\u200balhost b\u00fccher.example localhost\0 %6cocalhost 127.0.0.1%00 example.com\\@127.0.0.1
user@127.0.0.1 user:pw@example.com @example.com example.com@127.0.0.1:80 example.com:80@127.0.0.1 [127.0.0.1] [::1 ::1
[::1%25lo] [fe80::1%eth0] [::1]x [] -a.example a-.example a..example .example *.example.com example.com: example.com:0
example.com:65536 example.com:99999999 example.com:+443 example.com:x
"""
PUBLIC = """
8.8.8.8 93.184.216.34 1.1.1.1 172.15.255.255 172.32.0.1 100.63.255.255 100.128.0.1 169.253.1.1 192.0.1.1
198.17.255.255 223.255.255.255 168.63.129.15 2606:4700::1111 2a00:1450:4001::200e 2400:cb00::1 2003::1 3ffe::1
2001:200::1
"""
URLS = """
file:///etc/passwd gopher://example.com/ ftp://example.com/ unix:///run/docker.sock ws://example.com data:text/plain,x
//example.com/ example.com https:example.com https:/example.com https:///example.com http:///x https://#x https://?x
https://example.com/#fragment javascript:alert(1) https://example.com:22/ https://example.com:25/
https://example.com:80/ https://example.com:6379/ https://example.com:993/ http://example.com/
http://example.com:8080/ http://93.184.216.34/
"""
NO_ENTRIES = """
http://crm.internal crm.internal/path *.internal 10.0.0.1/8 10.0.0.0/33 127.1 0x7f.1 crm.internal: crm.internal:0
crm.internal:99999 crm.internal:http crm:\u0663 crm.internal. [crm.internal] [::1 ::1]:80 [::1]:x [::1]x user@host
fe80::1%eth0 10.0.0.0/8:x
"""
FORMS = [
    *(NUMBERS + PRIVATE_4 + NAMES + ODD).split(),
    *(f"[{address}]" for address in PRIVATE_6.split()),
    *("", " ", "exa mple.com", "example.com:4 43", "x" * 64 + ".example", "a." * 127 + "toolong"),
]
assert len(FORMS) >= 120


class Lookups:
    """Stands in for the system's resolver: each lookup of a name gives the next of its answers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **answers: list[list[str]]) -> None:
        self.asked: list[str] = []
        self._answers = {name.replace("_", "."): answer for name, answer in answers.items()}
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self)

    def __call__(self, host: str, port: int, *arguments: int, **named: int) -> list[tuple[object, ...]]:
        if named.get("flags", 0) & socket.AI_NUMERICHOST or host.replace(".", "").isdigit():  # the test's own server
            return self._real(host, port, *arguments, **named)
        self.asked.append(host)
        answers = self._answers.get(host.removesuffix("."), [])
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in found
        ]


def call(vault: Vault, url: str, allow: Sequence[str] = ()) -> int:
    async def main() -> int:
        async with Http(allow, vault) as http:
            return (await http.send(Request("POST", url, deadline=2000))).status

    return asyncio.run(main())


# ── spellings ─────────────────────────────────────────────────────────────────────────────────


def test_no_spelling_of_a_private_host_is_ever_connected_to_or_looked_up(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups = Lookups(monkeypatch)

    async def main() -> tuple[list[str], int]:
        passed = []
        async with Server(answering(OK)) as server, Server(answering(OK), host="::1", port=server.port) as six:
            async with Http([], vault) as http:
                for form in FORMS:
                    for url in (f"https://{form}:{server.port}/", f"http://{form}:{server.port}/", f"https://{form}/"):
                        try:
                            await http.send(Request("POST", url, deadline=1000))
                            passed.append(url)
                        except errors.AddressRefused:
                            pass
            return passed, server.connects + six.connects

    assert ([], 0) == asyncio.run(main())
    assert [] == lookups.asked


@pytest.mark.parametrize("url", URLS.split())
def test_other_schemes_ports_and_plain_http_are_refused(
    vault: Vault, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups = Lookups(monkeypatch)
    with pytest.raises(errors.AddressRefused):
        call(vault, url)
    assert [] == lookups.asked


@given(st.text(max_size=40) | st.from_regex(r"https?://[0-9a-fx.:\[\]%@]{0,30}(/[!-~]{0,5})?", fullmatch=True))
def test_no_text_at_all_passes_as_a_private_address(url: str) -> None:
    from connector.http.guard import Guard
    from connector.http.place import read

    try:
        place = read(url)
        Guard([]).admit(place)
    except errors.AddressRefused:
        return
    assert "https" == place.scheme
    assert place.address is None or place.address.is_global


@given(st.ip_addresses())
def test_what_we_call_public_is_public_for_python_too(address: str) -> None:
    if not special(address):
        assert address.is_global
        assert not address.is_multicast


@pytest.mark.parametrize("address", PUBLIC.split())
def test_public_addresses_are_public(address: str) -> None:
    assert "" == special(ipaddress.ip_address(address))


def test_a_refusal_says_what_to_edit(vault: Vault) -> None:
    with pytest.raises(errors.AddressRefused) as caught:
        call(vault, "https://10.0.0.5/secret?key=1")
    what, edit = str(caught.value).split(". ")
    assert "10.0.0.5:443 was not called: it is a private network" == what
    assert "If it is meant, add 10.0.0.5 to egress.allow in connector.yaml" == edit


# ── names and what they resolve to ────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "answers",
    [
        ["127.0.0.1"],
        ["93.184.216.34", "10.0.0.5"],
        ["10.0.0.5", "93.184.216.34"],
        ["2606:4700::1111", "::1"],
        ["fe80::1%lo"],
    ],
)
def test_one_private_answer_refuses_the_whole_host(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, answers: list[str]
) -> None:
    Lookups(monkeypatch, crm_example_com=[answers])
    with pytest.raises(errors.AddressRefused, match="it resolves to ") as caught:
        call(vault, "https://crm.example.com/")
    assert caught.value.arrived is False


@pytest.mark.parametrize("allow", [[], ["127.0.0.1"]])
def test_a_host_that_does_not_resolve_is_unreachable_never_allowed(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, allow: list[str]
) -> None:
    lookups = Lookups(monkeypatch)
    with pytest.raises(errors.Unreachable, match="Name or service not known") as caught:
        call(vault, "https://nowhere.example.com/", allow)
    assert caught.value.arrived is False
    assert ["nowhere.example.com."] == lookups.asked  # with the dot: no search domain is tried


def test_a_rebinding_name_is_looked_up_once_and_the_checked_address_is_called(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, certificate: Certificate
) -> None:
    lookups = Lookups(monkeypatch, rebind_example=[["127.0.0.2"], ["127.0.0.1"]])

    async def main() -> tuple[int, int]:
        good = Server(answering(OK), host="127.0.0.2", tls=certificate.server)
        async with good, Server(answering(OK), port=good.port, tls=certificate.server) as victim:
            async with Http([f"127.0.0.2:{good.port}"], vault, tls=certificate.client) as http:
                for _ in range(3):
                    await http.send(Request("POST", f"https://rebind.example:{good.port}/"))
            return good.connects, victim.connects

    assert (1, 0) == asyncio.run(main())
    assert ["rebind.example."] == lookups.asked


def test_a_name_that_rebinds_to_a_private_address_is_refused_at_the_next_connection(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, certificate: Certificate
) -> None:
    Lookups(monkeypatch, rebind_example=[["127.0.0.2"], ["127.0.0.1"]])

    async def main() -> tuple[int, int]:
        good = Server(answering(OK), host="127.0.0.2", tls=certificate.server)
        async with good, Server(answering(OK), port=good.port, tls=certificate.server) as victim:
            for expected in (None, errors.AddressRefused):
                async with Http([f"127.0.0.2:{good.port}"], vault, tls=certificate.client) as http:
                    sending = http.send(Request("POST", f"https://rebind.example:{good.port}/"))
                    if expected is None:
                        await sending
                    else:
                        with pytest.raises(expected):
                            await sending
            return good.connects, victim.connects

    assert (1, 0) == asyncio.run(main())


def test_a_lookup_without_end_holds_neither_the_loop_nor_the_deadline(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: release.wait(20) and [])

    async def main() -> int:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        async with Http([], vault) as http:
            with pytest.raises(errors.DeadlineExceeded) as caught:
                await http.send(Request("GET", "https://slow.example.com/", deadline=300))
            assert caught.value.arrived is False
        ticking.cancel()
        release.set()
        await asyncio.sleep(0.1)  # the lookup ends when nobody waits for it any more
        return ticks

    started = time.monotonic()
    assert asyncio.run(main()) > 15
    assert time.monotonic() - started < 2
    assert "" == caplog.text


# ── egress.allow ──────────────────────────────────────────────────────────────────────────────


def test_an_allowed_address_and_port_opens_nothing_beside_it(vault: Vault) -> None:
    async def main() -> list[str]:
        async with Server(answering(OK)) as server, Server(answering(OK)) as other:
            neighbour = Server(answering(OK), host="127.0.0.2", port=server.port)
            async with neighbour, Http([f"127.0.0.1/32:{server.port}"], vault) as http:
                called = []
                for url in (server.url, other.url, neighbour.url, f"http://localhost:{server.port}"):
                    try:
                        await http.send(Request("GET", url))
                        called.append(url)
                    except errors.AddressRefused:
                        pass
                assert [1, 0, 0] == [one.connects for one in (server, other, neighbour)]
                return [url.replace(server.url, "the server") for url in called]

    assert ["the server"] == asyncio.run(main())


def test_an_allowed_name_may_resolve_to_anything_and_speak_plain_http(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> int:
        lookups = Lookups(monkeypatch, crm_internal=[["127.0.0.1"]])
        async with Server(answering(OK)) as server, Http([f"CRM.internal:{server.port}"], vault) as http:
            status = (await http.send(Request("GET", f"http://crm.Internal:{server.port}/"))).status
            assert ["crm.internal"] == lookups.asked
            with pytest.raises(errors.AddressRefused):
                await http.send(Request("GET", f"http://other.internal:{server.port}/"))
            return status

    assert 200 == asyncio.run(main())


def test_ipv6_loopback_can_be_allowed(vault: Vault) -> None:
    async def main() -> int:
        async with Server(answering(OK), host="::1") as server, Http([f"[::1]:{server.port}"], vault) as http:
            return (await http.send(Request("GET", f"http://[::1]:{server.port}/"))).status

    assert 200 == asyncio.run(main())


@pytest.mark.parametrize(
    ("entry", "covered", "not_covered"),
    [
        ("192.168.0.120/32:443", ["192.168.0.120:443"], ["192.168.0.121:443", "192.168.0.120:22"]),
        ("10.0.0.0/8", ["10.1.2.3:1", "10.255.0.1:443"], ["11.0.0.1:443"]),
        ("127.0.0.1", ["127.0.0.1:80"], ["127.0.0.2:80", "localhost:80"]),
        ("[::1]:8300", ["::1:8300"], ["::1:8301", "::2:8300"]),
        ("[::1]", ["::1:1"], ["::2:1"]),
        ("::1", ["::1:1"], ["::2:1", "127.0.0.1:1"]),
        ("fd00::/8", ["fd12::1:443"], ["fe80::1:443"]),
        ("[fd00::]/8:443", ["fd12::1:443"], ["fd12::1:80"]),
        ("[fd00::/8]:443", ["fd12::1:443"], ["fd12::1:80"]),
        ("crm.internal", ["crm.internal:80"], ["a.crm.internal:80", "xcrm.internal:80"]),
        (" CRM.Internal:8080 ", ["crm.internal:8080"], ["crm.internal:80"]),
        ("localhost", ["localhost:1"], ["127.0.0.1:1"]),
    ],
)
def test_what_an_entry_covers(entry: str, covered: list[str], not_covered: list[str]) -> None:
    allowed = parse_egress(entry)

    def covers(place: str) -> bool:
        host, _, port = place.rpartition(":")
        try:
            return allowed.covers(ipaddress.ip_address(host), int(port))
        except ValueError:
            return allowed.covers(host, int(port))

    assert [True] * len(covered) + [False] * len(not_covered) == [covers(place) for place in (*covered, *not_covered)]


@pytest.mark.parametrize("entry", ["", " ", "a b", *NO_ENTRIES.split()])
def test_an_entry_that_cannot_be_read_is_a_value_error_that_names_the_key(entry: str) -> None:
    with pytest.raises(ValueError, match=r"^egress\.allow: "):
        parse_egress(entry)
    with pytest.raises(ValueError, match=r"^egress\.allow: "):
        Http([entry], Vault({}, None, None))


@given(st.text(max_size=30))
def test_any_entry_is_read_or_a_value_error(entry: str) -> None:
    try:
        message = str(parse_egress(entry) and "")
    except ValueError as error:
        message = str(error)
    assert message == "" or message.startswith("egress.allow: ")
