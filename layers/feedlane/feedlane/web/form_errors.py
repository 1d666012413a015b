"""What is wrong with a form, in its page's words: once on top, with links to the fields, and once beside each field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from feedlane.errors import Invalid

# How the rules of the API begin that continue a sentence whose subject is the field.
_VERBS = ("cannot", "does", "has", "is", "must", "needs", "was")


@dataclass(frozen=True)
class FormError:
    """`field` is the id of the field on the page; empty: the form as a whole."""

    field: str
    sentence: str


@dataclass(frozen=True)
class Words:
    """The words of a form. `fields` are the id and the label of its fields, by the API's names for them.

    `sentences` replace what the API says, by its name for the field and its validator (`errors.Finding`).
    """

    fields: Mapping[str, tuple[str, str]]
    sentences: Mapping[tuple[str, str], str]


def form_errors(error: Invalid, words: Words) -> list[FormError]:
    """One for each finding, in their order."""
    if not error.findings:
        return whole_form(f"{error.message.rstrip('.')}.")
    errors = []
    for finding in error.findings:
        field, label = words.fields.get(finding.item_id) or ("", finding.item_id)
        sentence = words.sentences.get((finding.item_id, finding.validator)) or _sentence(label, finding.message)
        errors.append(FormError(field, sentence))
    return errors


def whole_form(sentence: str) -> list[FormError]:
    """An error of no field in particular."""
    return [FormError("", sentence)]


def _sentence(label: str, rule: str) -> str:
    rule = rule.rstrip(".")
    return f"{label} {rule}." if rule.split(" ")[0] in _VERBS else f"{label}: {rule}."
