"""Every form of the portal and of Link is sent on the deployed stack, where IAM would show that a right is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Locator, Page, Request, Response, expect

from feedlane.aws.dynamodb import DynamoDBTable
from feedlane.companies.connection import UpstreamName
from feedlane.holds import items as hold_items
from feedlane.ids import new_id
from feedlane.scope import Scope
from feedlane.settings import items as settings_items
from feedlane.settings.guide import UPSTREAM, step_names
from feedlane.store.store import Store
from feedlane.web.link.routes import LINK
from feedlane.web.portal.routes import PORTAL
from local.bootstrap import authorization
from local.instance import STACK, Instance
from local.simulator.state import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from tests import builders

PATIENCE = 30_000
COMPANY, ACCOUNTS = "Every Form Ltd", ("account-1", "account-2")
ORGANISATIONS = ("First of every form", "Second of every form")
# The test of the set-up guide sends this: it has a test company whose account is connected.
SENT_BY_ANOTHER = {"/portal/set-up/try/send"}
SECOND_SECRET = "a-second-secret-of-the-app-0000000000000000"


@dataclass
class Sender:
    """Fills in the forms of pages, and remembers which of them were sent."""

    page: Page
    url: str
    sent: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.on("request", self._note)

    def send(self, at: str, action: str, **fields: str | bool) -> None:
        """The form with this address on the page `at`, as a person does. It must not fail."""
        self.page.goto(self.url + at)
        form = self.page.locator(f"form[action='{action}'], form:has(button[formaction='{action}'])").first
        for name, value in fields.items():
            _fill(form.locator(f"[name='{name}']").first, value)
        button = form.locator(f"button[formaction='{action}'], button[type=submit]:not([formaction])").last
        self.press(button)

    def press(self, button: Locator) -> None:
        with self.page.expect_navigation() as answered:
            button.click()
        _require_success(answered.value, self.page)

    def _note(self, request: Request) -> None:
        if request.method == "POST" and request.is_navigation_request():
            self.sent.add(urlsplit(request.url).path)


def _fill(control: Locator, value: str | bool) -> None:
    if isinstance(value, bool):
        control.set_checked(value)
    elif control.evaluate("element => element.tagName") == "SELECT":
        control.select_option(value)
    else:
        control.fill(value)


def _require_success(response: Response | None, page: Page) -> None:
    assert response is not None
    assert response.status < 300, (response.status, page.locator("main").inner_text()[:600])


@pytest.fixture
def store(instance: Instance) -> Iterator[Store]:
    """The settings are as they were, afterwards; and in between, links need passwords."""
    store = Store(DynamoDBTable(instance.client("dynamodb"), instance.outputs()["TableName"]))
    settings = settings_items.settings(store)
    store.commit(settings_items.put_settings(settings.but(link_passwords=True)))
    _control(instance, "PUT", "app", {"clientSecrets": [DEFAULT_CLIENT_SECRET, SECOND_SECRET]})
    _control(instance, "PUT", "consent", {"mode": "page", "tenantIds": []})
    yield store
    version = settings_items.settings(store).version
    store.commit(settings_items.put_settings(settings.but(version=version)))
    _control(instance, "PUT", "app", {"clientSecrets": [DEFAULT_CLIENT_SECRET]})
    _control(instance, "PUT", "consent", {"mode": "auto", "tenantIds": []})


@pytest.fixture
def sender(instance: Instance, page: Page, store: Store) -> Sender:
    page.set_default_timeout(PATIENCE)
    described = instance.read_description()
    sender = Sender(page, described["apiUrl"])
    sender.send("/portal/sign-in", "/portal/sign-in", key=described["apiKey"])
    return sender


def test_every_form_is_sent_on_the_deployed_stack(instance: Instance, sender: Sender, store: Store) -> None:
    company, connection = _make_company(sender)
    _connect_as_the_customer(instance, sender, company, connection)
    _release_holds(sender, store, company, connection)
    _change_settings(sender)
    _follow_the_guide(sender)
    _use_webhooks(sender)
    _put_a_dead_letter_back(instance, sender)
    _end(instance, sender, company, connection)
    routes = [route for route in (*PORTAL, *LINK) if route.method == "POST"]
    sent = {route.path for route in routes for path in sender.sent if route.arguments(path) is not None}
    assert {route.path for route in routes} - sent == SENT_BY_ANOTHER


def _make_company(sender: Sender) -> tuple[str, str]:
    """With a connection that has two accounts, and another one."""
    page = sender.page
    sender.send("/portal/companies/new", "/portal/companies/new", name=COMPANY)
    path = urlsplit(page.url).path
    sender.send(f"{path}/edit", f"{path}/edit", tags="kind:test")
    connection = page.locator("[data-copy='the connection id']").first.inner_text()
    for account in ACCOUNTS:
        at = f"{path}/connections/{connection}/accounts/new"
        sender.send(at, at, id=account, name=account, number=f"7001123{account[-1]}", currency="GBP")
    sender.send(path, f"{path}/connections")
    return path.rpartition("/")[2], connection


def _connect_as_the_customer(instance: Instance, sender: Sender, company: str, connection: str) -> None:
    page, base = sender.page, f"/link/companies/{company}/connections/{connection}"
    for name in ORGANISATIONS:
        body = {"name": name, "country": "GB", "currency": "GBP", "demo": False, "bankFeeds": True, "accounts": []}
        _control(instance, "POST", "orgs", body)
    _start(sender, company, connection)
    for name in ORGANISATIONS:
        page.get_by_label(name).last.check()
    page.get_by_role("button", name="Allow access").click()
    page.get_by_label(ORGANISATIONS[0]).check()
    sender.press(page.locator(f"form[action='{base}/organisation'] button"))
    sender.press(page.locator(f"form[action='{base}/accounts'] button[type=submit]"))
    expect(page.locator("#connected .pill.good")).to_have_count(len(ACCOUNTS), timeout=PATIENCE)
    at = f"{base}/accounts/disconnect"
    sender.send(f"{at}?account={ACCOUNTS[1]}", at)


def _start(sender: Sender, company: str, connection: str) -> None:
    """With a new link: it has a password."""
    path = f"/portal/companies/{company}"
    sender.send(f"{path}?connection={connection}", f"{path}/connections/{connection}/link")
    sender.page.goto(sender.page.locator("[data-copy='the link for your customer']").first.inner_text())
    sender.page.get_by_role("button", name="Allow access").wait_for()


def _release_holds(sender: Sender, store: Store, company: str, connection: str) -> None:
    """In each of the ways: on the company's page, on the feed's, one and several on that of the holds."""
    path, feed = f"/portal/companies/{company}", f"/portal/feeds/{connection}/{ACCOUNTS[0]}"
    hold = _hold(store, company, connection)
    sender.send(path, f"{path}/holds/{hold}/release")
    _hold(store, company, connection)
    sender.send(feed, feed)
    hold = _hold(store, company, connection)
    sender.send(f"/portal/holds?q={hold}", f"/portal/holds/{hold}/release")
    sender.press(sender.page.locator("form[action='/portal/holds/release'] button"))
    expect(sender.page.get_by_role("status").first).to_contain_text("1 hold released")


def _hold(store: Store, company: str, connection: str) -> str:
    account = ACCOUNTS[0]
    problem = builders.problem(title="Held by a test")
    hold = builders.hold(
        Scope.FEED, f"{connection}/{account}", id=new_id(), reason="x", problem=problem, since=datetime.now(UTC),
        company_id=company, connection_id=connection, account_id=account,
    )  # fmt: skip
    store.commit(*hold_items.add_hold(hold))
    return hold.id


def _change_settings(sender: Sender) -> None:
    """Each page of settings as it is; then a second secret comes and goes."""
    sender.send("/portal/profile", "/portal/profile")
    page = sender.page
    page.goto(f"{sender.url}/portal/settings")
    links = page.locator("main a[href^='/portal/settings/']").evaluate_all("links => links.map(one => one.pathname)")
    for at in dict.fromkeys(["/portal/settings", *links]):
        page.goto(sender.url + at)
        forms = page.locator("form[method=post]").evaluate_all(
            "forms => forms.map(one => new URL(one.action).pathname)"
        )
        actions = {action for action in forms if action.startswith("/portal/settings")}
        for action in sorted(action for action in actions if not action.endswith("/secret")):
            has_second = page.locator(f"form[action='{action}'] [name=second_secret]").count()
            sender.send(at, action, **({"second_secret": SECOND_SECRET} if has_second else {}))
            if has_second:
                sender.press(page.locator("button[name=which][value=second]").first)


def _follow_the_guide(sender: Sender) -> None:
    """Each step as it is saved already, and the test company as far as the customer is not needed."""
    given = {"keys": {"client_id": DEFAULT_CLIENT_ID, "client_secret": DEFAULT_CLIENT_SECRET}}
    given["app"] = {"app_name": "Every form", "company_url": "https://platform.example"}
    for step in (UPSTREAM, *step_names(UpstreamName.XERO)):
        sender.send(f"/portal/set-up/{step}", f"/portal/set-up/{step}", **given.get(step, {}))
    sender.send("/portal/set-up/enable", "/portal/set-up/test")
    at = "/portal/set-up/try"
    for action in (at, f"{at}/link", f"{at}/remove"):
        sender.send(at, action)


def _use_webhooks(sender: Sender) -> None:
    page = sender.page
    # Nobody listens there, so that the deliveries fail and may be sent again.
    sender.send("/portal/webhooks", "/portal/webhooks", url="http://localhost:9/events")
    page.get_by_role("link", name="I have copied it").click()
    page.get_by_role("heading", name="Webhook", exact=True).wait_for()
    path = urlsplit(page.url).path
    sender.send(path, f"{path}/test")
    again = page.locator("#delivery-list form[action$='/replay'] button")
    again.first.wait_for()
    sender.press(again.first)
    sender.send(f"{path}/settings", f"{path}/settings")
    sender.send(f"{path}/settings", f"{path}/secret")
    sender.send(f"{path}/replays", f"{path}/replays", since="2026-05-12T08:00")
    sender.send(path, f"{path}/disable")
    sender.send(path, f"{path}/enable")
    sender.send(f"{path}/settings", f"{path}/delete", confirmed=True)


def _put_a_dead_letter_back(instance: Instance, sender: Sender) -> None:
    """Of a feed that there is not: whoever wakes it finds nothing to do."""
    sqs = instance.client("sqs")
    queue = sqs.get_queue_url(QueueName=f"{STACK}-statement-checks-dead-letters")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"kind": "wake", "feed_id": new_id()}))
    sender.send("/portal/dead-letters?show=checks", "/portal/dead-letters")


def _end(instance: Instance, sender: Sender, company: str, connection: str) -> None:
    """The customer disconnects and comes again; then the operator disconnects, deletes, and signs out."""
    path, base = f"/portal/companies/{company}", f"/link/companies/{company}/connections/{connection}"
    at = f"{path}/connections/{connection}/accounts/disconnect"
    sender.send(f"{at}?account={ACCOUNTS[0]}", at)
    sender.send(f"{base}/disconnect", f"{base}/disconnect")
    _start(sender, company, connection)
    sender.page.get_by_label(ORGANISATIONS[0]).last.check()
    sender.page.get_by_role("button", name="Allow access").click()
    sender.page.locator("#connected").wait_for()
    sender.send(f"{path}/connections/{connection}/disconnect", f"{path}/connections/{connection}/disconnect")
    at = f"{path}/connections/{connection}/delete"
    sender.send(at, at, name=ORGANISATIONS[0])
    sender.send(f"{path}/delete", f"{path}/delete", name=COMPANY)
    _begin_without_a_connection(instance, sender)
    sender.page.goto(f"{sender.url}/portal/keys")
    sender.page.locator("form[action='/portal/sign-out'] button").first.evaluate("button => button.form.submit()")
    sender.page.get_by_label("API key").wait_for()


def _begin_without_a_connection(instance: Instance, sender: Sender) -> None:
    """A company that came through the API, whose customer opens its page."""
    described = instance.read_description()
    headers = authorization(described["apiKey"])
    with httpx.Client(base_url=described["apiUrl"], headers=headers, timeout=35, trust_env=False) as api:
        made = api.post("/companies", json={"name": COMPANY}).raise_for_status().json()
        sender.page.goto(made["redirect"])
        sender.page.locator("form.actions button").click()
        sender.page.get_by_role("button", name="Allow access").wait_for()
        api.delete(f"/companies/{made['id']}").raise_for_status()


def _control(instance: Instance, method: str, path: str, body: dict[str, Any]) -> None:
    httpx.request(method, f"{instance.simulator_url}/_simulator/{path}", json=body, trust_env=False).raise_for_status()
