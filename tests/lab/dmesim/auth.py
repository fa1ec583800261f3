"""The request signature: x-dnsme-apiKey, x-dnsme-requestDate, x-dnsme-hmac.

The HMAC-SHA1 covers nothing but the date header's raw bytes, under the secret's ASCII text. Production
accepts several spellings of the date (GMT, UTC, numeric zones, one-digit days) because it parses them;
English names are required.
"""

import calendar
import hashlib
import hmac
import re

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ZONES = {
    "gmt": 0,
    "utc": 0,
    "ut": 0,
    "z": 0,
    "est": -300,
    "edt": -240,
    "cst": -360,
    "cdt": -300,
    "mst": -420,
    "mdt": -360,
    "pst": -480,
    "pdt": -420,
}

DATE_RE = re.compile(
    r"\s*([A-Za-z]{3}),\s+(\d{1,2})\s+([A-Za-z]{3})\s+(\d{4})\s+(\d{1,2}):(\d{2}):(\d{2})\s+"
    r"(?:([A-Za-z]{1,3})|(?:GMT)?([+-])(\d{2}):?(\d{2}))\s*"
)


def sign(secret, date):
    """Lower-case hexadecimal HMAC-SHA1 of the date text."""
    return hmac.new(secret.encode("ascii"), date.encode("latin-1"), hashlib.sha1).hexdigest()


def parse_date(text):
    """Seconds since the epoch, or None."""
    match = DATE_RE.fullmatch(text)
    if not match:
        return None
    day_name, day, month, year, hour, minute, second, zone, sign_, off_h, off_m = match.groups()
    if day_name.lower() not in DAYS or month.lower() not in MONTHS:
        return None
    if zone is not None:
        if zone.lower() not in ZONES:
            return None
        offset_min = ZONES[zone.lower()]
    else:
        offset_min = (int(off_h) * 60 + int(off_m)) * (1 if sign_ == "+" else -1)
    moment = (int(year), MONTHS.index(month.lower()) + 1, int(day), int(hour), int(minute), int(second))
    return calendar.timegm(moment + (0, 0, 0)) - offset_min * 60


def fingerprint(key):
    """What may be logged of a key."""
    return hashlib.sha256(key.encode("latin-1")).hexdigest()[:12] if key else ""


class Credentials:
    """The three headers of one request, and the checks that read them. Each check returns an error text or
    None.
    """

    def __init__(self, headers):
        self.key = headers.get("x-dnsme-apikey", "").strip()
        self.date = headers.get("x-dnsme-requestdate", "").strip()
        self.hmac = headers.get("x-dnsme-hmac", "").strip()

    def is_absent(self):
        return not (self.key or self.date or self.hmac)

    def check_missing(self):
        return None if self.key and self.hmac else "Missing API key or HMAC"

    @staticmethod
    def check_key(account):
        return None if account else "API key not found"

    def check_date(self, now, settings):
        stamp = parse_date(self.date)
        if stamp is None:
            return f"Invalid request date header: {self.date}"
        difference_ms = round((stamp - now) * 1000)
        if abs(difference_ms) < settings.max_skew_ms:
            return None
        return (
            "Request sent with date header too far out of sync.  "
            f"Difference in times is {difference_ms * settings.skew_sign}, header value is {stamp * 1000}"
        )

    def check_hmac(self, account):
        right = account and hmac.compare_digest(
            sign(account.secret, self.date), self.hmac.encode("ascii", "replace").decode()
        )
        return None if right else "Unable to verify HMAC"
