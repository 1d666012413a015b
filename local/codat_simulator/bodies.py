"""Reading a request's body: field by field, with every finding in the error's `validation`."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from local.codat_simulator.behaviour import Behaviour
from local.codat_simulator.errors import CodatError, Finding
from local.simulator import exact_json
from local.simulator.api_call import ApiCall

Json = dict[str, Any]


def read_json(call: ApiCall) -> Any:
    """Raises a 400 for anything but JSON."""
    media_type = call.headers.get("content-type", "").partition(";")[0].strip()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise CodatError(400, "The Content-Type must be application/json.")
    try:
        return exact_json.read(call.body)
    except ValueError:
        raise CodatError(400, "The request body is not valid JSON.") from None


class Body:
    """A JSON object; a null equals an absent field. `done` raises what the reading has found."""

    def __init__(self, value: Any, validator: str, prefix: str = "") -> None:
        self.findings: list[Finding] = []
        self._validator, self._prefix = validator, prefix
        if not isinstance(value, dict):
            raise CodatError(400, "The request body must be a JSON object.")
        self.fields: Json = {name: field for name, field in value.items() if field is not None}

    def find(self, name: str, message: str) -> None:
        self.findings.append(Finding(f"{self._prefix}{name}", message, self._validator))

    def text(self, name: str, *, required: bool = False, longest: int | None = None) -> str | None:
        value = self.fields.get(name)
        if value is None or value == "":
            if required:
                self.find(name, "Required")
            return None
        if not isinstance(value, str):
            self.find(name, "must be a string")
            return None
        if longest is not None and len(value) > longest:
            self.find(name, f"must have at most {longest} characters")
        return value

    def number(self, name: str, *, required: bool = False) -> Decimal | None:
        value = self.fields.get(name)
        if value is None:
            if required:
                self.find(name, "Required")
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            self.find(name, "must be a number")
            return None
        return Decimal(value)

    def flag(self, name: str, default: bool) -> bool:
        value = self.fields.get(name, default)
        if not isinstance(value, bool):
            self.find(name, "must be true or false")
            return default
        return value

    def one_of(self, name: str, choices: Iterable[str], *, required: bool = False) -> str | None:
        value = self.text(name, required=required)
        if value is not None and value not in set(choices):
            self.find(name, f"must be one of {', '.join(choices)}")
        return value

    def texts(self, name: str, most: int | None = None) -> list[str]:
        value = self.fields.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            self.find(name, "must be a list of strings")
            return []
        if most is not None and len(value) > most:
            self.find(name, f"must have at most {most} items")
        return value

    def known(self, names: Iterable[str], behaviour: Behaviour) -> None:
        """Refuses other fields, if the switch says so."""
        if behaviour.unknown_fields == "refused":
            for name in sorted(set(self.fields) - set(names)):
                self.find(name, "unknown field")

    def done(self) -> None:
        if self.findings:
            raise CodatError(400, "Validation failed, see validation for details.", self.findings)
