"""What Feedlane does about statements, at each position of their switches."""

from __future__ import annotations

from tests.contract.xero.switches import scenarios
from tests.contract.xero.switches.job import WITHOUT_BANK_FEEDS, Did
from tests.contract.xero.switches.row import Says, rows

ONE, TWO, FOUR = Did(["t1"]), Did(["t1", "t2"]), Did(["t1", "t2", "t3", "t4"])
BOTH_FORMS = "Reads amounts in either form, digit for digit; sends text."
ARCHIVED = Did(["t1", "t2"], held=["account-archived"])
ANY_SHAPE = "Reads the problem in this shape, holds the feed for its type, and sends after the release."
ONE_A_POST = "Posts one statement at a time, so no answer is mixed."
WITHIN_PERIOD = "A statement's period is that of its lines, so no line is outside."
NEVER_EMPTY = "Makes no statement without lines; a push without transactions is refused at the door."
SMALL_ENOUGH = "Cuts statements below the limit, so Xero never refuses one for its size."
UTF16 = "Measures texts in UTF-16 units, the stricter way, and cuts what is too long between characters."

ROWS = [
    *rows("amounts", scenarios.answer_lost, TWO, {"strings": BOTH_FORMS, "numbers": BOTH_FORMS}),
    *rows(
        "signed_amounts",
        scenarios.debits_pushed,
        TWO,
        {
            "accept": "Sends amounts without a sign, and the direction beside them.",
            "refuse": "The same: there is no sign to refuse.",
        },
    ),
    *rows(
        "order",
        scenarios.gap_pushed,
        TWO,
        {
            "ignore": "Sends what follows a gap, in a statement of its own, and tells of the gap.",
            "enforce": Says(
                "Holds the feed at the gap with Xero's words; synthetic balances leave none.",
                Did(["t1"], held=["invalid-data"]),
            ),
        },
    ),
    *rows(
        "rejections",
        scenarios.refused_and_released,
        ARCHIVED,
        {"documented": ANY_SHAPE, "items": ANY_SHAPE, "root": ANY_SHAPE},
    ),
    *rows(
        "rejected_ids",
        scenarios.rejected_and_released,
        Did(["t1", "t2"], held=["account-not-valid"]),
        {
            "free": "After the release sends the same lines again under their ids.",
            "used": Says(
                "Calls nothing delivered: reports the statement as stuck (`duplicate`). An operator looks into the "
                "account; resolved as not delivered, the lines go under other ids.",
                Did([], held=["account-not-valid"], stuck=["duplicate"]),
            ),
        },
    ),
    *rows(
        "duplicates_found",
        scenarios.answer_lost,
        TWO,
        {
            "onArrival": "After a lost answer sends the same bytes again, and finds the statement in Xero's list.",
            "whileProcessing": "The second statement is accepted and rejected; the first is then found in the list.",
        },
    ),
    *rows(
        "duplicate_key",
        scenarios.the_same_twice,
        TWO,
        {
            "id": "Gives every line an id of its own, so all arrive.",
            "idAndContent": "The same.",
            "idOrContent": Says(
                "Compares Xero's count of lines with its own, and reports the statement as stuck (`linesMissing`): "
                "the second of two equal lines has to be entered by hand.",
                Did(["t1"], stuck=["linesMissing"]),
            ),
        },
    ),
    *rows(
        "duplicate_scope",
        scenarios.mapped_again,
        FOUR,
        {
            "feedConnection": "After a new mapping sends only lines that were never delivered.",
            "account": "The same: no known id is sent again.",
        },
    ),
    *rows(
        "listed_after_seconds",
        scenarios.answer_lost,
        TWO,
        {
            0.0: "After a lost answer finds the statement in the list at once.",
            45.0: "Keeps the statement in doubt, and looks into the list again until it is old enough to be there.",
        },
    ),
    *rows(
        "line_count",
        scenarios.the_same_twice,
        TWO,
        {
            "kept": "A count below its own shows that lines were dropped (see `duplicateKey`).",
            "received": "Counts agree. If Xero also dropped lines for their content (`duplicateKey` idOrContent), "
            "nothing would show it: these two together are the one case in which a line may be missed.",
        },
    ),
    *rows(
        "line_count_type",
        scenarios.the_same_twice,
        TWO,
        {"text": "Reads the count in either type.", "integer": "Reads the count in either type."},
    ),
    *rows("zero_lines", scenarios.nothing_pushed, ONE, {"accept": NEVER_EMPTY, "refuse": NEVER_EMPTY}),
    *rows("lines_outside_period", scenarios.two_days_pushed, TWO, {"accept": WITHIN_PERIOD, "refuse": WITHIN_PERIOD}),
    *rows(
        "mixed_status", scenarios.refused_and_released, ARCHIVED, {202: ONE_A_POST, 207: ONE_A_POST, 400: ONE_A_POST}
    ),
    *rows(
        "size_checked",
        scenarios.pushed_without_bank_feeds,
        Did([], held=[WITHOUT_BANK_FEEDS]),
        {"afterApplication": SMALL_ENOUGH, "first": SMALL_ENOUGH},
    ),
    *rows("lengths", scenarios.emoji_pushed, ONE, {"characters": UTF16, "utf16": UTF16}),
    *rows(
        "today",
        scenarios.pushed_at_midnight,
        ONE,
        {
            "organisation": "Sends a line once its day has begun at the organisation.",
            "UTC": "Where it is still yesterday for Xero: holds nothing, and asks again every hour.",
            "Pacific/Auckland": "Sends a line once its day has begun at the organisation, which is later.",
            "America/Los_Angeles": "Where it is still yesterday for Xero: holds nothing, and asks again every hour.",
        },
    ),
]
