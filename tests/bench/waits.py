"""What a run waits for, whoever makes it: the name servers' lag, the CA, the API.

The lag is read off the simulator's feed, the rest off the debug log of ours (JSON): times when a request is under way, and those that a
Retry-After asks for.  Times are lists of (begin, end) by the wall clock.
"""

import collections
import datetime
import email.utils
import json
import re

#: Parts of the time of a run; what belongs to two is the former's.
Shares = collections.namedtuple("Shares", "lag ca api rest")

LOG = ["--log-format", "json", "--log-level", "debug", "--log-file"]


# -- times -----------------------------------------------------------------------------------------------------------------------


def merged(times):
    """In order, without overlaps."""
    made = []
    for begin, end in sorted(times):
        if made and begin <= made[-1][1]:
            made[-1][1] = max(made[-1][1], end)
        else:
            made.append([begin, end])
    return made


def length(times):
    return sum(end - begin for begin, end in merged(times))


def within(times, begin, end):
    return [(max(a, begin), min(b, end)) for a, b in times if b > begin and a < end]


# -- the name servers ------------------------------------------------------------------------------------------------------------


def shown(lab):
    """When each record was made, and when a name server had it: once for each of them."""
    return [(entry["made"], entry["t"]) for told in lab.sim("GET", "/feed").values() for entry in told if entry["values"]]


def true_lag(times):
    """Of the slowest name server, in its worst case."""
    return max((end - begin for begin, end in times), default=0)


# -- the log of ours -------------------------------------------------------------------------------------------------------------


def moment(entry):
    return datetime.datetime.fromisoformat(entry["time"].replace("Z", "+00:00")).timestamp()


def asked_to_wait(message):
    """Seconds of the Retry-After that a traced answer shows."""
    found = re.search(r"; Retry-After: ([^;]+)", message)
    if not found:
        return 0.0
    if found[1].isdigit():
        return float(found[1])
    until, now = (email.utils.parsedate_to_datetime(text) for text in (found[1], re.search(r"; Date: ([^;]+)", message)[1]))
    return max(0.0, (until - now).total_seconds())


class Traced:
    """What was asked of one server."""

    def __init__(self):
        self.open = collections.defaultdict(list)
        self.times = []
        self.pause = None

    def take(self, entry):
        key, now = (entry["method"], entry["url"]), moment(entry)
        if entry["message"].startswith("> "):
            self.end_pause(now)
            self.open[key].append(now)
        elif self.open[key]:
            self.times.append((self.open[key].pop(0), now))
            wait = asked_to_wait(entry["message"])
            if wait:
                self.pause = (now, now + wait)

    def end_pause(self, now):
        """Nobody waits longer than until he asks again."""
        if self.pause:
            self.times.append((self.pause[0], min(self.pause[1], now)))
            self.pause = None


def traced(path, ca):
    """(times of the CA whose URLs begin with CA, times of all others) of the log file PATH."""
    servers = (Traced(), Traced())
    with open(path, encoding="utf-8") as f:
        for line in f:
            entry = json.loads(line)
            if "url" in entry and entry["message"][:2] in ("> ", "< "):
                servers[not entry["url"].startswith(ca)].take(entry)
    return servers[0].times, servers[1].times


def shares(begin, end, lag, ca, api):
    """Of the time from BEGIN to END."""
    parts, so_far = [], []
    for times in (lag, ca, api):
        before = length(so_far)
        so_far = so_far + within(times, begin, end)
        parts.append((length(so_far) - before) / (end - begin))
    return Shares(*parts, 1 - sum(parts))


# -- the limit -------------------------------------------------------------------------------------------------------------------


def is_refused(request):
    return "Rate limit" in json.dumps(request.get("error"))


def refused_in_a_window(requests, window):
    """How often the same request was refused within WINDOW seconds, at worst."""
    by_request = collections.defaultdict(list)
    for request in filter(is_refused, requests):
        by_request[request["method"], request["path"], request["query"]].append(request["t"])
    return max((sum(begin <= t < begin + window for t in times) for times in by_request.values() for begin in times), default=0)


def waves(requests):
    """How often records were made in one zone, at most: a run that takes all of them together has one wave."""
    made = collections.Counter(r["path"].rpartition("/records")[0] for r in requests if r["method"] == "POST" and r["status"] == 201)
    return max(made.values(), default=0)
