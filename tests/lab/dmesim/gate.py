"""What stands before the resources: budget, key, date, signature. See the package's text for what is known of
their order.
"""

import time

from .api import Call, route
from .auth import Credentials, fingerprint
from .reply import Reply, gateway_error

SANDBOX_HOST = "api.sandbox.dnsmadeeasy.com"


class Gate:
    """Turns a request into (reply, (limit, remaining)) and fills the log entry in."""

    def __init__(self, app):
        self.app = app

    def find_account(self, key, request):
        """Sandbox keys are unknown in production and the other way round."""
        account = self.app.store.accounts.get(key)
        host = request.headers.get("host", "").rsplit(":", 1)[0].lower()
        return account if account and account.sandbox == (host == SANDBOX_HOST) else None

    def bucket(self, credentials, request):
        """What the budget is counted by: the key, or the peer's address where there is none."""
        return credentials.key or f"peer {request.peer}"

    def refusal(self, credentials, account, bucket):
        """The first check that fails, as (name, reply); (None, None) if all pass."""
        settings = self.app.settings
        checks = {
            "rate": lambda: "Rate limit exceeded" if self.app.windows.is_full(bucket) else None,
            "missing": credentials.check_missing,
            "key": lambda: credentials.check_key(account),
            "date": lambda: credentials.check_date(time.time() + settings.skew, settings),
            "hmac": lambda: credentials.check_hmac(account),
        }
        for name in settings.check_order:
            text = checks[name]()
            if text:
                return name, gateway_error(settings, 400 if name == "rate" else 403, text)
        return None, None

    def pass_request(self, request, entry):
        settings, windows = self.app.settings, self.app.windows
        credentials = Credentials(request.headers)
        entry["key"] = fingerprint(credentials.key)
        bucket = self.bucket(credentials, request)
        if settings.no_auth_redirect and credentials.is_absent():
            return Reply(302, headers=[("Location", "/console")], content_type=None), self.limits(bucket)
        account = self.find_account(credentials.key, request)
        name, reply = self.refusal(credentials, account, bucket)
        if name is None or (settings.count_refused if name == "rate" else settings.count_forbidden):
            windows.count(bucket)
        if reply is None:
            self.app.store.settle()
            # check_order may leave the key check out in odd tests; without an account nothing can be served
            reply = (
                route(Call(self.app, request, account, entry))
                if account
                else gateway_error(settings, 403, "API key not found")
            )
        return reply, self.limits(bucket)

    def limits(self, bucket):
        return self.app.settings.limit, self.app.windows.remaining(bucket)

    def limits_of(self, request):
        return self.limits(self.bucket(Credentials(request.headers), request))
