"""Known ways to lead a server into its own network (SSRF), and plain addresses that must work."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.errors import ForbiddenAddress
from packshot.fetch import Policy
from packshot.fetch.address import is_public
from packshot.fetch.url import Target, addresses_of, read_url

#: Names whose owner points them wherever he likes.
NAMES = {
    "cdn.example": ["93.184.216.34"],
    "localhost": ["127.0.0.1"],
    "metadata.google.internal": ["169.254.169.254"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
    "169-254-169-254.nip.example": ["169.254.169.254"],
    "mixed.example": ["93.184.216.34", "10.0.0.1"],
    "six.example": ["::1"],
    "mapped.example": ["::ffff:169.254.169.254"],
    "zone.example": ["fe80::1%eth0"],
    "nothing.example": [],
    "kubernetes.default.svc": ["10.96.0.1"],
}


@dataclass
class FakeResolver:
    """Answers from a table, and counts."""

    names: dict[str, list[str]] = field(default_factory=lambda: NAMES)
    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.names[host]


OPEN = Policy(allow_http=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://127.0.1/",
        "http://2130706433/",
        "http://017700000001/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://127.0.0.0x1/",
        "http://127.0.0.1./",
        "http://0/",
        "http://0.0.0.0/",
        "http://00000127.0.0.1/",
        "http://127.000.000.001/",
        "http://169.254.169.254/latest/meta-data/",
        "http://2852039166/",
        "http://0xA9FEA9FE/",
        "http://169.254.43518/",
        "http://100.100.100.200/",
        "http://168.63.129.16/",
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://[::]/",
        "http://[0:0:0:0:0:0:0:1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
        "http://[fe80::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://[2606:4700::1%25lo]/",
        "http://[fd00:ec2::254]/",
        "http://[v1.fe80::a]/",
        "http://[::1",
        "http://::1/",
        "http://localhost/",
        "http://LOCALHOST/",
        "http://localhost./",
        "http://localhost../",
        "http://metadata.google.internal/",
        "http://127.0.0.1.nip.example/",
        "http://169-254-169-254.nip.example/",
        "http://mixed.example/",
        "http://six.example/",
        "http://mapped.example/",
        "http://zone.example/",
        "http://nothing.example/",
        "http://kubernetes.default.svc/",
        "http://cdn.example@127.0.0.1/",
        "http://127.0.0.1@cdn.example/",
        "http://user:password@cdn.example/",
        "http://@cdn.example/",
        "http://cdn.example:80@127.0.0.1/",
        "http://127.0.0.1#@cdn.example/",
        "http://127.0.0.1?@cdn.example/",
        "http://cdn.example\\@127.0.0.1/",
        "http://127.0.0.1\\@cdn.example/",
        "http:\\\\127.0.0.1/",
        "http://127.0.0.1%00.cdn.example/",
        "http://127.0.0.1%2f.cdn.example/",
        "http://127。0。0。1/",
        "http://127.0.0.1/",
        "http://①②⑦.⓪.⓪.①/",
        "http://ｌｏｃａｌｈｏｓｔ/",
        "http://locaⅼhost/",
        "http://cdn.example\r\nHost: localhost/",
        "http://cdn.example/\r\nX: y",
        "http://cdn.example/ HTTP/1.1",
        "http://cdn.example/\tx",
        "\thttp://cdn.example/",
        " http://127.0.0.1/",
        "ht\ntp://127.0.0.1/",
        "http://cdn.example:22/",
        "http://cdn.example:6379/",
        "http://cdn.example:443/",
        "https://cdn.example:80/",
        "http://cdn.example:0/",
        "http://cdn.example:99999/",
        "http://cdn.example:80x/",
        "http://cdn.example:８０/",
        "http://cdn.example: 80/",
        "http:///path",
        "http:cdn.example",
        "http://",
        "http://.cdn.example/",
        "http://cdn..example/",
        "http://-/",
        "http://cdn.example,127.0.0.1/",
        "http://cdn.example;127.0.0.1/",
        "http://{cdn.example}/",
        "http://" + "a" * 64 + ".example/",
        "http://" + "a." * 130 + "example/",
        "gopher://cdn.example/",
        "ftp://cdn.example/",
        "file:///etc/passwd",
        "//cdn.example/",
        "",
    ],
)
def test_nothing_leads_inside(url: str) -> None:
    with pytest.raises(ForbiddenAddress, match="is not fetched"):
        addresses_of(read_url(url, OPEN), OPEN, FakeResolver())


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://cdn.example", Target("https", "cdn.example", 443, "/")),
        ("https://CDN.Example./a.jpg", Target("https", "cdn.example", 443, "/a.jpg")),
        ("https://cdn.example:8443/a", Target("https", "cdn.example", 8443, "/a")),
        ("http://cdn.example:8080/a", Target("http", "cdn.example", 8080, "/a")),
        (
            "https://cdn.example/a?b=c/d&e=%20#f",
            Target("https", "cdn.example", 443, "/a?b=c/d&e=%20"),
        ),
        ("https://cdn.example/茶.jpg", Target("https", "cdn.example", 443, "/%E8%8C%B6.jpg")),
        ("https://cdn.example/a%2Fb", Target("https", "cdn.example", 443, "/a%2Fb")),
        ("https://cdn.example/?q=茶?", Target("https", "cdn.example", 443, "/?q=%E8%8C%B6?")),
        ("https://my_bucket.example/a", Target("https", "my_bucket.example", 443, "/a")),
        ("https://xn--fiqs8s.example/", Target("https", "xn--fiqs8s.example", 443, "/")),
        ("https://1.1.1.1/a", Target("https", "1.1.1.1", 443, "/a")),
        ("https://[2606:4700:0::1]/a", Target("https", "2606:4700::1", 443, "/a")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_plain_addresses_are_read(url: str, target: Target) -> None:
    assert read_url(url, OPEN) == target


def test_plain_http_is_refused_by_default() -> None:
    with pytest.raises(ForbiddenAddress, match="use https://"):
        read_url("http://cdn.example/", Policy())


def test_an_in_house_host_may_be_private_and_on_any_port() -> None:
    policy = Policy(allow_http=True, private_hosts=("Localhost.",))
    target = read_url("http://localhost:9000/a.jpg", policy)
    assert addresses_of(target, policy, FakeResolver()) == ("127.0.0.1",)
    with pytest.raises(ForbiddenAddress):
        read_url("http://cdn.example:9000/a.jpg", policy)


def test_an_in_house_name_cannot_be_pointed_at_the_clouds_keys() -> None:
    policy = Policy(private_hosts=("metadata.google.internal",))
    target = read_url("https://metadata.google.internal/", policy)
    with pytest.raises(ForbiddenAddress):
        addresses_of(target, policy, FakeResolver())


def test_an_address_in_numbers_is_not_looked_up() -> None:
    resolver = FakeResolver({})
    target = read_url("https://1.1.1.1/", OPEN)
    assert addresses_of(target, OPEN, resolver) == ("1.1.1.1",)
    assert resolver.asked == []


def test_messages_show_neither_signatures_nor_passwords() -> None:
    target = read_url("https://cdn.example/a%0Ab.jpg?X-Amz-Signature=secret", OPEN)
    assert target.shown == "https://cdn.example/a%0Ab.jpg"
    with pytest.raises(ForbiddenAddress) as caught:
        read_url("https://user:hunter2@cdn.example/", OPEN)
    assert "hunter2" not in str(caught.value)


@given(st.text(alphabet="http:/\\@#?[]%.0x17flocalhst。\t -", max_size=40))
def test_whatever_is_written_only_public_addresses_come_out(tail: str) -> None:
    def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    try:
        found = addresses_of(read_url("http://" + tail, OPEN), OPEN, resolve)
    except ForbiddenAddress:
        return
    assert all(is_public(address) for address in found)
