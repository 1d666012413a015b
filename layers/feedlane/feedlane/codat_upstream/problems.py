"""Codat's refusals as problems: those of Xero that it passes on, and its own.

What is refused is decided by the problem alone, as for Xero: a problem that was stored means the same later.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from feedlane.codat_upstream.answers import Item
from feedlane.credentials.vault import CODAT_KEY_REJECTED
from feedlane.feeds.refusals import (
    DETAIL_LENGTH_MAX,
    MEANING_BY_TYPE,
    NO_TYPE,
    PROBLEMS_MAX,
    TITLE_LENGTH_MAX,
    Meaning,
    refusal_of,
    stated_problems,
)
from feedlane.feeds.upstream import DUPLICATE_STATEMENT, Refusal
from feedlane.json_object import json_object
from feedlane.problem import Problem
from feedlane.scope import Scope
from feedlane.text import encodable_json

KEY_REJECTED = CODAT_KEY_REJECTED
LIMIT_REACHED = "codat-limit-reached"
ACCESS_REFUSED = "codat-access-refused"
NOT_FOUND = "codat-not-found"
KEY_REUSED = "codat-key-reused"
INVALID = "codat-invalid-data"
REFUSED = "codat-refused"
TIMED_OUT = "codat-push-timed-out"

CODAT_MEANINGS = {
    KEY_REJECTED: Meaning(Scope.APP, KEY_REJECTED),
    LIMIT_REACHED: Meaning(Scope.APP, LIMIT_REACHED),
    ACCESS_REFUSED: Meaning(Scope.TENANT, ACCESS_REFUSED),
    NOT_FOUND: Meaning(Scope.CONNECTION, "codat-connection-not-found"),
    KEY_REUSED: Meaning(Scope.FEED, KEY_REUSED),
    INVALID: Meaning(Scope.FEED, "invalid-data"),
    TIMED_OUT: Meaning(Scope.FEED, "push-timed-out"),
}
_TYPE_BY_STATUS = {401: KEY_REJECTED, 402: LIMIT_REACHED, 403: ACCESS_REFUSED, 404: NOT_FOUND, 422: KEY_REUSED}
_TITLES = {
    KEY_REJECTED: "Codat rejects the API key",
    LIMIT_REACHED: "A limit of the Codat account is reached",
    ACCESS_REFUSED: "Codat refuses access",
    NOT_FOUND: "Not found at Codat",
    KEY_REUSED: "Codat knows the idempotency key from another request",
    INVALID: "Codat found errors in the data",
    TIMED_OUT: "The push operation timed out at Codat",
}
_XEROS_TYPES = frozenset({*MEANING_BY_TYPE, DUPLICATE_STATEMENT})
_FOUND_TYPES = frozenset(
    type for type, meaning in MEANING_BY_TYPE.items() if meaning.scope in (Scope.TENANT, Scope.FEED)
)
# Xero's types that Codat may pass on in words: the type itself anywhere in a text, or one of its sentences.
_TYPE_WORDS = re.compile("|".join(rf"(?<![\w-]){re.escape(type)}(?![\w-])" for type in sorted(_XEROS_TYPES)))
_WORDED = (
    Problem(
        type="invalid-organisation-bank-feeds",
        title="Invalid Organisation",
        status=403,
        detail="The organisation does not support automated bank feeds.",
    ),
    Problem(
        type="invalid-application",
        title="Invalid Application",
        status=403,
        detail="The application has not been configured to use these API endpoints.",
    ),
    Problem(
        type="invalid-end-balance",
        title="Invalid End Balance",
        status=422,
        detail="End balance does not match start balance +/- statement line amounts.",
    ),
    Problem(
        type="feed-already-connected-in-current-organisation",
        title="Feed Connection Failed",
        status=409,
        detail="is already connected to another Xero Bank Account in the selected Xero Organisation",
    ),
    Problem(
        type="feed-already-connected-in-current-organisation",
        title="Feed Connection Failed",
        status=409,
        detail="A feed connection already exists to this account",
    ),
    Problem(
        type=DUPLICATE_STATEMENT,
        title="Duplicate Statement Received",
        status=409,
        detail="Duplicate Statement Received",
    ),
)
_REASON = re.compile(r"\bMessage:\s*", re.IGNORECASE)
_OBJECTS_PER_TEXT_MAX = 20
_TEXT_LENGTH_MAX = 50_000


def refusal_for(problem: Problem) -> Refusal:
    """As for Xero's own answers, where the problem is Xero's."""
    meaning = CODAT_MEANINGS.get(problem.type)
    if meaning is None:
        return refusal_of(problem)
    return Refusal(scope=meaning.scope, reason=meaning.reason, problem=problem)


def envelope_problems(envelope: Item, status: int) -> tuple[Problem, ...]:
    """The problems of an error that Codat answers at once; at least one."""
    stated = _xeros_problems([*_own(envelope), envelope, *_texts(envelope, "error")], status) + _found(envelope, status)
    # Other types here are those of the server's framework.
    if found := [problem for problem in stated if problem.type in _XEROS_TYPES]:
        return _with_answer(found, envelope)
    errors = _validation_errors(envelope)
    type = INVALID if errors and status == 422 else _TYPE_BY_STATUS.get(status, INVALID if errors else REFUSED)
    return _with_answer([_codats(type, status, _detail(_text(envelope.get("error")), errors))], envelope)


def operation_problems(operation: Item) -> tuple[Problem, ...]:
    """Why a push operation failed; at least one problem."""
    status = _status(operation.get("statusCode"))
    found = (
        _xeros_problems(_own(operation), status)
        or _xeros_problems(_texts(operation, "errorMessage"), status)
        or _found(operation, status)
    )
    if found:
        return _with_answer(found, operation)
    message, errors = _text(operation.get("errorMessage")), _validation_errors(operation)
    if operation.get("status") == "TimedOut":
        return _with_answer([_codats(TIMED_OUT, 408, _detail(message, errors))], operation)
    return _with_answer([_codats(INVALID if errors else REFUSED, status, _detail(message, errors))], operation)


def said_by_codat(problem: Problem) -> bool:
    """Whether Codat refuses without saying what of the caller, the connection or the account it refuses."""
    return problem.type in {ACCESS_REFUSED, NOT_FOUND, REFUSED}


def _codats(type: str, status: int, detail: str) -> Problem:
    title = _TITLES.get(type, "Codat refuses")
    return Problem(type=type, title=title[:TITLE_LENGTH_MAX], status=status, detail=detail[:DETAIL_LENGTH_MAX])


def _xeros_problems(sources: Iterable[Item | str], status: int) -> list[Problem]:
    """Xero's problems in objects and texts, each type once."""
    by_type: dict[str, Problem] = {}
    for source in sources:
        for problem in _problems_of(source, status):
            by_type.setdefault(problem.type, problem)
    return list(by_type.values())[:PROBLEMS_MAX]


def _found(answer: Item, status: int) -> list[Problem]:
    """Xero's problems that the validation passes on.

    A finding may quote a line, which has texts of whoever has paid. So none of them is believed to speak of the app, of
    our access, or of all lines together: that would let a stranger stop other feeds. But one that is nothing else than
    Xero's problem may say that Xero knows all lines: then the push is looked for, and at worst somebody is asked.
    """
    texts = [_text(error.get("message")) for error in _validation_errors(answer)]
    found = [problem for problem in _xeros_problems(texts, status) if problem.type in _FOUND_TYPES]
    whole = [value for value in map(json_object, texts) if value is not None]
    return found + [problem for problem in _xeros_problems(whole, status) if problem.type == DUPLICATE_STATEMENT]


def _problems_of(source: Item | str, status: int) -> tuple[Problem, ...]:
    if isinstance(source, dict):
        return tuple(problem for problem in stated_problems(source, status) if _is_xeros(problem))
    stated = [problem for value in _objects_in(source) for problem in _problems_of(value, status)]
    return tuple(stated) or tuple(_worded(source, status))


def _is_xeros(problem: Problem) -> bool:
    """Codat's envelope has no type. The gateway's problems have none either, and refuse the caller."""
    return problem.type != NO_TYPE or problem.status in {401, 403}


def _worded(text: str, status: int) -> Iterator[Problem]:
    """Problems that a text names by their types or in Xero's sentences."""
    folded = text.casefold()
    for problem in _WORDED:
        if problem.detail.casefold().rstrip(".") in folded:
            yield problem
            return
    types = dict.fromkeys(_TYPE_WORDS.findall(text))
    for type in types:
        canonical = next((problem for problem in _WORDED if problem.type == type), None)
        title = type.replace("-", " ").capitalize()
        yield canonical or Problem(type=type, title=title, status=status, detail=_reason(text)[:DETAIL_LENGTH_MAX])


def _objects_in(text: str) -> Iterator[Item]:
    """The JSON objects inside a text, also those whose quotation marks are escaped."""
    for form in (text, text.replace('\\"', '"')):
        found = list(_plain_objects_in(form))
        if found:
            yield from found
            return


def _plain_objects_in(text: str) -> Iterator[Item]:
    decoder, start = json.JSONDecoder(), text.find("{")
    for _ in range(_OBJECTS_PER_TEXT_MAX):
        if start < 0:
            return
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            if isinstance(value, dict):
                yield encodable_json(value)
        start = text.find("{", end)


def _own(item: Item) -> list[Item]:
    """The problem as Feedlane's API states it beside Codat's fields, if that is the Codat behind this address."""
    problem = item.get("problem")
    return [problem] if isinstance(problem, dict) else []


def _texts(item: Item, name: str) -> list[Item | str]:
    """The message of an answer, in which Codat may pass Xero's problem on."""
    message = item.get(name)
    if isinstance(message, dict):
        return [message]
    return [_text(message)] if message else []


def _validation_errors(item: Item) -> list[Item]:
    validation = item.get("validation")
    errors = validation.get("errors") if isinstance(validation, dict) else None
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []


def _detail(message: str, errors: list[Item]) -> str:
    """The reason in Codat's words, with the first findings of its validation."""
    findings = [
        f"{_text(error.get('itemId'))}: {_text(error.get('message'))}".removeprefix(": ")
        for error in errors[:PROBLEMS_MAX]
    ]
    return " ".join(part for part in (_reason(message), "; ".join(findings)) if part)


def _reason(message: str) -> str:
    """The last of the three parts of Codat's `errorMessage`: what is not its own frame."""
    found = _REASON.search(message)
    return message[found.end() :] if found else message


def _with_answer(problems: Iterable[Problem], answer: Item) -> tuple[Problem, ...]:
    """Codat's whole answer, with its correlation id, stays with each problem. The pushed data is left out of it."""
    kept = json.dumps({name: value for name, value in answer.items() if name != "data"}, ensure_ascii=False)
    return tuple(problem.but(answer=kept[:DETAIL_LENGTH_MAX]) for problem in problems)


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
    return text[:_TEXT_LENGTH_MAX]


def _status(value: Any) -> int:
    """`statusCode` is a number, or the same as a text."""
    text = str(value)
    return int(text) if re.fullmatch(r"[1-5][0-9]{2}", text) and int(text) >= 400 else 400
