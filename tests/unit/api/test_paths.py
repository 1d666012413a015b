"""Account ids in paths, whether or not a gateway decodes them."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedlane.ids import ACCOUNT_ID_PATTERN
from tests.contract.sdk import api_server  # noqa: F401  (the function's folder is on the path)

CONNECTION = "/companies/c/connections/k"
FEED = "/feeds/0f20c943-12d0-4800-9f6c-d218f62d494c"
HOLES = FEED.replace("feeds", "holes")
PLACES = [
    ("PATCH", f"{CONNECTION}/connectionInfo/bankFeedAccounts/", ""),
    ("POST", f"{CONNECTION}/push/bankAccounts/", "/bankTransactions"),
    ("POST", f"{CONNECTION}/push/bankAccounts/", "/bankTransactions/validate"),
    ("GET", f"{CONNECTION}/options/bankAccounts/", "/bankTransactions"),
    ("POST", f"{FEED}/", "/release"),
    ("GET", f"{FEED}/", ""),
    ("PATCH", f"{FEED}/", ""),
    ("GET", f"{HOLES}/", ""),
    ("POST", f"{HOLES}/", "/0f20c943-12d0-4800-9f6c-d218f62d494c/close"),
]


@given(
    st.sampled_from(PLACES),
    st.from_regex(ACCOUNT_ID_PATTERN, fullmatch=True),
    st.booleans(),
    st.sampled_from(["", "/Prod"]),
)
def test_every_account_id_survives_the_way(
    place: tuple[str, str, str], account_id: str, is_decoded: bool, stage: str
) -> None:
    from api.paths import account_id_in, with_one_segment

    method, before, after = place
    received = account_id if is_decoded else quote(account_id, safe="")
    path = with_one_segment(method, f"{stage}{before}{received}{after}")
    assert path.startswith(stage + before)
    assert path.endswith(after)
    segment = path[len(stage + before) : len(path) - len(after)]
    assert "/" not in segment
    assert account_id_in(segment) == account_id


def test_a_feed_id_may_be_encoded_as_a_whole() -> None:
    from api.paths import with_one_segment

    id = FEED.replace("/feeds/", "") + "/a/b"
    assert with_one_segment("GET", "/feeds/" + quote(id, safe="")) == f"{FEED}/a%2Fb"


@pytest.mark.parametrize(
    "path", ["/companies", "/feeds", CONNECTION, f"{CONNECTION}/connectionInfo/bankFeedAccounts/batch"]
)
def test_other_paths_stay_as_they_are(path: str) -> None:
    from api.paths import with_one_segment

    assert with_one_segment("POST", path) == path
