"""Web addresses: what is accepted can go into a header unchanged, and is compared as browsers write it."""

from __future__ import annotations

import pytest

from feedlane.web.error_pages import NoSuchPage
from feedlane.web.response import page
from feedlane.web_address import is_safe_address, origin_of

UNSAFE = [
    "https://x.example;script-src%20'unsafe-inline'",
    "https://x.example';img-src",
    "https://x.example,evil.example",
    "https://x.example\\@evil.example",
    "https://user@x.example/logo.png",
    "https://x.example:99999/",
    "https://x.example:x/",
    "https://*.example",
    "https://x..example",
    "https://-x.example",
    "https://[::1",
    "https://[x.example]",
    "https://x.example/a b",
    "https://x.example/\n",
    "https://\u00fcber.example",
    "https://x.example/" + "a" * 2048,
    "http://x.example",
    "//x.example",
    "https://",
    "data:image/png;base64,AA",
]


@pytest.mark.parametrize("url", UNSAFE)
def test_an_unsafe_address_is_refused_and_is_no_source_of_images(url: str) -> None:
    assert not is_safe_address(url)
    answer = page("error", logo_url=url, error=NoSuchPage(), title="", name="")
    policy = answer.headers["Content-Security-Policy"]
    assert "img-src 'none';" in policy


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://App.Example.com/logo.png", "https://app.example.com"),
        ("https://x.example:443", "https://x.example"),
        ("https://x.example:8443/a", "https://x.example:8443"),
        ("https://x.example:", "https://x.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://[::1]:80/", "http://[::1]"),
        ("https://203.0.113.7/", "https://203.0.113.7"),
    ],
)
def test_an_origin_is_written_as_a_browser_sends_it(url: str, origin: str) -> None:
    assert origin_of(url) == origin
