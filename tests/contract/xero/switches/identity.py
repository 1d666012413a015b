"""What Feedlane does about identity and connections, at each position of their switches."""

from __future__ import annotations

from tests.contract.xero.switches import scenarios
from tests.contract.xero.switches.job import Did
from tests.contract.xero.switches.row import rows

ONE, TWO, THREE = Did(["t1"]), Did(["t1", "t2"]), Did(["t1", "t2", "t3"])
RECONNECTED = Did(["t1", "t2"], held=["reconnection-needed"], asked=["connection-removed"])
NEWEST = "Keeps one set of tokens for each user, the newest: both organisations go on."
EITHER_TYPE = "Reads the lifetime in either type."
IGNORED = "Reads no claim of that name."

ROWS = [
    *rows(
        "grace_replay",
        scenarios.refresh_answer_lost,
        TWO,
        {
            "newPair": "After a lost answer refreshes with the stored token again, and stores what comes.",
            "samePair": "The same.",
        },
    ),
    *rows(
        "refresh_ends_access_token",
        scenarios.refreshed_elsewhere,
        ONE,
        {
            False: "Uses an access token until shortly before its end.",
            True: "A 401 has the newest token read, and the call repeated, before anything is concluded.",
        },
    ),
    *rows(
        "refresh_answer",
        scenarios.pushed_over_hours,
        THREE,
        {
            "newToken": "Stores the new refresh token before it uses the access token.",
            "withoutToken": "Keeps the refresh token that it has.",
        },
    ),
    *rows("expires_in", scenarios.pushed_over_hours, THREE, {"number": EITHER_TYPE, "text": EITHER_TYPE}),
    *rows(
        "second_consent",
        scenarios.second_company_linked,
        TWO,
        {"grace": NEWEST, "ends": NEWEST, "keeps": NEWEST, "shares": NEWEST},
    ),
    *rows(
        "reconnected_id",
        scenarios.removed_and_reconnected,
        RECONNECTED,
        {
            "same": "Asks the customer to reconnect, holds, and sends what waited after the new consent.",
            "new": "The same, and takes the new id.",
        },
    ),
    *rows(
        "redirects",
        scenarios.pushed,
        THREE,
        {
            "anySecure": "Uses one redirect URI, which the setup guide has the operator register.",
            "registered": "The same: it is sent to the letter as it was registered.",
        },
    ),
    *rows("access_token_idp", scenarios.pushed, THREE, {"absent": IGNORED, "present": IGNORED}),
    *rows(
        "login_host",
        scenarios.pushed,
        THREE,
        {
            "same": "Sends the customer to the address that is set for Xero's login.",
            "own": "The same: it is set apart from the addresses of the API and of the tokens.",
        },
    ),
]
