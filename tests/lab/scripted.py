"""The scripted ACME server beside the lab's own CAs: lab.acmesim() starts it.  tests/lab/acmesim says what it can be told."""

import json
import os


class Scripted:
    """One that runs.  `directory` is its URL, `ca_file` what its TLS certificate is trusted by."""

    def __init__(self, lab, port, control):
        self.lab, self.control = lab, control
        self.directory = f"https://localhost:{port}/directory"
        self.ca_file = lab.ca_file

    def ask(self, method, path, fields=None):
        answer = self.lab.http(method, f"http://127.0.0.1:{self.control}{path}", json.dumps(fields) if fields is not None else None)
        if answer["status"] != 200:
            raise RuntimeError(f"acmesim: {method} {path}: {answer['body']}")
        return json.loads(answer["body"])

    def set(self, **settings):
        return self.ask("POST", "/set", settings)

    def fault(self, endpoint, kind, **more):
        return self.ask("POST", "/fault", {"endpoint": endpoint, "kind": kind, **more})

    def clear_faults(self):
        self.ask("DELETE", "/fault")

    def change(self, what, **how):
        """All accounts, orders, authzs ...: set={member: value} or forget=True."""
        return self.ask("POST", "/change", {"what": what, **how})

    def state(self):
        return self.ask("GET", "/state")

    def requests(self, endpoint=None):
        """What it was asked, oldest first."""
        return [e for e in self.ask("GET", "/log") if endpoint in (None, e["endpoint"])]

    def reset(self, *only):
        """All it knows, or only "log", "faults", "settings", "model"."""
        self.ask("POST", "/reset", {"only": list(only)} if only else {})

    def root_file(self, n=0):
        path = os.path.join(self.lab.new_dir("root"), "root.pem")
        with open(path, "w", encoding="ascii") as f:
            f.write(self.state()["roots"][n])
        return path
