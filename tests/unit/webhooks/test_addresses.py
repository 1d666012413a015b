"""Where webhooks may go. Each row of `REFUSED` is a category of addresses that the sender must never reach."""

from __future__ import annotations

import pytest

from feedlane.errors import Invalid
from feedlane.webhooks.target_urls import check_url, is_public

REFUSED = {
    "private": ["10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.254", "192.168.1.1"],
    "loopback": ["127.0.0.1", "127.8.8.8"],
    "link-local and cloud metadata": ["169.254.169.254", "169.254.170.2"],
    "broadcast": ["255.255.255.255"],
    "multicast": ["224.0.0.1", "239.255.255.250"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1"],
    "carrier-grade NAT": ["100.64.0.1", "100.127.255.254"],
    "IETF protocol assignments": ["192.0.0.1", "192.0.0.9", "192.0.0.10", "192.0.0.255"],
    "6to4 relays": ["192.88.99.1"],
    "reserved": ["240.0.0.1", "250.1.2.3"],
    "benchmarking": ["198.18.0.1", "198.19.255.254"],
    "this network": ["0.0.0.0", "0.1.2.3"],
    "IPv4-mapped, of refused ones": [
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:224.0.0.1",
        "::ffff:c058:6301",
    ],
    "mapped, spelled out": ["0:0:0:0:0:ffff:7f00:1", "0000:0000:0000:0000:0000:ffff:0a00:0001"],
    "unspecified": ["::"],
    "IPv6 loopback": ["::1"],
    "IPv6 multicast": ["ff02::1", "ff0e::1"],
    "IPv6 link-local": ["fe80::1", "febf::1", "fe80::1%eth0"],
    "unique local and AWS metadata": ["fd00:ec2::254", "fc00::1"],
    "IPv6 documentation": ["2001:db8::1", "3fff::1", "3fff:fff::1"],
    "discard-only": ["100::1"],
    "6to4": ["2002:7f00:1::", "2002:808:808::1"],
    "NAT64": ["64:ff9b::7f00:1", "64:ff9b::808:808"],
    "NAT64 local use": ["64:ff9b:1::1"],
    "SRv6": ["5f00::1"],
    "IPv4-compatible": ["::127.0.0.1", "::8.8.8.8"],
    "IETF protocol assignments of IPv6": ["2001:2::1", "2001:10::1"],
    "Teredo": ["2001::1", "2001:0:808:808::1"],
    "site-local": ["fec0::1"],
    "IPv4-translated": ["::ffff:0:127.0.0.1", "::ffff:0:169.254.169.254", "::ffff:0:8.8.8.8"],
    "unallocated": ["1::1", "4000::1", "100:0:0:1::1"],
    "not an address": ["", "localhost", "8.8.8", "2001:4860::g"],
}
ALLOWED = ["1.1.1.1", "8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "172.32.0.1", "100.128.0.1", "11.0.0.1"]


@pytest.mark.parametrize(
    ("category", "address"), [(category, address) for category, addresses in REFUSED.items() for address in addresses]
)
def test_an_address_that_is_not_public_is_refused(category: str, address: str) -> None:
    assert not is_public(address), category


@pytest.mark.parametrize("address", ALLOWED)
def test_a_public_address_is_allowed(address: str) -> None:
    assert is_public(address)


def public(host: str, port: int) -> list[str]:
    return ["93.184.215.14"]


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/feedlane?key=1#x",
        "https://hooks.example.com:443/",
        "https://hooks.example.com:8443/",
        "https://hooks.example.com:1024/",
        "https://8.8.8.8/",
        "https://[2001:4860:4860::8888]:8443/",
        "https://xn--bcher-kva.example/",
        "https://hooks.example.com/" + "a" * (2048 - 26),
    ],
)
def test_a_public_https_url_may_be_a_consumer(url: str) -> None:
    assert check_url(url, "public", public) == url


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("http://hooks.example.com/", "Https"),
        ("ftp://hooks.example.com/", "Https"),
        ("hooks.example.com", "Https"),
        ("//hooks.example.com/", "Https"),
        ("https://hooks.example.com/" + "a" * (2048 - 25), "MaximumLength"),
        ("https://user:secret@hooks.example.com/", "UserInfo"),
        ("https://hooks.example.com@10.0.0.1/", "UserInfo"),
        ("https://@hooks.example.com/", "UserInfo"),
        ("https://hooks.example.com:22/", "Port"),
        ("https://hooks.example.com:80/", "Port"),
        ("https://hooks.example.com:0/", "Port"),
        ("https://hooks.example.com:1023/", "Port"),
        ("https://hooks.example.com:70000/", "Url"),
        ("https://hooks.example.com:x/", "Url"),
        ("https:///hooks", "Host"),
        ("https://", "Host"),
        ("https://[8.8.8.8]/", "Host"),
        ("https://[fe80::1%25eth0]/", "Host"),
        ("https://[2001:4860:4860::8888/", "Url"),
        ("https://hooks.example.com\\@10.0.0.1/", "Url"),
        ("https://hooks.example.com/\n", "Url"),
        ("https://hooks example.com/", "Url"),
        ("https://b\u00fccher.example/", "Url"),
        ("", "Url"),
    ],
)
def test_another_url_is_refused_with_the_field_and_the_rule(url: str, rule: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_url(url, "public", public)
    [finding] = refused.value.findings
    assert finding.item_id == "url"
    # Python's parsers differ in where they notice a malformed bracket.
    assert finding.validator == rule or {finding.validator, rule} == {"Url", "Host"}


def test_an_unbracketed_ipv6_address_is_refused() -> None:
    with pytest.raises(Invalid):
        check_url("https://2001:4860:4860::8888/", "public", public)


def test_a_name_that_leads_only_to_private_addresses_is_refused() -> None:
    with pytest.raises(Invalid):
        check_url("https://internal.example.com/", "public", lambda host, port: ["10.0.0.7", "fd00::7"])


def test_a_name_that_nobody_knows_yet_is_let_through() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    assert check_url("https://soon.example.com/", "public", unknown)


def test_a_local_system_may_send_anywhere() -> None:
    assert check_url("http://127.0.0.1:8088/hooks", "any")
    assert check_url("https://localhost:22/", "any")
    with pytest.raises(Invalid):
        check_url("file:///etc/passwd", "any")


@pytest.mark.parametrize("targets", ["public", "", "ANY"])
def test_without_a_setting_only_public_addresses_are_allowed(targets: str) -> None:
    with pytest.raises(Invalid):
        check_url("http://127.0.0.1:8088/hooks", targets)
