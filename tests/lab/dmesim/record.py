"""One DNS record: what the API accepts, stores and returns.

The order of the returned fields is part of the interface: acme.sh finds a record's id with a regular
expression that needs "id" directly behind "value". TXT values are stored inside double quotes, 255 bytes
each, with nothing between the pieces.
"""

import re

from .reply import ApiError, compact

TYPES = ("A", "AAAA", "ANAME", "CAA", "CNAME", "HTTPRED", "MX", "NS", "PTR", "SPF", "SRV", "TXT")
LOCATIONS = ("DEFAULT", "US_EAST", "US_WEST", "EUROPE", "ASIA_PAC", "OCREANIA", "SOUTH_AMERICA")
HOST_TYPES = ("ANAME", "CNAME", "MX", "NS", "PTR", "SRV")
EXTRA = {
    "MX": ("mxLevel",),
    "SRV": ("weight", "priority", "port"),
    "CAA": ("caaType", "issuerCritical"),
    "HTTPRED": ("redirectType", "title", "keywords", "description", "hardLink"),
    "A": ("password",),
}
NUMBERS = ("mxLevel", "weight", "priority", "port", "issuerCritical")
LABEL_RE = re.compile(r"[A-Za-z0-9_*@/-]([A-Za-z0-9_/-]{0,61}[A-Za-z0-9_/-])?")
PIECES_RE = re.compile(r'"([^"]*)"\s*')


def integer(field, value):
    """Numbers may be sent as strings."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ApiError(f"Invalid value for field {field}.")
    try:
        return int(value)
    except ValueError:
        raise ApiError(f"Invalid value for field {field}.") from None


def txt_pieces(value):
    """The bytes strings a stored TXT value stands for."""
    return [piece.encode("utf-8") for piece in PIECES_RE.findall(value)]


def quote_txt(value):
    """The stored form: quoted or not on input makes no difference."""
    if len(value) >= 2 and value[0] == value[-1] == '"' and re.fullmatch(f"(?:{PIECES_RE.pattern})+", value):
        content = "".join(PIECES_RE.findall(value))
    else:
        content = value
    if '"' in content:
        raise ApiError("Record value may not contain double quotes.")
    if not content:
        raise ApiError("Record value may not be blank.")
    raw = content.encode("utf-8")
    pieces = (raw[start : start + 255] for start in range(0, len(raw), 255))
    return "".join(f'"{piece.decode("utf-8", "replace")}"' for piece in pieces)


def check_name(name, zone_name):
    if name == "":
        return name
    if name.endswith("."):
        raise ApiError("Record name may not end with a dot.")
    if len(name) + 1 + len(zone_name) > 253 or not all(
        LABEL_RE.fullmatch(label) for label in name.split(".")
    ):
        raise ApiError(f"Invalid record name ({name}).")
    return name


class Record:
    """Built from the fields of a request; `text` is its JSON, cached because listings of big zones are
    frequent.
    """

    __slots__ = ("id", "type", "name", "value", "ttl", "location", "source", "source_id", "extra", "_text")

    def __init__(self, record_id, source, source_id):
        self.id = record_id
        self.source = source
        self.source_id = source_id
        self.type = self.name = self.value = None
        self.ttl = None
        self.location = "DEFAULT"
        self.extra = {}
        self._text = None

    def update(self, fields, zone_name, min_ttl):
        """Take what a POST or PUT body says; ids and unknown fields in it are ignored."""
        if not isinstance(fields, dict):
            raise ApiError("Invalid record.")
        self._text = None
        self.type = self._want_type(fields)
        name = fields.get("name", self.name)
        self.name = check_name("" if name is None else str(name), zone_name)
        self.ttl = self._want_ttl(fields, min_ttl)
        location = fields.get("gtdLocation", self.location)
        self.location = "DEFAULT" if location is None else location
        if self.location not in LOCATIONS:
            raise ApiError("Invalid gtdLocation.")
        self.value = self._want_value(fields)
        for field in EXTRA.get(self.type, ()):
            if fields.get(field) is not None:
                self.extra[field] = integer(field, fields[field]) if field in NUMBERS else fields[field]

    def _want_type(self, fields):
        kind = fields.get("type", self.type)
        if kind not in TYPES:
            raise ApiError("Invalid record type.")
        if self.type not in (None, kind):
            raise ApiError("Record type may not be changed.")
        return kind

    def _want_ttl(self, fields, min_ttl):
        ttl = integer("ttl", self.ttl if fields.get("ttl") is None else fields["ttl"])
        if not min_ttl <= ttl <= 2147483647:
            raise ApiError(f"Record TTL must be at least {min_ttl}.")
        return ttl

    def _want_value(self, fields):
        value = fields.get("value", self.value)
        if value is None:
            value = ""
        if not isinstance(value, str) or any(ord(char) < 32 or ord(char) == 127 for char in value):
            raise ApiError("Invalid record value.")
        if self.type in ("TXT", "SPF"):
            return quote_txt(value)
        if value == "." and self.type in HOST_TYPES:
            raise ApiError("Record value may not be a standalone dot.")
        return value

    def identity(self):
        return (self.type, self.name.lower(), self.value, self.location)

    @property
    def text(self):
        if self._text is None:
            fields = {
                "failover": False,
                "monitor": False,
                "sourceId": self.source_id,
                "dynamicDns": False,
                "failed": False,
                "gtdLocation": self.location,
                "hardLink": False,
                "ttl": self.ttl,
                "source": self.source,
            }
            fields.update(self.extra)
            fields.update({"name": self.name, "value": self.value, "id": self.id, "type": self.type})
            self._text = compact(fields)
        return self._text
