"""Accounts, zones and records, and the news about changed record sets for the DNS feed."""

import copy
import time

from .record import Record
from .reply import ApiError, compact

SYSTEM_SERVERS = [
    (f"ns{10 + n}.dnsmadeeasy.com", ipv4, f"2600:1800:{10 + n}::1")
    for n, ipv4 in enumerate(
        ("208.94.148.4", "208.80.124.4", "208.80.126.4", "208.80.125.4", "208.80.127.4", "208.94.149.4")
    )
]


class Account:
    __slots__ = ("key", "secret", "sandbox", "zones")

    def __init__(self, key, secret, sandbox):
        self.key = key
        self.secret = secret
        self.sandbox = sandbox
        self.zones = {}  # id -> Zone


class Zone:
    """A zone and its records, indexed by id and by name."""

    def __init__(self, zone_id, name, account):
        self.id = zone_id
        self.name = name
        self.account = account
        self.created = self.updated = round(time.time() * 1000)
        self.pending = 0
        self.pending_until = None
        self.vanity = []
        self.vanity_id = None
        self.delegation = None
        self.gtd = False
        self.folder = 2052
        self.records = {}
        self.by_name = {}

    def brief(self):
        """The object in listings: no name servers."""
        return compact(
            {
                "created": self.created,
                "folderId": self.folder,
                "gtdEnabled": self.gtd,
                "pendingActionId": self.pending,
                "updated": self.updated,
                "processMulti": False,
                "activeThirdParties": [],
                "name": self.name,
                "id": self.id,
            }
        )

    def full(self, servers):
        """The object by itself. "name" and "id" come last and nothing nested follows: acme.sh cuts the text
        there.
        """
        delegation = self.delegation or [
            f"{fqdn}." for fqdn in (self.vanity or [fqdn for fqdn, _, _ in servers])
        ]
        fields = {
            "created": self.created,
            "delegateNameServers": delegation,
            "folderId": self.folder,
            "gtdEnabled": self.gtd,
            "nameServers": [
                {"ipv6": ipv6, "fqdn": fqdn, "groupId": 1, "ipv4": ipv4, "id": n + 1}
                for n, (fqdn, ipv4, ipv6) in enumerate(servers)
            ],
            "pendingActionId": self.pending,
            "updated": self.updated,
        }
        if self.vanity_id is not None:
            fields["vanityId"] = self.vanity_id
        fields.update({"processMulti": False, "activeThirdParties": [], "name": self.name, "id": self.id})
        return compact(fields)

    def add(self, record):
        self.records[record.id] = record
        self.by_name.setdefault(record.name.lower(), {})[record.id] = record

    def drop(self, record):
        del self.records[record.id]
        same = self.by_name[record.name.lower()]
        del same[record.id]
        if not same:
            del self.by_name[record.name.lower()]

    def same_name(self, name):
        return self.by_name.get(name.lower(), {}).values()

    def twin(self, record):
        """Another record with the same type, name, value and location, or None."""
        identity = record.identity()
        return next(
            (
                other
                for other in self.same_name(record.name)
                if other.id != record.id and other.identity() == identity
            ),
            None,
        )

    def check_cname(self, record):
        for other in self.same_name(record.name):
            if other.id != record.id and "CNAME" in (other.type, record.type):
                raise ApiError(f"A CNAME record may not share its name ({record.name}) with another record.")

    def select(self, name, kind, settings):
        """Records by filter (None: no filter), sorted by name, then id, as the service lists them."""
        if name == "" and settings.empty_record_name == "all":
            name = None
        if name is None:
            found = self.records.values()
        elif settings.record_name_match == "exact":
            found = self.same_name(name)
        else:
            at_start = settings.record_name_match == "prefix"
            wanted = name.lower()
            found = [
                record
                for record in self.records.values()
                if (record.name.lower().startswith(wanted) if at_start else wanted in record.name.lower())
            ]
        if kind:
            found = [record for record in found if record.type == kind]
        return sorted(found, key=lambda record: (record.name, record.id))


class Store:
    """Everything the accounts own. `on_change(zone, name, type, records)` is told the new state of each
    record set.
    """

    def __init__(self, settings, servers, on_change):
        self.settings = settings
        self.servers = servers or SYSTEM_SERVERS
        self.on_change = on_change
        self.accounts = {}
        self.zones = {}
        self.initial = []

    # ---- set-up

    def load(self, accounts):
        """Take the configuration's accounts; `reset_records` comes back to it."""
        for entry in accounts:
            account = Account(entry["key"], entry["secret"], bool(entry.get("sandbox", False)))
            self.accounts[account.key] = account
            for zone_entry in entry.get("zones", ()):
                if isinstance(zone_entry, str):
                    zone_entry = {"name": zone_entry}
                zone = self.add_zone(account, zone_entry["name"], zone_entry.get("id"))
                self.change_zone(zone, zone_entry)
                self.initial.append((zone.name, copy.deepcopy(zone_entry.get("records", []))))
        self._load_records()

    def _load_records(self):
        for zone_name, records in self.initial:
            zone = self.find_zone_by_name(zone_name)
            for fields in records if zone else ():
                self.insert(zone, fields)

    def reset_records(self):
        for zone in self.zones.values():
            self.remove(zone, list(zone.records.values()))
        self._load_records()

    # ---- zones

    def add_zone(self, account, name, zone_id=None):
        zone = Zone(zone_id or self._next_id("next_zone_id"), name.lower().rstrip("."), account)
        self.zones[zone.id] = zone
        account.zones[zone.id] = zone
        return zone

    def change_zone(self, zone, fields):
        """Test-side changes: id, pendingActionId, vanity, delegateNameServers."""
        if "id" in fields and fields["id"] and fields["id"] != zone.id:
            self.remove_zone(zone)
            zone.id = fields["id"]
            self.zones[zone.id] = zone
            zone.account.zones[zone.id] = zone
            for record in zone.records.values():
                if record.source == 1:
                    record.source_id = zone.id
                    record._text = None
        zone.pending = fields.get("pendingActionId", zone.pending)
        if "pendingActionId" in fields:
            zone.pending_until = None
        if "vanity" in fields:
            zone.vanity = [name.rstrip(".") for name in fields["vanity"] or []]
            zone.vanity_id = fields.get("vanityId", 4711) if zone.vanity else None
        if "delegateNameServers" in fields:
            zone.delegation = fields["delegateNameServers"]

    def remove_zone(self, zone):
        del self.zones[zone.id]
        del zone.account.zones[zone.id]

    def find_zone_by_name(self, name, account=None):
        zones = account.zones if account else self.zones
        wanted = name.lower()
        return next((zone for zone in zones.values() if zone.name == wanted), None)

    def start_pending(self, zone, action):
        zone.pending = action
        zone.pending_until = time.monotonic() + self.settings.pending_seconds
        self.settle()

    def settle(self):
        """Finish the pending actions whose time has come."""
        now = time.monotonic()
        for zone in [
            zone
            for zone in self.zones.values()
            if zone.pending_until is not None and zone.pending_until <= now
        ]:
            if zone.pending == 3:
                self.remove_zone(zone)
            zone.pending, zone.pending_until = 0, None

    # ---- records

    def _next_id(self, counter):
        number = getattr(self.settings, counter)
        setattr(self.settings, counter, number + 1)
        return number

    def build(self, zone, fields, source=1, source_id=None):
        """A checked record that is not in the zone yet."""
        record = Record(0, source, zone.id if source_id is None else source_id)
        record.update(fields, zone.name, self.settings.min_ttl)
        zone.check_cname(record)
        return record

    def commit(self, zone, records):
        for record in records:
            record.id = self._next_id("next_record_id")
            zone.add(record)
        self.touched(zone, records)

    def insert(self, zone, fields):
        """Test-side insertion: foreign, initial or template records; duplicates are allowed to slip in."""
        source = fields.get("source", 1)
        record = self.build(
            zone, {"ttl": 3600, **fields}, source, fields.get("sourceId", None if source == 1 else 5151)
        )
        self.commit(zone, [record])
        return record

    def replace(self, zone, record, fields):
        """PUT: the change happens completely or not at all."""
        changed = copy.copy(record)
        changed.extra = dict(record.extra)
        changed.update(fields, zone.name, self.settings.min_ttl)
        twin = zone.twin(changed)
        if twin:
            raise ApiError(duplicate_text(changed))
        zone.check_cname(changed)
        zone.drop(record)
        zone.add(changed)
        self.touched(zone, [record, changed])

    def remove(self, zone, records):
        for record in records:
            zone.drop(record)
        self.touched(zone, records)

    def touched(self, zone, records):
        zone.updated = round(time.time() * 1000)
        for name, kind in {(record.name.lower(), record.type) for record in records}:
            self.on_change(zone, name, kind, [other for other in zone.same_name(name) if other.type == kind])


def duplicate_text(record):
    which = f"type ({record.type}), name ({record.name}), and value ({record.value})"
    return f"Record with this {which} already exists."
