"""The test side: a plain HTTP port that speaks JSON.

GET  /state            zones with records, budget of each key, settings, name servers, faults, number of wipes
GET  /log[?since=N]    the requests so far, oldest first, from entry N on
GET  /feed             what each name server was told, and when
POST /set              any setting by name ("certificate" must be one of a listener's); "lag": seconds or {server: seconds}; "hold": [servers];
                       "release": [servers]; "hold_zones": [zones], whose changes are lost until "release": "all"
POST /fault            see the fault module; GET lists, DELETE clears
POST /record           {"zone": name or id, "records": [{name, type, value, ttl, source, sourceId}, ...]}
                       or one record's fields inline; {"zone": ..., "delete": [ids]} removes behind the
                       client's back
POST /zone             {"name": ..., "id", "account": key or number, "pendingActionId", "vanity": [...],
                       "delegateNameServers": [...]}: creates the zone or changes it (a new id, too);
                       {"name": ..., "remove": true}
POST /reset            {"only": ["log", "window", "faults", "records", "settings", "feed"]}; without it the
                       first four
Server names: the full name, its first label, its address, or "all".
"""

import json

from .auth import fingerprint
from .fault import FaultError
from .reply import ApiError, compact
from .settings import SettingError

RESETS = ("log", "window", "faults", "records", "settings", "feed")
USUAL_RESETS = RESETS[:4]


class ControlError(ValueError):
    """A request of the test that cannot be carried out."""


class Control:
    """Receives the control port's requests."""

    def __init__(self, app):
        self.app = app
        self.connections = set()
        self.routes = {
            ("GET", "/state"): self.state,
            ("GET", "/log"): self.log,
            ("GET", "/feed"): self.feed,
            ("POST", "/set"): self.set,
            ("GET", "/fault"): self.list_faults,
            ("POST", "/fault"): self.fault,
            ("DELETE", "/fault"): self.clear_faults,
            ("POST", "/record"): self.record,
            ("POST", "/zone"): self.zone,
            ("POST", "/reset"): self.reset,
        }

    def receive(self, connection, request):
        status, value = self.answer(request)
        body = compact(value).encode("utf-8")
        head = (
            f"HTTP/1.1 {status} {'OK' if status == 200 else 'Error'}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode("ascii")
        connection.send(head + body, request.wants_close())

    def answer(self, request):
        handler = self.routes.get((request.method, request.path.rstrip("/")))
        if not handler:
            return 404, {"error": f"no such control: {request.method} {request.path}"}
        try:
            fields = json.loads(request.body) if request.body else {}
            if not isinstance(fields, dict):
                raise ControlError("the body must be a JSON object")
            fields.update({f"?{name}": value for name, value in request.query})
            return 200, handler(fields)
        except (ControlError, SettingError, FaultError, ApiError) as error:
            return 400, {"error": str(error)}
        except (KeyError, TypeError, ValueError) as error:
            return 400, {"error": f"{type(error).__name__}: {error}"}

    # ---- looking

    def state(self, _fields):
        app = self.app
        app.store.settle()
        return {
            "zones": [
                {
                    "id": zone.id,
                    "name": zone.name,
                    "key": fingerprint(zone.account.key),
                    "pendingActionId": zone.pending,
                    "vanity": zone.vanity,
                    "records": [json.loads(record.text) for record in zone.records.values()],
                }
                for zone in app.store.zones.values()
            ],
            "accounts": [
                {
                    "key": fingerprint(account.key),
                    "sandbox": account.sandbox,
                    "remaining": app.windows.remaining(account.key),
                }
                for account in app.store.accounts.values()
            ],
            "settings": app.settings.as_dict(),
            "nameservers": [server.as_dict() for server in app.feed.servers],
            "faults": [fault.as_dict() for fault in app.faults.active],
            "requests": len(app.journal.entries),
            "wipes": app.journal.wipes,
        }

    def log(self, fields):
        return self.app.journal.entries[int(fields.get("?since", 0)) :]

    def feed(self, _fields):
        return {server.fqdn: list(server.history) for server in self.app.feed.servers}

    # ---- changing

    def set(self, fields):
        feed = self.app.feed
        if fields.get("certificate", "") not in self.app.certificates | {""}:
            raise ControlError(f'no certificate "{fields["certificate"]}"')
        lag = fields.pop("lag", fields.pop("lags", {}))
        lags = lag if isinstance(lag, dict) else {"all": lag}
        moves = (
            [(feed.pick(name), {"lag": seconds}) for name, seconds in lags.items()] if feed.servers else []
        )
        moves += [(feed.pick(fields.pop("hold")), {"held": True})] if "hold" in fields else []
        feed.held_zones |= set(fields.pop("hold_zones", []))
        if fields.get("release") == "all":
            feed.held_zones.clear()
        moves += [(feed.pick(fields.pop("release")), {"held": False})] if "release" in fields else []
        self.app.settings.change(fields)
        for servers, what in moves:
            for server in servers:
                server.set(**what)
        return self.app.settings.as_dict()

    def list_faults(self, _fields):
        return [fault.as_dict() for fault in self.app.faults.active]

    def fault(self, fields):
        return self.app.faults.add(fields).as_dict()

    def clear_faults(self, _fields):
        self.app.faults.clear()
        return {}

    def find_zone(self, wanted):
        store = self.app.store
        zone = store.zones.get(wanted) or store.find_zone_by_name(str(wanted))
        if not zone:
            raise ControlError(f'no zone "{wanted}"')
        return zone

    def record(self, fields):
        zone = self.find_zone(fields.pop("zone"))
        if "delete" in fields:
            self.app.store.remove(zone, [zone.records[record_id] for record_id in fields["delete"]])
            return {"deleted": fields["delete"]}
        items = fields.get("records", [fields])
        return {"ids": [self.app.store.insert(zone, item).id for item in items]}

    def zone(self, fields):
        store = self.app.store
        name = fields["name"]
        zone = store.find_zone_by_name(name)
        if fields.get("remove"):
            store.remove_zone(self.find_zone(name))
            return {"removed": name}
        if not zone:
            zone = store.add_zone(self.find_account(fields.get("account", 0)), name, fields.get("id"))
        store.change_zone(zone, fields)
        return json.loads(zone.full(store.servers))

    def find_account(self, wanted):
        accounts = list(self.app.store.accounts.values())
        if isinstance(wanted, int) and wanted < len(accounts):
            return accounts[wanted]
        if wanted in self.app.store.accounts:
            return self.app.store.accounts[wanted]
        raise ControlError("no such account")

    def reset(self, fields):
        app = self.app
        chosen = fields.get("only", USUAL_RESETS)
        unknown = set(chosen) - set(RESETS)
        if unknown:
            raise ControlError(f"cannot reset {', '.join(sorted(unknown))}")
        if "settings" in chosen:
            app.settings.restore()
        if "records" in chosen:
            app.resets += 1
            app.store.reset_records()
            for server in app.feed.servers:
                server.flush()
        if "feed" in chosen:
            for server in app.feed.servers:
                server.history.clear()
        if "faults" in chosen:
            app.faults.clear()
        if "window" in chosen:
            app.windows.clear()
        if "log" in chosen:
            app.journal.clear()
        return {"reset": list(chosen)}
