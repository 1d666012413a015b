"""Every key of the table. `pk`/`sk` here, `gsi1pk`/`gsi1sk` for the lists that cut across partitions.

| what                         | pk                    | sk                       | list (gsi1)              |
| ---                          | ---                   | ---                      | ---                      |
| settings, profile            | APP                   | SETTINGS, PROFILE        |                          |
| API key                      | API_KEYS              | fingerprint              |                          |
| revision of the API keys     | APP                   | API_KEYS                 |                          |
| company                      | COMPANY#c             | COMPANY                  | COMPANIES / block#created#c |
| its name, for the list by name | COMPANY#c           | NAME                     | COMPANY_NAMES / name#c   |
| connection                   | COMPANY#c             | CONNECTION#k             | CONNECTIONS / k          |
| source account               | CONNECTION#k          | ACCOUNT#a                | ACCOUNTS / k/a           |
| number of source accounts    | CONNECTION#k          | COUNT                    |                          |
| number of those connected    | CONNECTION#k          | CONNECTED                |                          |
| push operation               | COMPANY#c             | PUSH#key                 | PUSHES#c / requested#key |
| idempotency key of a push    | COMPANY#c             | KEY#hash                 |                          |
| feed                         | FEED#k/a              | FEED                     | TENANT#t / k/a           |
| last line in the id index    | FEED#k/a              | INDEXED                  |                          |
| ledger lines (a page)        | FEED#k/a              | LINES#first              |                          |
| a recorded transaction's id  | FEED#k/a              | TXN#id                   |                          |
| lines set aside (a page)     | FEED#k/a              | ASIDE#last               |                          |
| gaps that a push has found   | FEED#k/a              | GAP#line                 | GAPS / found#k/a         |
| a refused push whose lines are missing | FEED#k/a    | HOLE#requested#key       | HOLES / requested#k/a    |
| push operations not ended    | FEED#k/a              | OPEN#through#key         |                          |
| content already pushed       | FEED#k/a              | CONTENT#hash             |                          |
| lines of a push (a part)     | FEED#k/a              | PUSHED#key#part          |                          |
| statement, its bytes         | FEED#k/a              | STATEMENT#n, STATEMENT#n#BODY#part |                |
| transactions that wait, in all feeds | FEED#totals   | WAITING#shard            |                          |
| statements and transactions delivered in a day | FEED#totals | DELIVERED#day#shard |                         |
| hold                         | HOLD#scope#subject    | HOLD                     | HOLDS / id               |
| its place among those of its reason | HOLD#scope#subject | REASON               | HOLDS#reason / since#id  |
| its former releases          | HOLD#scope#subject    | HISTORY                  | RELEASED_HOLDS / time#subject |
| number of holds, by reason   | HOLD#counts           | shard                    |                          |
| number of held feeds of a connection | HOLD#feeds#k  | COUNT                    |                          |
| earliest next call to Xero   | XERO#scope#subject    | LIMIT                    |                          |
| number of calls to Xero      | XERO#scope#subject    | TRAFFIC                  |                          |
| the app's calls in a minute  | XERO#app#subject      | CALLS#minute             |                          |
| a feed's earliest next call  | LIMIT#feed#k/a        | LIMIT                    |                          |
| a consumer's pause           | LIMIT#consumer#id     | LIMIT                    |                          |
| a feed's slot for a call     | LIMIT#feed#k/a        | SLOT#POSTS, SLOT#LOOKS   |                          |
| a feed's planned wake-up     | FEED#k/a              | WAKE                     |                          |
| consumer                     | CONSUMERS             | id                       |                          |
| delivery                     | CONSUMER#id           | DELIVERY#event           | DELIVERIES#id / time#event |
| how its attempts went in the last day | CONSUMER#id | ATTEMPTS#shard          |                          |
| replay of deliveries         | CONSUMER#id           | REPLAY#id                | REPLAYS / id#replay, while it runs |
| event (the outbox)           | EVENT#subject         | time#id                  | NOTED_EVENTS / time#id, some |
| Link state, Link session     | STATE#hash, SESSION#hash | STATE, SESSION        |                          |
| starts of Link in ten minutes | STATE#k              | STARTS#number            |                          |
| visits of hosted Link in an hour | STATE#k, STATE#hash | VISITS#hour            |                          |
| password of a link URL       | PASSWORD#hash         | PASSWORD                 |                          |
| token set's lease            | TOKEN_SET#id          | LEASE                    | REFRESHES / time#id, in doubt |
| lease of the vault's others  | TOKEN_SET#app-keys, TOKEN_SET#webhook-secrets | LEASE |                     |
| what a code has brought      | TOKEN_SET#code#hash   | EXCHANGE                 |                          |
| a shard's lease, the shard that has room | TOKEN_SET#shards/n, TOKEN_SET#shards | LEASE |                       |
| when a token set was granted | TOKEN_SET#id          | GRANT                    |                          |
| a Xero account with a feed   | TENANT#t              | TARGET#account           |                          |
| tenant's connection          | TENANT#t              | LINKED#k                 | USERS#token set / k      |
| tenant's place at Xero       | TENANT#t              | PLACE                    | PLACES / t, unless linked |
| a token set given up         | TENANT#t              | LEFT#k                   |                          |
| tenant's company             | TENANT#t              | OWNER                    |                          |
| the connection that has a company of Codat's | TENANT#t | HOSTED               |                          |
| number of linked connections | COUNTS                | LINKED                   |                          |
| when they were recounted     | COUNTS                | RECOUNT                  |                          |
| progress of the daily round  | APP                   | ROUND                    |                          |
| number of consumers          | COUNTS                | CONSUMERS                |                          |
| number of dead letters       | COUNTS                | DEAD_LETTERS             |                          |
| companies in each block      | COUNTS                | COMPANY_BLOCKS           |                          |
| what the set-up guide keeps  | APP                   | GUIDE, SELF_TEST, TRIAL  |                          |
| a test message that arrived  | TEST#id               | ARRIVED                  |                          |

What somebody must come back for also has `gsi2pk` and `gsi2sk` while that is so: DUE#kind#shard, and the time of the
next look (`store/due.py`).
"""

from __future__ import annotations

from feedlane.scope import Scope
from feedlane.store.table import Key

APP = "APP"
ACCOUNTS = "ACCOUNTS"
API_KEYS = "API_KEYS"
COMPANIES = "COMPANIES"
COMPANY_NAMES = "COMPANY_NAMES"
CONNECTIONS = "CONNECTIONS"
CONSUMERS = "CONSUMERS"
COUNTS = "COUNTS"
GAPS = "GAPS"
HOLES = "HOLES"
HOLDS = "HOLDS"
NOTED_EVENTS = "NOTED_EVENTS"
PLACES = "PLACES"
REFRESHES = "REFRESHES"
RELEASED_HOLDS = "RELEASED_HOLDS"
REPLAYS = "REPLAYS"
_LEASES = "TOKEN_SET#"

SETTINGS: Key = (APP, "SETTINGS")
PROFILE: Key = (APP, "PROFILE")
GUIDE: Key = (APP, "GUIDE")
SELF_TEST: Key = (APP, "SELF_TEST")
TRIAL: Key = (APP, "TRIAL")
API_KEYS_REVISION: Key = (APP, "API_KEYS")
LINKED_COUNT: Key = (COUNTS, "LINKED")
RECOUNT: Key = (COUNTS, "RECOUNT")
ROUND: Key = (APP, "ROUND")
CONSUMER_COUNT: Key = (COUNTS, "CONSUMERS")
DEAD_LETTER_COUNT: Key = (COUNTS, "DEAD_LETTERS")
COMPANY_BLOCKS: Key = (COUNTS, "COMPANY_BLOCKS")


def round_trip(id: str) -> Key:
    """For a message that was sent only to see whether it arrives."""
    return f"TEST#{id}", "ARRIVED"


def due(kind: str, shard: int) -> str:
    """A partition of the due index."""
    return f"DUE#{kind}#{shard}"


def company(company_id: str) -> Key:
    return f"COMPANY#{company_id}", "COMPANY"


def company_name(company_id: str) -> Key:
    return f"COMPANY#{company_id}", "NAME"


def connection(company_id: str, connection_id: str) -> Key:
    return f"COMPANY#{company_id}", f"CONNECTION#{connection_id}"


def source_account(connection_id: str, account_id: str) -> Key:
    return f"CONNECTION#{connection_id}", f"ACCOUNT#{account_id}"


def account_count(connection_id: str) -> Key:
    return f"CONNECTION#{connection_id}", "COUNT"


def connected_count(connection_id: str) -> Key:
    return f"CONNECTION#{connection_id}", "CONNECTED"


def push_operation(company_id: str, key: str) -> Key:
    return f"COMPANY#{company_id}", f"PUSH#{key}"


def idempotency(company_id: str, hashed: str) -> Key:
    return f"COMPANY#{company_id}", f"KEY#{hashed}"


def pushes(company_id: str) -> str:
    return f"PUSHES#{company_id}"


def tenant(tenant_id: str) -> str:
    return f"TENANT#{tenant_id}"


def feed_partition(feed_id: str) -> str:
    return f"FEED#{feed_id}"


def feed(feed_id: str) -> Key:
    return feed_partition(feed_id), "FEED"


def id_index(feed_id: str) -> Key:
    return feed_partition(feed_id), "INDEXED"


def sequence_text(number: int) -> str:
    """A sequence number as text that sorts as the number does."""
    return f"{number:012d}"


def lines(feed_id: str, first: int) -> Key:
    return feed_partition(feed_id), f"LINES#{sequence_text(first)}"


def transaction(feed_id: str, transaction_id: str) -> Key:
    return feed_partition(feed_id), f"TXN#{transaction_id}"


def set_aside(feed_id: str, last: int) -> Key:
    """For a page of lines that are never sent, of which `last` is the last one."""
    return feed_partition(feed_id), f"ASIDE#{sequence_text(last)}"


def gaps(feed_id: str, line: int) -> Key:
    """For the gaps of a push, of which `line` is the first one behind a gap."""
    return feed_partition(feed_id), f"GAP#{sequence_text(line)}"


def hole(feed_id: str, place: str) -> Key:
    """For what a refused push has left missing. `place`: when it was requested, and its key."""
    return feed_partition(feed_id), f"HOLE#{place}"


def open_push(feed_id: str, through: int, key: str) -> Key:
    return feed_partition(feed_id), f"OPEN#{sequence_text(through)}#{key}"


def content(feed_id: str, fingerprint: str) -> Key:
    return feed_partition(feed_id), f"CONTENT#{fingerprint}"


def pushed_lines(feed_id: str, key: str, part: int) -> Key:
    return feed_partition(feed_id), f"PUSHED#{key}#{part:04d}"


def statement(feed_id: str, number: int) -> Key:
    return feed_partition(feed_id), f"STATEMENT#{sequence_text(number)}"


def statement_body(feed_id: str, number: int, part: int) -> Key:
    return feed_partition(feed_id), f"STATEMENT#{sequence_text(number)}#BODY#{part:04d}"


def waiting_total(shard: int) -> Key:
    return feed_partition("totals"), f"WAITING#{shard}"


def delivered_total(day: str, shard: int) -> Key:
    """`day` is a date, such as `2026-05-20`."""
    return feed_partition("totals"), f"DELIVERED#{day}#{shard}"


def day_of_delivered_total(key: Key) -> str:
    return key[1].split("#")[1]


def hold(scope: str, subject: str) -> Key:
    return f"HOLD#{scope}#{subject}", "HOLD"


def hold_of_reason(scope: str, subject: str) -> Key:
    return hold(scope, subject)[0], "REASON"


def holds_of_reason(reason: str) -> str:
    return f"HOLDS#{reason}"


def hold_history(scope: str, subject: str) -> Key:
    return hold(scope, subject)[0], "HISTORY"


def hold_counts(shard: int) -> Key:
    return "HOLD#counts", str(shard)


def held_feeds(connection_id: str) -> Key:
    return f"HOLD#feeds#{connection_id}", "COUNT"


def not_before(scope: str, subject: str) -> Key:
    """For the time before which nothing may be sent: for the app, a tenant, a feed, or a consumer."""
    # What all share who call Xero is a kind of its own: whoever serves a page may write that, and no other limit.
    kind = "XERO" if scope in (Scope.APP, Scope.TENANT) else "LIMIT"
    return f"{kind}#{scope}#{subject}", "LIMIT"


def wake(feed_id: str) -> Key:
    return feed_partition(feed_id), "WAKE"


def traffic(scope: str, subject: str) -> Key:
    return f"XERO#{scope}#{subject}", "TRAFFIC"


def calls_in_minute(app: str, minute: str) -> Key:
    """For the number of the app's calls in a minute of the clock, without those about feeds."""
    return f"XERO#app#{app}", f"CALLS#{minute}"


def slot(feed_id: str, lane: str) -> Key:
    return f"LIMIT#feed#{feed_id}", f"SLOT#{lane}"


def consumer(consumer_id: str) -> Key:
    return CONSUMERS, consumer_id


def delivery(consumer_id: str, event_id: str) -> Key:
    return f"CONSUMER#{consumer_id}", f"DELIVERY#{event_id}"


def replay(consumer_id: str, replay_id: str) -> Key:
    return f"CONSUMER#{consumer_id}", f"REPLAY#{replay_id}"


def attempts_of(consumer_id: str, shard: int) -> Key:
    return f"CONSUMER#{consumer_id}", f"ATTEMPTS#{shard}"


def deliveries(consumer_id: str) -> str:
    return f"DELIVERIES#{consumer_id}"


def state(hashed: str) -> Key:
    return f"STATE#{hashed}", "STATE"


def hosted_company(company_id: str) -> Key:
    """For the connection of ours that a company at Codat belongs to."""
    return tenant(company_id), "HOSTED"


def hosted_visits(visited: str, hour: str) -> Key:
    """`visited` is a connection, or what was started for one: a state's fingerprint."""
    return f"STATE#{visited}", f"VISITS#{hour}"


def codat_webhook(hashed: str) -> Key:
    return f"STATE#{hashed}", "WEBHOOK"


def start_window(connection_id: str, number: int) -> Key:
    return f"STATE#{connection_id}", f"STARTS#{number}"


def session(hashed: str) -> Key:
    return f"SESSION#{hashed}", "SESSION"


def link_password(hashed: str) -> Key:
    return f"PASSWORD#{hashed}", "PASSWORD"


def lease(subject: str) -> Key:
    """`subject` is a token set's id, or the name of another secret: app-keys, webhook-secrets, a shard."""
    return f"{_LEASES}{subject}", "LEASE"


def subject_of_lease(key: Key) -> str:
    return key[0].removeprefix(_LEASES)


def exchange(hashed: str) -> Key:
    """For what became of an authorisation code. In a partition of the vault's, as its leases are."""
    return f"TOKEN_SET#code#{hashed}", "EXCHANGE"


def grant(token_set_id: str) -> Key:
    """For when Xero's user granted it last. In a partition of the vault's."""
    return f"{_LEASES}{token_set_id}", "GRANT"


def token_set_users(token_set_id: str) -> str:
    """The list of the connections that were linked with this token set and not unlinked since."""
    return f"USERS#{token_set_id}"


def left_grant(tenant_id: str, connection_id: str) -> Key:
    """For the token set that a connection to this tenant has given up."""
    return tenant(tenant_id), f"LEFT#{connection_id}"


def place(tenant_id: str) -> Key:
    return tenant(tenant_id), "PLACE"


def target(tenant_id: str, account_id: str) -> Key:
    return tenant(tenant_id), f"TARGET#{account_id}"


def tenant_connection(tenant_id: str, connection_id: str) -> Key:
    return tenant(tenant_id), f"LINKED#{connection_id}"


def owner(tenant_id: str) -> Key:
    return tenant(tenant_id), "OWNER"


def event(subject: str, time: str, event_id: str) -> Key:
    return f"EVENT#{subject}", f"{time}#{event_id}"
