"""Every page and every error page, with nothing to show, with too much, and with the hardest names.

`make test` looks at the long names; `make accessibility` at everything, at every width in both schemes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from string import Formatter

import pytest
from playwright.sync_api import Page

from feedlane.companies import items as company_items
from feedlane.companies.connection import UpstreamName
from feedlane.companies.hosted_link import HostedClient
from feedlane.settings import items as settings_items
from feedlane.settings.settings import CodatFacts, Profile, Settings
from feedlane.texts import LANGUAGES, catalogue
from feedlane.web.error_pages import ErrorPage, words_of
from feedlane.web.link import routes as link_routes
from feedlane.web.portal import routes as portal_routes
from feedlane.web.request import Request
from feedlane.web.response import Response
from feedlane.web.routing import Route
from feedlane.web.site import Site
from tests.browser.customer import Customer
from tests.browser.every_page import (
    ERRORS,
    EVERYTHING,
    FORMS,
    STATES,
    THROUGH_CODAT,
    forms_of_portal,
    not_shown,
    pages_of_portal,
    values_of,
)
from tests.browser.looks import Looks
from tests.browser.world import API_KEY, World, world
from tests.worlds.hard_portal import LONG, NAMES, add_hard_data

LOGO = '<svg xmlns="http://www.w3.org/2000/svg" width="900" height="90"><path fill="#357" d="M0 0h900v90H0z"/></svg>'
PORTAL, LINK = portal_routes.PORTAL, (*link_routes.LINK, *link_routes.CALLBACK)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """With addresses of its own at which each error can be met."""
    for module, name, root in ((portal_routes, "PORTAL", "/portal"), (link_routes, "LINK", "/link")):
        routes = (Route("GET", root + "/-/{name}/{status}/{key}", _fail), *getattr(module, name))
        monkeypatch.setattr(module, name, routes)
    with world(Profile()) as made:
        yield made


@pytest.fixture
def looks(page: Page, bare: World) -> Looks:
    page.route("**/logo.svg", lambda route: route.fulfill(body=LOGO, content_type="image/svg+xml"))
    return Looks(page, bare.url)


def _fail(site: Site, request: Request, name: str, status: str, key: str) -> Response:
    """Says this error, of something that has this name."""
    said = dict.fromkeys(_facts(key), NAMES[name])
    said |= {"former": NAMES[name]} if "former" in said else {}
    raise ErrorPage(int(status), *words_of(key, **said), retry_url="/", return_url="https://platform.example/")


def _facts(key: str) -> set[str]:
    texts = (catalogue("en")[f"{key}.{part}"] for part in ("title", "explanation", "next"))
    return {fact for text in texts for _, fact, _, _ in Formatter().parse(text) if fact}


def _sign_in(looks: Looks) -> None:
    looks.open("/portal/sign-in")
    looks.send("/portal/sign-in", FORMS["/portal/sign-in"][0])
    looks.page.get_by_label("API key").fill(API_KEY)
    with looks.page.expect_navigation():
        looks.page.get_by_role("button", name="Sign in").click()


def _name_everything(bare: World, name: str) -> None:
    store = bare.site.store
    logo = "https://platform.example/logo.svg"
    named = {"name": name, "logo_url": logo, "support_address": f"https://platform.example/{name}"}
    store.commit(settings_items.put_profile(settings_items.profile(store).but(**named)))
    urls = {"privacy_policy_url": f"https://platform.example/{name}", "terms_url": "https://platform.example/terms"}
    named = {"app_name": name, "second_secret_ending": "abcd", "company_url": f"https://platform.example/{name}"}
    store.commit(settings_items.put_settings(settings_items.settings(store).but(**urls | named)))


def _add_dead_letters(bare: World, values: Mapping[str, Sequence[str]]) -> None:
    """Pushes of several accounts."""
    [company], [connection] = values["company_id"], values["connection_id"]
    for account in (*values["account_id"], LONG[:100]):
        push = {"version": 1, "companyId": company, "connectionId": connection, "accountId": account}
        queue = "transactions-dead-letters.fifo"
        bare.site.letters_aws.send(queue, push | {"transactions": []}, f"{connection}/{account}")


@pytest.mark.skipif(not EVERYTHING, reason="its pages are among those of a full portal")
def test_every_page_of_an_empty_portal(bare: World, looks: Looks) -> None:
    store = bare.site.store
    store.commit(
        settings_items.put_settings(Settings(version=settings_items.settings(store).version)),
        company_items.remove_connection(bare.connection),
    )
    _sign_in(looks)
    values = {"company_id": (bare.connection.company_id,)}
    for path in (*pages_of_portal(values), "/portal/nowhere"):
        looks.open(path)
    for path, fields in forms_of_portal({}):
        looks.send(path, fields)
    looks.require_no_faults()


@pytest.mark.parametrize("name", STATES)
def test_every_page_of_a_full_portal(bare: World, looks: Looks, name: str) -> None:
    values = values_of(add_hard_data(bare.site.ports, bare.connection, NAMES[name]))
    _name_everything(bare, NAMES[name])
    _add_dead_letters(bare, values)
    _sign_in(looks)
    for path in pages_of_portal(values):
        looks.open(path)
    for path, fields in forms_of_portal(values):
        looks.page.goto(f"{bare.url}/portal/profile")
        looks.send(path, fields)
    for path in ("/portal/set-up/test", "/portal/set-up/try"):
        looks.open(path)
    looks.page.set_viewport_size({"width": 390, "height": 900})
    looks.page.goto(f"{bare.url}/portal/companies")
    looks.page.get_by_text("Menu").click()
    looks.look("menu")
    looks.require_no_faults()
    assert not_shown(PORTAL, looks.shown) == set()


@pytest.mark.parametrize("name", STATES)
def test_every_page_of_the_set_up_through_codat(bare: World, looks: Looks, name: str) -> None:
    """As a newcomer has it, refused, and with all that Codat can have to say."""
    _name_everything(bare, NAMES[name])
    _choose_codat(bare, CodatFacts())
    _sign_in(looks)
    [refused] = FORMS["/portal/set-up/{step}"]
    for path in THROUGH_CODAT[: None if EVERYTHING else 3]:
        looks.open(path)
    for path in THROUGH_CODAT[:-2]:
        looks.send(path, refused)
    facts = CodatFacts(ending="abcd", second_ending="efgh", webhook_ending="ijkl", checked=True, version=1)
    _choose_codat(bare, facts)
    bare.site.outside.at_codat = HostedClient(offers_xero=False, redirect_url=f"https://other.example/{NAMES[name]}")
    looks.send("/portal/set-up/bank-feeds", refused)
    looks.send("/portal/set-up/test", {})
    looks.send("/portal/set-up/try", {"currency": "GBP"})
    for path in THROUGH_CODAT:
        looks.open(path)
    looks.require_no_faults()


def _choose_codat(bare: World, facts: CodatFacts) -> None:
    store = bare.site.store
    settings = settings_items.settings(store).but(upstream=UpstreamName.CODAT, bank_feeds=False, codat=facts)
    store.commit(settings_items.put_settings(settings))


@pytest.mark.parametrize("name", STATES)
def test_every_error_page_of_the_portal(bare: World, looks: Looks, name: str) -> None:
    _sign_in(looks)
    for status in (400, 403, 404, 409, 500, 503):
        looks.open(f"/portal/-/{name}/{status}/error.invalid")
    looks.page.context.clear_cookies()
    looks.open(f"/portal/-/{name}/500/error.unexpected")
    looks.require_no_faults()


@pytest.mark.parametrize("language", LANGUAGES if EVERYTHING else ("fr",))
@pytest.mark.parametrize("name", STATES)
def test_every_error_page_of_link(bare: World, looks: Looks, name: str, language: str) -> None:
    _name_everything(bare, NAMES[name])
    assert len(ERRORS) > 40
    for key in ERRORS if EVERYTHING else ERRORS[::8]:
        looks.open(f"/link/-/{name}/400/{key}?lang={language}")
        assert looks.page.locator("html").get_attribute("lang") == language
    looks.require_no_faults()


@pytest.mark.parametrize("language", LANGUAGES if EVERYTHING else ("en",))
@pytest.mark.parametrize("name", STATES)
def test_every_page_of_link(bare: World, looks: Looks, name: str, language: str) -> None:
    _name_everything(bare, NAMES[name])
    customer = Customer(bare, looks, language)
    customer.has_accounts(NAMES[name], 22)
    customer.comes_to_the_company()
    customer.consents()
    customer.connects_accounts()
    customer.meets_faults()
    customer.ends()
    looks.require_no_faults()
    assert not_shown(LINK, looks.shown) == set()
