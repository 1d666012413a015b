"""Time zones: where most of a country lives, and the names that Xero's accounting API has for them."""

from typing import Literal

UTC = "UTC"
COUNTRY_ZONES = {
    "GB": "Europe/London",
    "IE": "Europe/Dublin",
    "FR": "Europe/Paris",
    "DE": "Europe/Berlin",
    "NL": "Europe/Amsterdam",
    "ZA": "Africa/Johannesburg",
    "AE": "Asia/Dubai",
    "IN": "Asia/Kolkata",
    "SG": "Asia/Singapore",
    "MY": "Asia/Kuala_Lumpur",
    "HK": "Asia/Hong_Kong",
    "PH": "Asia/Manila",
    "AU": "Australia/Sydney",
    "NZ": "Pacific/Auckland",
    "FJ": "Pacific/Fiji",
    "US": "America/New_York",
    "CA": "America/Toronto",
}
# Windows' names, which Xero writes in capitals and without spaces (from CLDR).
WINDOWS_NAMES = {
    "UTC": "UTC",
    "Europe/London": "GMT Standard Time",
    "Europe/Dublin": "GMT Standard Time",
    "Europe/Paris": "Romance Standard Time",
    "Europe/Berlin": "W. Europe Standard Time",
    "Europe/Amsterdam": "W. Europe Standard Time",
    "Africa/Johannesburg": "South Africa Standard Time",
    "Asia/Dubai": "Arabian Standard Time",
    "Asia/Kolkata": "India Standard Time",
    "Asia/Singapore": "Singapore Standard Time",
    "Asia/Kuala_Lumpur": "Singapore Standard Time",
    "Asia/Hong_Kong": "China Standard Time",
    "Asia/Manila": "Singapore Standard Time",
    "Australia/Perth": "W. Australia Standard Time",
    "Australia/Adelaide": "Cen. Australia Standard Time",
    "Australia/Brisbane": "E. Australia Standard Time",
    "Australia/Sydney": "AUS Eastern Standard Time",
    "Pacific/Auckland": "New Zealand Standard Time",
    "Pacific/Fiji": "Fiji Standard Time",
    "America/New_York": "Eastern Standard Time",
    "America/Toronto": "Eastern Standard Time",
    "America/Chicago": "Central Standard Time",
    "America/Denver": "Mountain Standard Time",
    "America/Los_Angeles": "Pacific Standard Time",
    "Pacific/Honolulu": "Hawaiian Standard Time",
}

Spelling = Literal["windows", "spaced", "iana", "absent"]


def xero_name(zone: str, country: str, spelling: Spelling) -> str | None:
    """The name of an IANA zone at the Organisation endpoint; an unlisted zone has that of its country."""
    if spelling == "absent":
        return None
    if spelling == "iana":
        return zone
    name = WINDOWS_NAMES.get(zone) or WINDOWS_NAMES[COUNTRY_ZONES.get(country, UTC)]
    return name if spelling == "spaced" else "".join(letter for letter in name.upper() if letter.isalnum())
