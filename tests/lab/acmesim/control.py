"""The test side: a plain HTTP port that speaks JSON.

GET  /state            accounts, orders, authorizations, certificates, roots (PEM), settings, faults
GET  /log[?since=N]    the requests so far, oldest first
POST /set              any setting by name
POST /fault            see the fault module; DELETE clears
POST /change           {"what": "accounts", "orders", "authzs", "challenges" or "certificates", and "set": {member: value} or
                       "forget": true}: happens to all of them behind the client's back
POST /reset            {"only": ["log", "faults", "settings", "model"]}; without it all of them
"""

import json

from . import pki, resources
from .fault import FaultError
from .settings import SettingError

TABLES = ("accounts", "orders", "authzs", "challenges", "certificates")
RESETS = ("log", "faults", "settings", "model")


class Control:
    def __init__(self, app):
        self.app, self.connections = app, set()
        self.routes = {("GET", "/state"): self.state, ("GET", "/log"): self.log, ("POST", "/set"): self.set, ("POST", "/fault"): self.fault,
                       ("DELETE", "/fault"): self.clear_faults, ("POST", "/change"): self.change, ("POST", "/reset"): self.reset}

    def receive(self, connection, request):
        status, value = self.answer(request)
        body = json.dumps(value).encode("utf-8")
        head = f"HTTP/1.1 {status} {'OK' if status == 200 else 'Error'}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.send(head.encode("ascii") + body, request.wants_close())

    def answer(self, request):
        handler = self.routes.get((request.method, request.path.rstrip("/")))
        if not handler:
            return 404, {"error": f"no such control: {request.method} {request.path}"}
        try:
            fields = json.loads(request.body) if request.body else {}
            fields.update({f"?{name}": value for name, value in request.query})
            return 200, handler(fields)
        except (SettingError, FaultError, KeyError, TypeError, ValueError) as error:
            return 400, {"error": f"{type(error).__name__}: {error}"}

    def state(self, _fields):
        app = self.app
        made = app.resources.pki
        return {**resources.describe(app.resources, app.base), "roots": [pki.pem(made.root_cert).decode(), pki.pem(made.old_root_cert).decode()],
                "settings": app.settings.as_dict(), "faults": [fault.as_dict() for fault in app.faults.active]}

    def log(self, fields):
        return self.app.journal.entries[int(fields.get("?since", 0)):]

    def set(self, fields):
        self.app.settings.change(fields)
        return self.app.settings.as_dict()

    def fault(self, fields):
        return self.app.faults.add(fields).as_dict()

    def clear_faults(self, _fields):
        self.app.faults.clear()
        return {}

    def change(self, fields):
        what = fields["what"]
        if what not in TABLES:
            raise KeyError(f"no {what} here")
        table = getattr(self.app.resources.model, what)
        for item in table.values():
            for member, value in fields.get("set", {}).items():
                if not hasattr(item, member):
                    raise KeyError(f"{what} have no {member}")
                setattr(item, member, value)
        changed = len(table)
        if fields.get("forget"):
            table.clear()
        return {"changed": changed}

    def reset(self, fields):
        chosen = fields.get("only", RESETS)
        if set(chosen) - set(RESETS):
            raise KeyError(f"cannot reset {sorted(set(chosen) - set(RESETS))}")
        app = self.app
        if "settings" in chosen:
            app.settings.restore()
        if "faults" in chosen:
            app.faults.clear()
        if "model" in chosen:
            app.resources.model.__init__()
            app.nonces.clear()
        if "log" in chosen:
            app.journal.clear()
        return {"reset": list(chosen)}
