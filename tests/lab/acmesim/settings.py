"""Every knob of the server, with its default; POST /set changes them while it runs."""

DEFAULTS = {
    # validation: "really" (ask the CA's resolver), "always", "never" (stays processing), or the type of a problem it ends in
    "validation": "really",
    "validation_detail": "the test wants it so",
    "validation_ms": 0,
    "resolver": "127.0.0.9",
    "challenges": ["dns-01"],
    "issuers": ["acme.lab.example"],  # of dns-persist-01
    "authz_reuse": False,
    # after finalize: how long an order is "processing" (-1: for ever), and the type of the problem it ends in
    "processing_ms": 0,
    "order_fails": "",
    "order_seconds": 604800,
    # sent with what is pending or processing; seconds, any text, or "@+3": a date in three seconds
    "retry_after": "",
    # certificates
    "profiles": {"classic": 7776000},  # name -> lifetime in seconds; {}: the CA has none
    "default_profile": "classic",
    "lifetime": 7776000,  # without profiles
    "backdate": 3600,
    "alternates": 1,
    # accounts
    "terms": True,
    "eab": {},  # kid -> base64url key
    "eab_required": False,
    # ARI; the window: [from, to] in seconds from now; []: at two thirds of the lifetime
    "ari": True,
    "ari_window": [],
    "ari_retry_after": "21600",
    "ari_explanation": "",
    # limits
    "max_names": 100,
    "blocked": [],
    # every so many-th nonce that is good is refused nevertheless; 0: none
    "refuse_nonce_every": 0,
    # transport
    "delay_ms": 0,
    "certificate": "",  # TLS: one of the listener's other certificates
}


class SettingError(ValueError):
    """A knob that does not exist or a value it cannot take."""


def check(name, value):
    if name not in DEFAULTS:
        raise SettingError(f'unknown setting "{name}"')
    kind = type(DEFAULTS[name])
    if kind is int and isinstance(value, float):
        value = int(value)
    if not isinstance(value, kind) or isinstance(value, bool) != (kind is bool):
        raise SettingError(f'setting "{name}" cannot be {value!r}')
    return value


class Settings:
    """Attribute access to the knobs."""

    def __init__(self, overrides):
        self.initial = dict(overrides)
        self.restore()

    def change(self, overrides):
        """All or nothing."""
        self.__dict__.update({name: check(name, value) for name, value in overrides.items()})

    def restore(self):
        self.__dict__.update(DEFAULTS)
        self.change(self.initial)

    def as_dict(self):
        return {name: getattr(self, name) for name in DEFAULTS}
