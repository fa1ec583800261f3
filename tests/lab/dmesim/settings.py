"""Every knob of the simulator, with its default; POST /set changes them while it runs."""

CHECKS = ("rate", "missing", "key", "date", "hmac")

DEFAULTS = {
    # request budget
    "limit": 150,
    "window": 300.0,
    "count_refused": False,
    "count_forbidden": True,
    # clock and authentication
    "skew": 0.0,
    "skew_sign": 1,
    "max_skew_ms": 30000,
    "check_order": list(CHECKS),
    "no_auth_redirect": False,
    # time
    "delay_ms": 100.0,
    "pending_seconds": 60.0,
    # TLS: the name of one of the listener's other certificates; "" is its own
    "certificate": "",
    # looks of the answers
    "html404": "tomcat",
    "legacy_error_style": False,
    "empty_account_object": False,
    "empty_body": False,
    "chunked": True,
    # paging and filters
    "page_size": 0,
    "page_base": 0,
    "record_name_match": "exact",
    "empty_record_name": "apex",
    "single_record_get": False,
    # limits of the data
    "min_ttl": 1,
    "max_batch": 200,
    "next_record_id": 131517074,
    "next_zone_id": 6871000,
}

CHOICES = {
    "html404": ("tomcat", "console", "empty", "json"),
    "record_name_match": ("exact", "prefix", "substring"),
    "empty_record_name": ("apex", "all"),
    "skew_sign": (1, -1),
    "page_base": (0, 1),
}


class SettingError(ValueError):
    """A knob that does not exist or a value it cannot take."""


def coerce(name, value):
    """The value in the type of its default, or SettingError."""
    if name not in DEFAULTS:
        raise SettingError(f'unknown setting "{name}"')
    default = DEFAULTS[name]
    if name == "html404" and isinstance(value, bool):
        value = "tomcat" if value else "json"
    if isinstance(default, bool):
        valid = isinstance(value, bool)
    elif isinstance(default, (int, float)):
        valid = isinstance(value, (int, float)) and not isinstance(value, bool)
        value = type(default)(value) if valid else value
    elif isinstance(default, list):
        valid = isinstance(value, list) and set(value) <= set(CHECKS)
    else:
        valid = isinstance(value, str)
    if not valid or value not in CHOICES.get(name, (value,)):
        raise SettingError(f'setting "{name}" cannot be {value!r}')
    return value


class Settings:
    """Attribute access to the knobs."""

    def __init__(self, overrides):
        self.__dict__.update(DEFAULTS)
        self.initial = dict(overrides)
        self.change(overrides)

    def change(self, overrides):
        """All or nothing."""
        self.__dict__.update({name: coerce(name, value) for name, value in overrides.items()})

    def restore(self):
        self.__dict__.update(DEFAULTS)
        self.change(self.initial)

    def as_dict(self):
        return {name: getattr(self, name) for name in DEFAULTS}
