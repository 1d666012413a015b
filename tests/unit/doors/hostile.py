"""Text that has broken something somewhere: for every field of every door."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

HALF_A_PAIR = "a\ud83d"
TEXTS = (
    "", " ", "0", "-1", "1", "01", "1e400", "NaN", "Infinity", "9" * 5000, "1.5", "true", "null", "None",
    HALF_A_PAIR, "\udfff", "a\0b", "\x1b[31m", "\ufffe", "\u202e", "é" * 300, "😀" * 100, "١", "K" * 3000,
    "x" * 70_000, "%", "%ff", "%00", "%2F" * 400, "%C3%A9" * 200, "..", "../../x", "/", "a/b", "?", "#", "&", ";", "=",
    "<script>", "'\"", "{}", "{" * 1500, "{x}" * 300, " " * 2046, "a" * 2000 + "=", "name~x", "a=b && {c=d",
    "-name", "name", "2026-05-01", "9999-12-31T23:59:59-23:59", "0001-01-01", "2026-13-45", "https://", "https://[",
    "https://[::1", "https://a:99999", "https://example.com", "http://127.0.0.1", "javascript:x", "https://é.example",
    "xn--", "Basic", "Basic é", "AAAA", "====", "new", "Unlinked", "disconnected", "gbol", "batch", "credentials",
)  # fmt: skip
NUMBERS = (0, -1, 1, 7, 10**18, 10**37, 10**38, 10**400, 0.1, 1e308, True, False, None)

texts = st.sampled_from(TEXTS) | st.text(max_size=40) | st.text(alphabet="{}&|=!~<> %'\"\\", max_size=60)
values: st.SearchStrategy[Any] = st.recursive(
    texts | st.sampled_from(NUMBERS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts.filter(lambda text: len(text) < 100), inner),
    max_leaves=4,
)

# The same examples in every run: a failure is a failure for everybody.
on_every_route = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.large_base_example],
)


def mostly(usual: Any) -> st.SearchStrategy[Any]:
    """The usual value three times out of four, so that other fields are reached too; else a hostile text."""
    return st.integers(0, 3).flatmap(lambda number: texts if number == 0 else st.just(usual))
