"""Many names, many certificates: what ours promises of requests and time, work by work.

A work is measured in a lab as new, with the API's real limit and once more with a small one; each prints whether its promises were kept and
leaves a row for the table.
"""

import collections
import dataclasses
import os
import shlex
import time

from lab import Lab, binaries, many

import hook as hooks
import issuance
import peers
import waits

# What there is of everything; timed: whether times and memory are promised, too.
Sizes = collections.namedtuple("Sizes", "names zones certificates idle lag timed")
FULL = Sizes(100, 10, 1000, 10000, issuance.LAG, True)
SMOKE = Sizes(20, 8, 40, 300, issuance.SMOKE_LAG, False)
CERTIFICATE_ZONES = 20
# The API's limit: requests in so many seconds, and what ours has to be told of it.
Budget = collections.namedtuple("Budget", "label limit window told")
REAL = Budget("150 in 300 s", 150, 300, "")
SMALL = Budget("20 in 60 s", 20, 60, "dnsmadeeasy: {request_window: 60s}\n")
SMOKE_SMALL = Budget("20 in 10 s", 20, 10, "dnsmadeeasy: {request_window: 10s}\n")

HOOK_OVER_LAG_S, SINGLE_OVER_LAG_S, MORE_ZONES_S = 5, 4, 2
A_ZONE = 3  # requests: look it up, create all, delete all
RENEW_S, RENEW_MB = 90, 64
IDLE_S, IDLE_MB = 1, 48
NOBODYS = "foreign.org"  # a zone that is in no account
NOBODYS_REQUESTS = 3  # to learn that: one for each part of it that may be a zone

WRAPPER = """#!/bin/bash
begin=$EPOCHREALTIME
{program} "$@"
status=$?
echo "$begin $EPOCHREALTIME" >>{times}
exit $status
"""


@dataclasses.dataclass
class Row:
    """Of the table.  lag: the slowest server's; hook: seconds in all hook processes; result: what is said of it, if not only whether the
    run succeeded.  None: there is no such figure."""
    work: str
    budget: str
    run: issuance.Run
    lag: float = None
    hook: float = None
    shares: waits.Shares = None
    result: str = None


class Works:
    """All that is measured under one BUDGET."""

    def __init__(self, report, program, sizes, budget):
        self.report, self.program, self.sizes, self.budget = report, program, sizes, budget
        self.zones = max(sizes.zones, min(CERTIFICATE_ZONES, sizes.certificates // 5))
        self.lab = Lab(zones=self.zones, lag=sizes.lag, pebble=issuance.PEBBLE,
                       sim={"delay_ms": issuance.SIM["delay_ms"], "limit": budget.limit, "window": budget.window})
        self.rows = []
        self.over_lag = {}

    # -- helpers ---------------------------------------------------------------------------------------------------------------

    def spread(self, count, zones):
        """Host names, one after the other in each of the first ZONES of the lab."""
        return [f"h{i + 1}.{self.lab.zones[i % zones]}" for i in range(count)]

    def measure(self, work, make, names):
        """The Row of what MAKE(names) makes."""
        run = issuance.measure(self.lab, lambda _lab, wanted: make(wanted), names)
        self.rows.append(Row(work, self.budget.label, run, waits.true_lag(waits.shown(self.lab))))
        return self.rows[-1]

    def succeeded(self, row, expected):
        """Whether so many certificates were issued and nothing is left; else that counts as a failure."""
        run = row.run
        good = not run.why and run.issued == expected and not run.left
        if not good:
            self.report.fail(f"{self.title(row.work)}: {run.why or f'{run.issued} certificates'}, {run.left} TXT left, {run.api} API requests "
                             f"({run.refused} refused), {run.wall:.1f} s")
        return good

    def title(self, work):
        return f"{work}, limit {self.budget.label}"

    def limit(self, row, what, value, most, unit=""):
        self.report.limit(f"{self.title(row.work)}: {what}", value, most, unit)

    def is_timed(self):
        return self.sizes.timed and self.budget is REAL

    def limit_refusals(self, row):
        if self.budget is REAL:
            self.limit(row, "refused requests", row.run.refused, 0)
        else:
            self.limit(row, "refusals of one request in a window", waits.refused_in_a_window(self.lab.requests(), self.budget.window), 1)

    def limit_over_lag(self, key, row, seconds, most):
        """SECONDS of the work, at most MOST of them over the lag."""
        self.over_lag[key] = seconds - row.lag
        if self.is_timed():
            self.limit(row, f"seconds over the lag of {row.lag:.2f} s", seconds - row.lag, most, " s")

    def share(self, row, make, names):
        """What the time went into, by the log of another run of the same."""
        if not self.is_timed():
            return
        log = os.path.join(self.lab.new_dir("trace"), "log")
        run = issuance.measure(self.lab, lambda _lab, wanted: with_log(make(wanted), log), names)
        if run.why:
            self.report.fail(f"{self.title(row.work)}, with a log: {run.why}")
            return
        ca, api = waits.traced(log, self.lab.acme_dir.rpartition("/")[0])
        lag = waits.shown(self.lab)
        row.shares = waits.shares(run.end - run.wall, run.end, lag, ca, api)
        print(f"          of {run.wall:.1f} s with a log, lag {waits.true_lag(lag):.1f} s: {words(row.shares)}", flush=True)

    # -- the commands ----------------------------------------------------------------------------------------------------------

    def issue(self, names):
        config = issuance.configure(self.lab, self.budget.told)
        issuance.register(self.lab, self.program, config)
        return {"argv": [self.program, "-c", config, "issue", "--agree-tos", *peers.each(names)]}

    def renew(self, names):
        config = issuance.configure(self.lab, self.budget.told + "certificates:\n" + "".join(f"  - {{domains: [{name}]}}\n" for name in names))
        issuance.register(self.lab, self.program, config)
        return {"argv": [self.program, "-c", config, "renew"]}

    def certbot(self, names, times):
        """certbot with our hook in a wrapper, which notes when each call begins and ends."""
        peers.write(times, "")
        wrapper = peers.write(os.path.join(self.lab.new_dir("wrapper"), "hook"),
                              WRAPPER.format(program=shlex.quote(self.program), times=shlex.quote(times)), 0o700)
        return peers.certbot_hook(self.lab, names, wrapper, issuance.configure(self.lab, self.budget.told))

    # -- the works -------------------------------------------------------------------------------------------------------------

    def hook(self, zones):
        names = self.spread(self.sizes.names, zones)
        times = os.path.join(self.lab.new_dir("times"), "times")
        row = self.measure(f"{len(names)} names, {issuance.counted(zones, 'zone')}, certbot + our hook", lambda wanted: self.certbot(wanted, times),
                           names)
        took = sorted(calls(times))
        row.hook = sum(took)
        if not self.succeeded(row, 1):
            return
        print(f"          {len(took)} calls, median {took[len(took) // 2] * 1000:.0f} ms, longest {took[-1]:.2f} s, {row.hook:.2f} s in all")
        self.limit(row, "API requests", row.run.api, A_ZONE * zones)
        self.limit_over_lag(("hook", zones), row, row.hook, self.most("hook", zones, HOOK_OVER_LAG_S))
        self.limit_refusals(row)

    def single(self, zones):
        names = self.spread(self.sizes.names, zones)
        row = self.measure(f"{len(names)} names, {issuance.counted(zones, 'zone')}, acme-dme issue", self.issue, names)
        if not self.succeeded(row, 1):
            return
        self.limit(row, "API requests", row.run.api, A_ZONE * zones)
        self.limit(row, "ACME requests", row.run.acme, issuance.acme_requests(len(names)))
        self.limit_over_lag(("single", zones), row, row.run.wall, self.most("single", zones, SINGLE_OVER_LAG_S))
        self.limit_refusals(row)
        self.share(row, self.issue, names)

    def most(self, kind, zones, in_one_zone):
        """Seconds over the lag: in several zones those that were measured in one, and a little more."""
        return in_one_zone if zones == 1 else self.over_lag.get((kind, 1), in_one_zone) + MORE_ZONES_S

    def certificates(self):
        names = self.spread(self.sizes.certificates, self.zones)
        row = self.measure(f"{len(names)} certificates, {issuance.counted(self.zones, 'zone')}, acme-dme renew", self.renew, names)
        if not self.succeeded(row, len(names)):
            return
        self.limit_renewal(row, A_ZONE * self.zones)
        self.share(row, self.renew, names)

    def limit_renewal(self, row, requests):
        waves = waits.waves(self.lab.requests())
        self.limit(row, f"API requests in {issuance.counted(waves, 'wave')}", row.run.api, requests * max(1, waves))
        self.limit_refusals(row)
        if self.is_timed():
            self.limit(row, "wall", row.run.wall, RENEW_S, " s")
            self.limit(row, "peak memory", row.run.rss, RENEW_MB * issuance.MB, " MiB")

    def one_bad(self):
        """One of the certificates is for a name in nobody's zone."""
        names = self.spread(self.sizes.certificates, self.zones)
        bad = f"h{len(names) // 2 + 1}.{NOBODYS}"
        names[len(names) // 2] = bad
        row = self.measure(f"{len(names)} certificates, one of them for a name in nobody's zone", self.renew, names)
        run, title = row.run, self.title(row.work)
        self.report.note(run.issued == len(names) - 1 and not run.left,
                         f"{title}: {run.issued} certificates, {run.left} TXT left; {len(names) - 1} and none wanted")
        named = run.why.startswith("exit ") and bad in run.said
        self.report.note(named, f"{title}: the exit status says it and the summary names it")
        row.result = "names it" if named else None
        if run.issued == len(names) - 1:
            self.limit_renewal(row, A_ZONE * self.zones + NOBODYS_REQUESTS)

    def idle(self):
        """A state directory full of certificates, none of them due."""
        self.lab.reset()
        config = issuance.configure(self.lab, self.budget.told)
        soon = dict.fromkeys(("window_start_ms", "drawn_ms"), ms_from_now(50)) | {"window_end_ms": ms_from_now(52), "next_look_ms": ms_from_now(1)}
        many.make(os.path.join(os.path.dirname(config), "state"), self.sizes.idle, zones=self.lab.zones, directory=self.lab.acme_dir,
                  ari_id="aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE", **soon)
        runs = hooks.measure(self.lab, 3, {"run": {"argv": [self.program, "-c", config, "renew"]}})["run"]
        wall, rss = hooks.median(runs, "wall"), max(r["rss"] for r in runs)
        why = f"exit {runs[-1]['status']}" if any(r["status"] for r in runs) else ""
        row = Row(f"{self.sizes.idle} certificates, none due, acme-dme renew", self.budget.label,
                  issuance.Run(wall, hooks.median(runs, "cpu"), rss, 0, len(self.lab.requests()), 0, 0, why))
        self.rows.append(row)
        if why:
            self.report.fail(f"{self.title(row.work)}: {why}")
        elif self.sizes.timed:
            self.limit(row, "wall, median of 3", wall, IDLE_S, " s")
            self.limit(row, "peak memory", rss, IDLE_MB * issuance.MB, " MiB")
        else:
            self.report.note(True, f"{self.title(row.work)}: nothing is done, {wall:.2f} s, {rss:.0f} MiB")


# By the keys of tests/bench/scale.
WORKS = {"hook": lambda made: made.hook(1), "single": lambda made: made.single(1), "zones": lambda made: made.single(made.sizes.zones),
         "zones-hook": lambda made: made.hook(made.sizes.zones), "renew": Works.certificates, "renew-bad": Works.one_bad, "idle": Works.idle}


def ms_from_now(days):
    return int((time.time() + days * many.DAY) * 1000)


def with_log(command, path):
    program, *rest = command["argv"]
    return {**command, "argv": [program, *waits.LOG, path, *rest]}


def calls(path):
    """Seconds of each call that the wrapper noted."""
    return [float(end) - float(begin) for begin, end in map(str.split, issuance.read(path).splitlines())]


def words(found):
    return f"{found.lag:.0%} the name servers' lag, {found.ca:.0%} the CA, {found.api:.0%} the API, {found.rest:.0%} ours"


# -- the table -------------------------------------------------------------------------------------------------------------------

HEAD = ["work", "limit", "result", "wall s", "lag s", "hooks s", "API requests", "refused", "ACME requests", "certificates", "peak MiB",
        "lag", "CA", "API", "ours"]


def cells(row):
    run = row.run

    def figure(value, digits):
        return "" if value is None else f"{value:.{digits}f}"

    result = row.result or (f"**fails**: {run.why}" if run.why else "ok")
    parts = [f"{part:.0%}" for part in row.shares] if row.shares else [""] * 4
    return [row.work, row.budget, result, figure(run.wall, 1), figure(row.lag, 1), figure(row.hook, 1), str(run.api), str(run.refused),
            str(run.acme), str(run.issued), figure(run.rss, 0), *parts]


def table(rows):
    return issuance.markdown_table([cells(row) for row in rows], HEAD, text_columns=3)


def promises(report):
    """All that report.limit() and report.note() have said, as Markdown."""
    return "".join(f"- {'kept' if good else '**broken**'}: {what}\n" for good, what in report.kept)


def section(rows, report):
    """The beginning of the report."""
    return f"""# Many names, many certificates, measured

`tests/bench/scale --out FILE` writes this file, and the plots beside it, in one run on one machine ({os.cpu_count()} CPUs).

- The CA is Pebble {binaries.versions("pebble")[0][0]} on the same machine, without random sleeps, refused nonces or reused authorizations.
  The API is the lab's simulator with {issuance.SIM["delay_ms"]} ms for an answer; the name servers have a change after
  {', '.join(f'{lag:g}' for lag in issuance.LAG)} s. Each work is done in a lab as new.
- *limit*: what the API answers in a time; more is refused. That of the service is {REAL.label}.
- *lag*: from a record's being made to its being shown by the slowest name server, by the simulator's own record, in the worst case.
- *hooks*: all processes of the hook taken together, from start to end, by a wrapper around them.
- *lag, CA, API, ours* in percent: what a second run of the same, with a debug log, waited for: records that a name server did not show
  yet; else the CA's answers and the pauses it asked for; else the API's. The rest is our own: the distance from what cannot be had faster.
- A *wave*: certificates whose records are made by one request for each zone.
- *peak*: resident memory of the largest process; beside the hook that is certbot's own. Less than 10 MiB cannot be seen.

{table(rows)}
## What is promised

{promises(report)}"""
