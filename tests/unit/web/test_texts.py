"""What customers read: whole in every language, nowhere else, and in the language that they chose."""

from __future__ import annotations

import ast
import re
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter

import pytest
from jinja2 import Environment, nodes

import feedlane.web
from feedlane import texts
from feedlane.link.linking import NotLinkedReason
from feedlane.texts import LANGUAGES, catalogue, spoken
from feedlane.web import filters
from feedlane.web.link.language import accepted_language
from tests.worlds.web import World

WEB = Path(feedlane.web.__file__).parent
SHARED_TEMPLATES = ("error", "frame", "parts")
TEMPLATES = (*SHARED_TEMPLATES, *sorted(f"link/{path.stem}" for path in (WEB / "templates" / "link").glob("*.html")))
MODULES = [*sorted((WEB / "link").glob("*.py")), WEB / "error_pages.py", WEB / "routing.py", WEB / "sentences.py"]
ENGLISH = catalogue("en")


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_english_and_french_are_spoken() -> None:
    assert LANGUAGES == ("en", "fr")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_catalogue_has_the_same_texts_with_the_same_placeholders(language: str) -> None:
    own = catalogue(language)
    assert own.keys() == ENGLISH.keys()
    # "1er" and "one account" name a number in words, so that a language may leave it out.
    differing = {key for key in own if _placeholders(own[key]) != _placeholders(ENGLISH[key])}
    assert differing == set()


def test_nothing_is_left_in_english() -> None:
    same = {key for key, text in catalogue("fr").items() if text == ENGLISH[key] and re.search(r"[a-z]{3} ", text)}
    assert same == set()


def test_french_has_its_spaces_before_double_punctuation() -> None:
    wrong = [text for text in catalogue("fr").values() if re.search(r"\w ?[;!?]| :|[a-zé]:(?!blank)|'", text)]
    assert wrong == []


@pytest.mark.parametrize("reason", NotLinkedReason)
def test_every_reason_not_to_link_has_its_page(reason: NotLinkedReason) -> None:
    assert ENGLISH[f"not-linked.{reason}.title"]


class _Hard(HTMLParser):
    """The words that a template has of its own: outside expressions, and in attributes that are read out."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.feed(re.sub(r"\{% block width %\}\w+|\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", source, flags=re.S))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        read_out = {"aria-label", "alt", "title", "placeholder", "data-label", "data-refresh"}
        self.words += [value for name, value in attrs if name in read_out and value and re.search("[A-Za-z]", value)]

    def handle_data(self, data: str) -> None:
        rest = re.sub(r'[\w-]+="[^"]*"', "", data)  # a macro that makes attributes
        self.words += [data.strip()] if re.search("[A-Za-z]", rest) else []


@pytest.mark.parametrize("template", TEMPLATES)
def test_no_template_of_link_has_words_of_its_own(template: str) -> None:
    source = (WEB / "templates" / f"{template}.html").read_text()
    assert _Hard(source).words == []


def test_the_search_for_words_finds_some() -> None:
    assert _Hard('<p title="{{ x }} of">{% if y %}Hello{% endif %}</p>').words == [" of", "Hello"]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_no_module_of_link_gives_a_page_words_of_its_own(module: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.Call)]
    pages = [call for call in calls if getattr(call.func, "id", getattr(call.func, "attr", "")) in _SHOWING]
    values = [value for call in pages for value in [*call.args[1:], *(each.value for each in call.keywords)]]
    texts = [value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)]
    assert [text for text in texts if " " in text] == []


_SHOWING = {"ErrorPage", "explained", "customer_page", "FormError", "words_of"}


def _lacking(key: str, facts: set[str], is_counted: bool = False) -> set[str]:
    """The placeholders that nothing is given for. A text that does not exist fails."""
    keys = [f"{key}.one", f"{key}.other"] if is_counted else [key]
    given = facts | {"number"} if is_counted else facts
    return {name for each in keys for name in _placeholders(ENGLISH[each]) - given}


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_text_that_a_template_says_exists_and_gets_its_facts(template: str) -> None:
    tree = Environment().parse((WEB / "templates" / f"{template}.html").read_text())
    lacking = {}
    for call in tree.find_all(nodes.Call):
        if getattr(call.node, "name", "") in ("say", "say_number"):
            [key, *_] = call.args
            facts = {pair.key for pair in call.kwargs}
            lacking[key.value] = _lacking(key.value, facts, call.node.name == "say_number")
    assert {key: names for key, names in lacking.items() if names} == {}


def test_every_text_that_a_module_says_exists_and_gets_its_facts() -> None:
    lacking = {}
    for module in [*MODULES, WEB / "brand.py", WEB / "filters.py"]:
        for call in ast.walk(ast.parse(module.read_text())):
            name = getattr(getattr(call, "func", None), "id", "")
            if not isinstance(call, ast.Call) or name not in ("say", "say_number", "explained"):
                continue
            key = call.args[1 if name == "explained" else 0]
            facts = {keyword.arg for keyword in call.keywords if keyword.arg}
            if not isinstance(key, ast.Constant) or any(keyword.arg is None for keyword in call.keywords):
                continue
            if name == "explained":
                texts = [f"error.{key.value}.{part}" for part in ("title", "explanation", "next")]
                lacking[key.value] = {each for text in texts for each in _lacking(text, facts)}
            else:
                lacking[key.value] = _lacking(key.value, facts, name == "say_number")
    assert len(lacking) > 50
    assert {key: names for key, names in lacking.items() if names} == {}


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("fr", "fr"),
        ("fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        ("de-DE, de;q=0.9, fr;q=0.8, en;q=0.7", "fr"),
        ("en-GB,fr;q=0.9", "en"),
        ("fr;q=0, en;q=0.1", "en"),
        ("fr;q=x", "en"),
        ("de", "en"),
        ("*", "en"),
        (",;q=1," * 400, "en"),
    ],
)
def test_the_browsers_languages_are_tried_in_its_order(header: str, language: str) -> None:
    assert accepted_language(header) == language


def test_french_money_and_dates() -> None:
    with spoken("fr"):
        assert filters.money(Decimal("-1250.5"), "EUR") == "−1\u202f250,50\u00a0€"
        assert filters.money(Decimal("1250.5"), "CHF") == "1\u202f250,50\u00a0CHF"
        assert filters.day("2026-08-02") == "2 août 2026"
        assert filters.day("2026-05-01") == "1er mai 2026"
    assert filters.money(Decimal("-1250.5"), "EUR") == "−€1,250.50"


def test_french_counts_none_as_one() -> None:
    with spoken("fr"):
        assert texts.say_number("accounts.connect", 0) == "Connecter le compte"
        assert texts.say_number("accounts.connect", 2) == "Connecter les comptes"


def _linked() -> World:
    world = World()
    world.add_account()
    world.link()
    return world


def test_the_browsers_language_is_spoken_on_pages_and_error_pages() -> None:
    world = _linked()
    french = {"headers": {"accept-language": "fr-FR,fr;q=0.9"}}
    page = world.browser.get(f"{world.base()}/accounts", **french)
    assert '<html lang="fr">' in page.body
    assert page.headers["Content-Language"] == "fr"
    assert "Gérer les comptes connectés" in page.body
    missing = world.browser.get("/link/nowhere", **french)
    assert (missing.status, "Cette page n’existe pas" in missing.body) == (404, True)
    assert '<html lang="fr">' in missing.body


def test_the_parameter_goes_before_the_browser_and_is_kept_through_xero() -> None:
    world = World()
    world.add_account()
    state = world.start(query="?lang=fr")
    answered = world.call_back(state)
    page = world.browser.get(answered.location, headers={"accept-language": "en"})
    assert '<html lang="fr">' in page.body
    changed = world.browser.get(f"{answered.location}?lang=en", headers={"accept-language": "fr"})
    assert '<html lang="en">' in changed.body


@pytest.mark.parametrize("value", ["xx", "", "<script>", "f" * 3000, "fr\u0000"])
def test_a_language_that_we_do_not_speak_is_no_choice(value: str) -> None:
    world = World()
    response = world.browser.get("/link/nowhere", event={"rawQueryString": f"lang={value}"})
    assert not any("feedlane_language" in cookie for cookie in response.cookies)


def test_the_portal_stays_english() -> None:
    body = World().browser.get("/portal/sign-in?lang=fr", headers={"accept-language": "fr"}).body
    assert '<html lang="en">' in body
