"""The set-up guide where new connections go through Codat: its own steps, done by facts, and nothing of Xero's."""

from __future__ import annotations

import html
import re

import pytest

from feedlane.companies.connection import UpstreamName
from feedlane.scope import CODAT_SUBJECT, Scope
from feedlane.settings import guide
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Access, CodatFacts, Profile, Settings
from feedlane.web.portal.set_up import codat_forms, set_up_forms
from feedlane.web.portal.set_up.set_up_forms import Forms
from local.codat_simulator.state import DEFAULT_API_KEY
from tests import builders
from tests.builders import URL
from tests.fakes.browser import PageResponse
from tests.worlds import codat, vault
from tests.worlds.codat import SIGNING
from tests.worlds.web import API_KEY

FORMS: dict[str, dict[str, str]] = {
    "codat-key": {"codat_key": DEFAULT_API_KEY},
    "codat-side": {"codat_webhook_secret": SIGNING},
    "face": {"name": "Ledgerly", "logo_url": "", "colour": "", "support_address": "help@ledgerly.example"},
    "bank-feeds": {"bank_feeds": "yes"},
    "enable": {"enabled": "yes"},
}
OF_XERO = ("Xero Developer", "Client ID", "client id", "Redirect URI", "partner", "Certification", "scope", "One-off")


class World(codat.World):
    """As a new deployment is, with the choice made: Codat, behind which its simulator is; the keys are in a vault."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = vault.World()
        self.site.vault = self.kept.vault()
        self.set(upstream=UpstreamName.CODAT)
        profile = settings_items.profile(self.store)
        self.store.commit(settings_items.put_profile(Profile(version=profile.version)))
        self.browser.post("/portal/sign-in", {"key": API_KEY})

    @property
    def settings(self) -> Settings:
        return settings_items.settings(self.store)

    def set(self, **fields: object) -> None:
        """These settings, and no others."""
        version = self.settings.version
        self.store.commit(settings_items.put_settings(Settings(version=version).but(**fields)))

    def send(self, step: str, **changes: str) -> PageResponse:
        form = {"formToken": self.form_token("/portal/set-up")} | FORMS.get(step, {}) | changes
        sent = {name: value for name, value in form.items() if value != "off"}
        return self.browser.post(f"/portal/set-up/{step}", sent)

    def shown(self, step: str = "") -> str:
        return html.unescape(self.browser.get(f"/portal/set-up/{step}".rstrip("/")).body)

    def progress(self) -> str:
        found = re.search(r'id="progress">([^<]+)<', self.shown())
        assert found
        return found[1]

    def state(self, step: str) -> str:
        found = re.search(r'<span class="pill [^>]*>([^<]*)<', self.shown().split(f'id="step-{step}"')[1])
        assert found
        return found[1]


@pytest.fixture
def world() -> World:
    return World()


def test_each_step_is_done_by_its_form_and_the_next_one_is_offered(world: World) -> None:
    assert world.progress() == "0 of 5 done"
    for done, step in enumerate(FORMS):
        assert f'href="/portal/set-up/{step}#step-{step}">Next:' in world.shown()
        answer = world.send(step)
        assert (answer.status, answer.path) == (303, "/portal/set-up"), answer.body
        assert world.progress() == f"{min(done + 1, 4)} of 5 done"
    assert (world.settings.enabled, world.settings.bank_feeds) == (True, True)
    assert "Next: Test it<" in world.shown()
    assert settings_items.settings(world.store).codat.checked


def test_nothing_of_xeros_app_is_asked_for_and_nothing_of_xero_is_asked(world: World) -> None:
    for step in FORMS:
        for word in OF_XERO:
            assert word not in world.shown(step), (step, word)
        world.send(step)
    assert world.site.outside.asked == []


def test_what_codats_portal_needs_is_there_to_be_copied(world: World) -> None:
    shown = world.shown("codat-side")
    assert f"{URL}/codat/webhooks</code>" in shown
    assert (
        f"{URL}/oauth/callback?state={{feedlaneState}}&statusCode={{statusCode}}&companyId={{companyId}}"
        "&connectionId={connectionId}&errorMessage={errorMessage}</code>"
    ) in shown
    for event in ("bankTransactions.write.*", "bankFeeds.sourceAccount.*", "connection.*"):
        assert event in shown


@pytest.mark.parametrize(
    ("step", "changes", "field", "sentence"),
    [
        ("codat-key", {"codat_key": ""}, "codat_key", "Enter Codat’s API key."),
        ("codat-side", {"codat_webhook_secret": ""}, "codat_webhook_secret", "Enter the signing secret"),
        ("codat-side", {"codat_webhook_secret": "canary-no-secret"}, "codat_webhook_secret", "must be the signing"),
        ("face", {"colour": "#ffd400"}, "colour", "Colour is too light"),
        ("bank-feeds", {}, "bank_feeds", "Enter it in step 1."),
        ("enable", {}, "enabled", "Enabling needs Codat’s API key. Enter it in step 1."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_saved(
    world: World, step: str, changes: dict[str, str], field: str, sentence: str
) -> None:
    before = (world.settings, settings_items.profile(world.store))
    answer = world.send(step, **changes)
    assert answer.status == 422
    assert f'<a href="#{field}">' in answer.body
    assert sentence in html.unescape(answer.body)
    assert re.search(rf'id="step-{step}">\s*<details open>', answer.body)
    assert "canary" not in answer.body
    assert (world.settings, settings_items.profile(world.store)) == before


def test_enabling_needs_codats_key_even_where_xeros_keys_are(world: World) -> None:
    world.set(upstream=UpstreamName.CODAT, client_id="app-1", client_secret_ending="wxyz")
    assert world.send("enable").status == 422
    assert not world.settings.enabled
    world.send("codat-key")
    assert world.send("enable").query == {"saved": "enabled"}
    assert world.send("enable", enabled="off").query == {"saved": "disabled"}


def test_a_key_that_codat_rejects_is_named_and_not_quoted(world: World) -> None:
    world.kept.codat_answers["canary-wrong-key"] = False
    answer = world.send("codat-key", codat_key="canary-wrong-key")
    assert (answer.status, "canary" in answer.body) == (422, False)
    assert "Codat does not accept this API key" in answer.body
    assert world.state("codat-key") == "to do"


def test_a_key_that_could_not_be_checked_is_saved_and_the_step_stays_open(world: World) -> None:
    world.kept.codat_answers[DEFAULT_API_KEY] = None
    answer = world.send("codat-key")
    assert "Codat could not be reached to check it" in world.browser.get(answer.location).body
    assert world.state("codat-key") == "to do"


def test_a_key_that_codat_has_come_to_reject_makes_its_step_fail(world: World) -> None:
    world.send("codat-key")
    problem = builders.problem(type="codat-key-rejected", status=401)
    world.add_hold(Scope.APP, CODAT_SUBJECT, reason="codat-key-rejected", problem=problem)
    assert world.state("codat-key") == "failed"
    assert "Mend step 1" in world.shown()


def test_bank_feeds_are_switched_on_once_codat_says_that_a_customer_could_connect(world: World) -> None:
    world.send("codat-key")
    answer = world.send("bank-feeds")
    assert answer.query == {"saved": "codat-granted"}
    assert "Xero is switched on at Codat" in world.browser.get(answer.location).body
    assert "Codat is ready for your customers" in world.shown("bank-feeds")


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("key", "Codat does not accept the API key"),
        ("integration", "Xero is not switched on at Codat"),
        ("none", "has no redirect URL yet"),
        ("elsewhere", "does not lead back to this deployment"),
        ("state", "does not lead back to this deployment"),
    ],
)
def test_bank_feeds_stay_off_if_codat_could_not_bring_a_customer_here(world: World, fault: str, sentence: str) -> None:
    world.send("codat-key")
    _break(world, fault)
    answer = world.send("bank-feeds")
    assert answer.status == 422
    assert sentence in html.unescape(answer.body)
    assert not world.settings.bank_feeds


def test_a_redirect_url_may_have_more_and_may_come_back_encoded(world: World) -> None:
    template = world.codat.profile.redirect_url or ""
    world.send("codat-key")
    world.codat.profile.redirect_url = template.replace("{", "%7B").replace("}", "%7D") + "&theirs=1"
    assert world.send("bank-feeds").query == {"saved": "codat-granted"}


def test_if_codat_does_not_answer_bank_feeds_are_on_and_the_page_says_that_nobody_knows(world: World) -> None:
    world.send("codat-key")
    world.wire.lose = lambda request: True
    answer = world.send("bank-feeds")
    assert answer.query == {"saved": "codat-unasked"}
    assert "Codat did not answer" in world.browser.get(answer.location).body
    assert world.settings.bank_feeds


def test_bank_feeds_that_are_on_fail_once_codat_says_no(world: World) -> None:
    for step in FORMS:
        world.send(step)
    _break(world, "integration")
    world.send("bank-feeds")
    assert world.state("bank-feeds") == "failed"
    assert world.settings.bank_feeds, "customers who are connected go on"


def test_one_off_access_that_was_chosen_for_xero_is_said_beside_bank_feeds(world: World) -> None:
    world.set(upstream=UpstreamName.CODAT, access=Access.ONE_OFF, codat=CodatFacts(ending="000A", checked=True))
    answer = world.send("bank-feeds")
    assert (answer.status, '<a href="#bank_feeds">' in answer.body) == (422, True)
    assert "continuous" in answer.body


def test_one_may_go_over_to_codat_and_back_in_the_guide(world: World) -> None:
    world.set()
    assert "0 of 7 done" in world.shown()
    answer = world.send("upstream", upstream="codat")
    assert (answer.status, answer.path) == (303, "/portal/set-up")
    assert "New connections go through Codat" in world.browser.get(answer.location).body
    assert (world.settings.upstream, world.progress()) == (UpstreamName.CODAT, "0 of 5 done")
    assert world.settings.version > 0
    world.send("upstream", upstream="xero")
    assert (world.settings.upstream, world.progress()) == (UpstreamName.XERO, "0 of 7 done")
    changed = [event.payload for event in world.events("settings.changed")]
    assert len(changed) == 2


def test_the_choice_is_open_at_the_very_beginning_and_at_its_own_address(world: World) -> None:
    is_open = re.compile(r'id="step-upstream">\s*<details open>').search
    assert is_open(world.shown())
    assert not is_open(world.shown("face"))
    world.send("codat-key")
    assert not is_open(world.shown())
    assert is_open(world.shown("upstream"))
    assert 'value="codat" checked' in world.shown("upstream")


def test_another_upstream_than_the_two_is_refused(world: World) -> None:
    answer = world.send("upstream", upstream="sage")
    assert (answer.status, "must be one of the two below" in answer.body) == (422, True)
    assert world.settings.upstream == UpstreamName.CODAT


def test_who_goes_over_while_enabled_is_told_what_new_customers_lack(world: World) -> None:
    world.set(enabled=True, client_id="app-1", client_secret_ending="wxyz")
    answer = world.send("upstream", upstream="codat")
    assert "cannot connect until" in world.browser.get(answer.location).body
    world.set(upstream=UpstreamName.CODAT, enabled=True, codat=CodatFacts(ending="000A", checked=True))
    answer = world.send("upstream", upstream="xero")
    assert "cannot connect until" in world.browser.get(answer.location).body


def test_a_step_of_the_other_guide_leads_to_the_guide_and_saves_nothing(world: World) -> None:
    answer = world.send("partner", terms_url="https://ledgerly.example/terms")
    assert answer.status == 303
    assert "Nothing was saved" in world.browser.get(answer.location).body
    assert world.settings.terms_url == ""
    assert world.browser.get("/portal/set-up/partner").status == 303
    assert world.browser.get("/portal/set-up/other").status == 404


@pytest.mark.parametrize(
    ("upstream", "listed"), [(UpstreamName.XERO, set_up_forms.XERO), (UpstreamName.CODAT, codat_forms.CODAT)]
)
def test_every_step_of_a_guide_can_be_saved_and_so_can_the_choice(upstream: UpstreamName, listed: Forms) -> None:
    assert set(listed.saves) == {guide.UPSTREAM, *guide.step_names(upstream)} <= guide.STEP_NAMES


def _break(world: World, fault: str) -> None:
    template = world.codat.profile.redirect_url or ""
    if fault == "key":
        world.codat.api_keys.clear()
    elif fault == "integration":
        world.codat.xero_enabled = False
    else:
        urls = {"none": None, "elsewhere": template.replace(URL, "https://other.example")}
        world.codat.profile.redirect_url = urls.get(fault, template.replace("{feedlaneState}", "{state}"))
