"""What a certificate costs each client, against the number of its names: requests and time, as tables and plots.

Ours and the floor are measured alone on the machine; the others, which mostly sleep, side by side afterwards, each in a lab of its own.
"""

import os
import threading

from lab import LabUnavailable

import issuance
import plot

ALONE = ["ours", "floor", "certbot"]
SHORT = {"ours": "acme-dme issue", "floor": "the floor", "certbot": "certbot, our hook", "dehydrated": "dehydrated + lexicon"}
REQUESTS_PLOT, TIME_PLOT = "scale-requests.svg", "scale-time.svg"


def measure(lab, client, counts):
    """[Run], one of each count."""
    runs = []
    for count in counts:
        run = issuance.measure(lab, client.make, issuance.host_names(count))
        print(f"{count:4} {client.label}: {run.why or 'ok'}, {run.wall:.1f} s, {run.api} API ({run.refused} refused), {run.acme} ACME", flush=True)
        runs.append(run)
    return runs


def measure_beside(client, counts, found, failures):
    """The same in a lab of its own, for a thread."""
    try:
        with issuance.make_lab() as lab:
            found[client.key] = measure(lab, client, counts)
    except (RuntimeError, OSError, ValueError, AssertionError, LabUnavailable) as e:
        failures.append(f"{client.label}: {type(e).__name__}: {e}")


def measure_all(clients, counts, report):
    """{key of a client: [Run]}"""
    found, failures = {}, []
    with issuance.make_lab() as lab:
        for client in clients:
            if client.key in ALONE:
                found[client.key] = measure(lab, client, counts)
    beside = [threading.Thread(target=measure_beside, args=(client, counts, found, failures)) for client in clients if client.key not in ALONE]
    for thread in beside:
        thread.start()
    for thread in beside:
        thread.join()
    for failure in failures:
        report.fail(failure)
    return found


# -- what comes of it ------------------------------------------------------------------------------------------------------------


def table(clients, counts, found, cell):
    """A row for each client, a column for each count; CELL: of a run."""
    rows = [[client.label, *(cell(run) + (" **fails**" if run.why else "") for run in found[client.key])] for client in clients]
    return issuance.markdown_table(rows, ["client", *(f"{count}" for count in counts)], text_columns=1)


def api_cell(run):
    return f"{run.api}" + (f" ({run.refused} refused)" if run.refused else "")


def lines(clients, counts, found, field):
    return [plot.Line(client.label, SHORT.get(client.key, client.key),
                      [(count, getattr(run, field), not run.why) for count, run in zip(counts, found[client.key])]) for client in clients]


def draw(clients, counts, found, directory):
    os.makedirs(directory, exist_ok=True)
    limit = issuance.SIM["limit"]
    requests = plot.draw("Requests to the API for one certificate", ("names of one zone", "API requests"), lines(clients, counts, found, "api"),
                         [plot.Mark(limit, f"all that a key may send in {issuance.SIM['window']} s: {limit}")])
    seconds = plot.draw("Time for one certificate", ("names of one zone", "seconds"), lines(clients, counts, found, "wall"),
                        [plot.Mark(max(issuance.LAG), f"the slowest name server is {max(issuance.LAG):g} s behind")])
    for name, text in ((REQUESTS_PLOT, requests), (TIME_PLOT, seconds)):
        with open(os.path.join(directory, name), "w", encoding="utf-8") as f:
            f.write(text)


def pictures(directory, base):
    """Their Markdown, in a file in BASE."""
    paths = [os.path.relpath(os.path.join(directory, name), base) for name in (REQUESTS_PLOT, TIME_PLOT)]
    return f"\n![API requests against the number of names]({paths[0]})\n\n![Seconds against the number of names]({paths[1]})\n"


def check(clients, counts, found, report):
    """Ours and the floor have succeeded."""
    for client in clients:
        for count, one in zip(counts, found[client.key]):
            if client.key in ALONE:
                report.note(not one.why and not one.left,
                            f"{client.label}, {issuance.counted(count, 'name')}: {one.why or 'a certificate'}, {one.left} TXT left")


def run(program, report, counts, directory, base):
    """Measures, draws into DIRECTORY (None: not) and returns the Markdown."""
    print("\nCost against the number of names", flush=True)
    clients = issuance.clients(program)
    found = measure_all(clients, counts, report)
    clients = [client for client in clients if client.key in found]
    check(clients, counts, found, report)
    text = f"""
## Cost against the number of names

One certificate for h1.{issuance.ZONE} … hN.{issuance.ZONE}, each client in a lab as new. acme-dme, certbot with our hook and the floor ran alone on
the machine, the others afterwards side by side, each in a lab of its own: they mostly sleep. What the clients are is told in
[benchmarks.md](benchmarks.md). The simple hook of uacme and acmetool does without the API. certbot's own plug-in for DNS Made Easy is in
no Debian suite.

"""
    if directory:
        draw(clients, counts, found, directory)
        text += pictures(directory, base)
    for title, cell in (("API requests", api_cell), ("ACME requests", lambda r: f"{r.acme}"), ("Seconds", lambda r: f"{r.wall:.1f}"),
                        ("TXT records left behind", lambda r: f"{r.left}")):
        text += f"\n### {title}\n\n{table(clients, counts, found, cell)}"
    return text
