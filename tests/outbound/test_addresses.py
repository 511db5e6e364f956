"""The address rule: what may be fetched for somebody, and what never."""

import socket
import threading
from ipaddress import ip_address

import pytest

from factcheck.outbound.addresses import check_address, follow, is_public, system_resolve, vet
from factcheck.outbound.errors import AddressRefused, Unreachable

# Ways to spell an address of this machine, of the cloud's metadata service or of a private network, with the canary's
# port to be put in. From the hostile runs behind the design, and OWASP's and PortSwigger's lists.
SPELLINGS = """
http://127.0.0.1:{port}/
http://127.0.0.1.:{port}/
http://127.1:{port}/
http://127.0.1:{port}/
http://127.000.000.001:{port}/
http://0177.0.0.1:{port}/
http://0177.0000.0000.0001:{port}/
http://017700000001:{port}/
http://2130706433:{port}/
http://0x7f000001:{port}/
http://0x7f.0.0.1:{port}/
http://0x7f.0x0.0x0.0x1:{port}/
http://0X7F000001:{port}/
http://0x7f.1:{port}/
http://0x:{port}/
http://127.0.0.0x1:{port}/
http://127.255.255.254:{port}/
http://127.0.0.1.1:{port}/
http://0:{port}/
http://0.0.0.0:{port}/
http://00.0.0.0:{port}/
http://localhost:{port}/
http://LOCALHOST:{port}/
http://localhost.:{port}/
http://www.localhost:{port}/
http://localhost.localdomain:{port}/
http://loc\u00adalhost:{port}/
http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/
http://１２７.０.０.１:{port}/
http://127。0。0。1:{port}/
http://127．0．0．1:{port}/
http://①②⑦.⓪.⓪.①:{port}/
http://١٢٧.٠.٠.١:{port}/
http://%31%32%37.0.0.1:{port}/
http://127.0.0.1%00.example.com:{port}/
http://[::1]:{port}/
http://[0:0:0:0:0:0:0:1]:{port}/
http://[::]:{port}/
http://[::ffff:127.0.0.1]:{port}/
http://[::ffff:7f00:1]:{port}/
http://[0:0:0:0:0:ffff:127.0.0.1]:{port}/
http://[::127.0.0.1]:{port}/
http://[::7f00:1]:{port}/
http://[64:ff9b::127.0.0.1]:{port}/
http://[64:ff9b:1::7f00:1]:{port}/
http://[2002:7f00:1::]:{port}/
http://[2001:0:7f00:1::]:{port}/
http://[fe80::1%25lo]:{port}/
http://[fe80::1%lo]:{port}/
http://[fe80::1]:{port}/
http://[fec0::1]:{port}/
http://[fc00::1]:{port}/
http://[fd00:ec2::254]:{port}/
http://[ff02::1]:{port}/
http://[100::1]:{port}/
http://[2001:db8::1]:{port}/
http://[::1:{port}/
http://169.254.169.254:{port}/latest/meta-data/
http://[::ffff:169.254.169.254]:{port}/
http://2852039166:{port}/
http://metadata.google.internal:{port}/
http://10.0.0.1:{port}/
http://172.16.0.1:{port}/
http://172.31.255.255:{port}/
http://192.168.0.1:{port}/
http://100.64.0.1:{port}/
http://192.0.0.1:{port}/
http://192.88.99.1:{port}/
http://198.18.0.1:{port}/
http://203.0.113.1:{port}/
http://224.0.0.1:{port}/
http://255.255.255.255:{port}/
http://example.com@127.0.0.1:{port}/
http://example.com:80@127.0.0.1:{port}/
http://127.0.0.1:{port}@example.com/
http://127.0.0.1:{port}\\@example.com/
http://example.com\\@127.0.0.1:{port}/
http://127.0.0.1:{port}#@example.com/
http://127.0.0.1:{port}?@example.com/
http:127.0.0.1:{port}/
http:/127.0.0.1:{port}/
http:///127.0.0.1:{port}/
http:\\\\127.0.0.1:{port}/
http://127.0.0.1\t:{port}/
http://127.0.0.1:{port}{line_end}Host:example.com/
http://:{port}/
http://.:{port}/
//127.0.0.1:{port}/
file:///etc/passwd
gopher://127.0.0.1:{port}/_GET
ftp://127.0.0.1:{port}/
dict://127.0.0.1:{port}/
data:text/html,hello
javascript:alert(1)
jar:http://127.0.0.1:{port}/
ws://127.0.0.1:{port}/
""".strip("\n").split("\n")


def spelled(port: int) -> list[str]:
    return [spelling.format(port=port, line_end="\r\n") for spelling in SPELLINGS]


def no_resolver(name: str, seconds: float) -> list[str]:
    raise AssertionError(f"{name} was looked up")


def answering(*addresses: str):
    return lambda name, seconds: list(addresses)


@pytest.fixture
def any_port(settings):
    settings.ARCHIVE_PORTS = list(range(1, 65_536))


def test_no_spelling_of_a_private_address_passes(any_port):
    for url in spelled(8080):
        with pytest.raises(AddressRefused):
            vet(url, resolve=no_resolver)
    assert len(SPELLINGS) >= 60


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("ftp://example.com/", "scheme", "http:// or https://"),
        ("http://anna:secret@example.com/", "userinfo", "before “@”"),
        ("http://example.com:22/", "port", "port 22"),
        ("http://example.com:99999/", "port", "between 1 and 65535"),
        ("http://example.com:８０/", "port", "between 1 and 65535"),
        ("http://10.1.2.3/", "private_address", "10.1.2.3 is not an address on the public internet"),
        ("http://0x0a010203/", "name", "unusual way"),
        ("http://intranet/", "name", "inside a network"),
        ("http://-x.example.com/", "name", "not a name"),
        ("http://a..example.com/", "name", "not a name"),
        ("not an address", "unreadable", "cannot be read"),
    ],
)
def test_a_refusal_says_what_was_refused_and_why(url, code, words):
    with pytest.raises(AddressRefused, match=words) as refused:
        check_address(url)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://example.com", "http://example.com/"),
        ("  HTTPS://Example.COM:443/Path?q=1#part ", "https://example.com/Path?q=1"),
        ("http://example.com./x", "http://example.com/x"),
        ("http://example.com:/x", "http://example.com/x"),
        ("http://example.com:443/", "http://example.com:443/"),
        ("http://bücher.example/ä?ö=ü", "http://xn--bcher-kva.example/%C3%A4?%C3%B6=%C3%BC"),
        ("http://ｂｕ\u0308ｃｈｅｒ。example/", "http://xn--bcher-kva.example/"),
        ("http://faß.example/", "http://xn--fa-hia.example/"),
        ("http://example.com/a b|c%20d\\e?f\\g", "http://example.com/a%20b|c%20d/e?f%5Cg"),
        ("http://example.com/a/./b/../c", "http://example.com/a/c"),
        ("http://example.com/../../a", "http://example.com/a"),
        ("http://example.com/a/b/%2E%2e", "http://example.com/a/"),
        ("http://example.com/a\\..\\b/.", "http://example.com/b/"),
        ("http://example.com/a/...//..b?c=/../d", "http://example.com/a/...//..b?c=/../d"),
        ("http://under_score.example.com/", "http://under_score.example.com/"),
        ("http://8.8.8.8/", "http://8.8.8.8/"),
        ("https://[2606:4700:0:0::1111]/", "https://[2606:4700::1111]/"),
    ],
)
def test_a_public_address_is_read_as_it_will_be_asked_for(url, asked):
    assert vet(url, resolve=answering("93.184.216.34")).url == asked


def test_a_name_that_resolves_to_a_private_address_is_refused_with_both_named():
    with pytest.raises(AddressRefused, match=r"“news.example” leads to 192.168.7.7, which is not"):
        vet("http://news.example/", resolve=answering("192.168.7.7"))


@pytest.mark.parametrize(
    "answers",
    [
        ("93.184.216.34", "10.0.0.1"),
        ("10.0.0.1", "93.184.216.34"),
        ("93.184.216.34", "::1"),
        ("2606:4700::1111", "fe80::1%eth0"),
        ("2606:4700::1111", "::ffff:93.184.216.34"),
    ],
)
def test_one_private_answer_among_public_ones_refuses_the_name(answers):
    with pytest.raises(AddressRefused):
        vet("http://news.example/", resolve=answering(*answers))


def test_all_public_answers_are_kept_and_the_name_is_looked_up_once():
    asked = []

    def resolve(name, seconds):
        asked.append(name)
        return ["93.184.216.34", "2606:4700::1111", "93.184.216.34"]

    target = vet("https://news.example/", resolve=resolve)

    assert target.addresses == ("93.184.216.34", "2606:4700::1111")
    assert asked == ["news.example"]


@pytest.mark.parametrize("answers", [(), ("not an address",)])
def test_a_name_without_a_usable_address_is_unreachable(answers):
    with pytest.raises(Unreachable) as error:
        vet("http://news.example/", resolve=answering(*answers))
    assert error.value.code == "dns"


# Each line of the two special registries of IANA that is not globally reachable, by its first and last address.
@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.255.255.255",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.0",
        "127.255.255.255",
        "169.254.0.0",
        "169.254.255.255",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.0",
        "192.0.0.255",
        "192.0.2.0",
        "192.0.2.255",
        "192.88.99.0",
        "192.168.0.0",
        "192.168.255.255",
        "198.18.0.0",
        "168.63.129.16",
        "198.19.255.255",
        "198.51.100.0",
        "203.0.113.255",
        "224.0.0.0",
        "239.255.255.255",
        "240.0.0.0",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:8.8.8.8",
        "::8.8.8.8",
        "64:ff9b::8.8.8.8",
        "64:ff9b:1::",
        "100::",
        "100:0:0:1::",
        "2001::",
        "2001:1ff::",
        "2001:2::",
        "2001:10::",
        "2001:20::",
        "2001:db8::",
        "2002::",
        "2002:808:808::",
        "3fff::",
        "3ffe::",
        "5f00::",
        "2620:4f:8000::",
        "fc00::",
        "fdff::",
        "fe80::",
        "febf::",
        "fec0::",
        "feff::",
        "ff00::",
        "1fff::",
        "4000::",
        "fe80::1%eth0",
        "2606:4700::1%eth0",
    ],
)
def test_special_addresses_are_not_public(address):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2001:200::",
        "2001:4860:4860::8888",
        "2606:4700::1111",
        "2a00:1450::",
        "2003::",
    ],
)
def test_their_neighbours_are_public(address):
    assert is_public(ip_address(address))


def test_an_allowed_loopback_pair_passes_exactly_as_written(settings):
    settings.ARCHIVE_ALLOW_LOOPBACK = ["127.0.0.1:8055", "localhost:8056", "[::1]:8057"]

    assert vet("http://127.0.0.1:8055/a", resolve=no_resolver).addresses == ("127.0.0.1",)
    assert vet("http://localhost:8056/", resolve=answering("127.0.0.1", "::1")).addresses == ("127.0.0.1", "::1")
    assert vet("http://[::1]:8057/", resolve=no_resolver).addresses == ("::1",)
    for other in ("http://127.0.0.1:8056/", "http://localhost:8055/", "http://127.0.0.2:8055/", "http://127.0.0.1/"):
        with pytest.raises(AddressRefused):
            vet(other, resolve=answering("127.0.0.1"))


def test_an_allowed_loopback_name_may_lead_only_to_this_machine(settings):
    settings.ARCHIVE_ALLOW_LOOPBACK = ["sources.example:8055", "10.0.0.1:8055"]

    assert vet("http://sources.example:8055/", resolve=answering("127.0.0.1")).addresses == ("127.0.0.1",)
    for answers in (("10.0.0.1",), ("127.0.0.1", "93.184.216.34")):
        with pytest.raises(AddressRefused, match="leads elsewhere"):
            vet("http://sources.example:8055/", resolve=answering(*answers))
    with pytest.raises(AddressRefused, match="leads elsewhere"):
        vet("http://10.0.0.1:8055/", resolve=no_resolver)


def test_the_app_itself_is_never_fetched_whatever_is_allowed(settings):
    settings.PUBLIC_URL = "http://127.0.0.1:8055"
    settings.ARCHIVE_URL = "http://localhost:8056"
    settings.ARCHIVE_ALLOW_LOOPBACK = ["127.0.0.1:8055", "localhost:8055", "localhost:8056"]

    for url in ("http://127.0.0.1:8055/", "http://localhost:8055/", "http://localhost:8056/"):
        with pytest.raises(AddressRefused):
            vet(url, resolve=answering("127.0.0.1"))


@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        ("/b", "http://news.example/b"),
        ("b?c#d", "http://news.example/x/b?c#d"),
        ("//other.example/", "http://other.example/"),
        (" https://other.example/a\r\n b ", "https://other.example/a b"),
        ("\\\\other.example/", "http://other.example/"),
        ("/\\other.example/", "http://other.example/"),
        ("///other.example/a", "http://other.example/a"),
        ("\\/\\other.example\\a?b\\c", "http://other.example/a?b\\c"),
        ("pictures\\a.png", "http://news.example/x/pictures/a.png"),
        ("", ""),
        (" \t", ""),
    ],
)
def test_a_location_is_followed_as_browsers_do(location, leads_to):
    assert follow("http://news.example/x/y", location) == leads_to


def test_a_location_that_cannot_be_read_is_refused():
    with pytest.raises(AddressRefused):
        follow("http://news.example/", "http://[::1/")


def test_the_systems_resolver_is_not_waited_for_beyond_its_time(monkeypatch):
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *words, **more: over.wait(10) and [])

    with pytest.raises(Unreachable, match="in time") as error:
        system_resolve("slow.example", 0.05)

    over.set()
    assert error.value.code == "dns"


def test_the_systems_resolver_gives_each_address_once():
    assert "127.0.0.1" in system_resolve("localhost", 5)


@pytest.mark.parametrize("name", ["x" * 64 + ".example", "no-such-name.invalid"])
def test_a_name_that_the_system_does_not_know_is_unreachable(name):
    with pytest.raises(Unreachable):
        system_resolve(name, 10)
