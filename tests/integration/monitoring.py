"""The formats of monitoring systems, read as strictly as their documents say; and TLS servers to look at."""

import re
import subprocess
import time

# -- Prometheus: https://prometheus.io/docs/instrumenting/exposition_formats/ -------------------------------------------------------

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?[0-9]+)\Z")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,|\Z)')
BASE_UNIT = re.compile(r"_(seconds|records|files|failures|success|readable|verified)\Z")


def unescape(text):
    return re.sub(r'\\(.)', lambda m: "\n" if m.group(1) == "n" else m.group(1), text)


def labels_of(text):
    labels, at = {}, 0
    while at < len(text):
        match = LABEL.match(text, at)
        assert match, f"no label: {text[at:]!r}"
        assert match.group(1) not in labels
        labels[match.group(1)] = unescape(match.group(2))
        at = match.end()
        assert match.group(3) == "" or at < len(text), "a comma at the end"
    return labels


def prometheus(text):
    """{metric: [(labels, value)]} of a text in exposition format: HELP and TYPE once and in front, all samples of a metric in one
    block, none twice."""
    metrics, helped, typed, current, seen = {}, set(), set(), None, set()
    assert text.endswith("\n") and "\r" not in text
    for line in text[:-1].split("\n"):
        if line.startswith("# "):
            _, word, name, rest = line.split(" ", 3)
            assert NAME.match(name) and rest
            if word == "HELP":
                assert name not in helped, f"{name} comes in two blocks"
                helped.add(name)
                current = name
            else:
                assert word == "TYPE" and name == current and name not in typed and name not in metrics and rest == "gauge"
                typed.add(name)
            continue
        match = SAMPLE.match(line)
        assert match, f"no sample: {line!r}"
        name, labels = match.group(1), labels_of(match.group(2) or "")
        assert name == current and name in helped and name in typed, f"{name} is out of its block"
        assert name.startswith("acme_dme_") and BASE_UNIT.search(name), name
        key = (name, tuple(sorted(labels.items())))
        assert key not in seen, f"twice: {line}"
        seen.add(key)
        metrics.setdefault(name, []).append((labels, int(match.group(3))))
    assert helped == typed == set(metrics), "a metric without samples"
    return {name.removeprefix("acme_dme_"): samples for name, samples in metrics.items()}


def sample(metrics, metric, **labels):
    """The value of the one sample with these labels, others aside."""
    found = [value for have, value in metrics[metric] if labels.items() <= have.items()]
    assert len(found) == 1, (metric, labels, metrics.get(metric))
    return found[0]


# -- Nagios: https://nagios-plugins.org/doc/guidelines.html --------------------------------------------------------------------------

STATES = {"OK": 0, "WARNING": 1, "CRITICAL": 2, "UNKNOWN": 3}
NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"
RANGE = rf"(?:{NUMBER}:?)?"
DATUM = re.compile(rf"(?:'([^'=]+)'|([^'= ]+))=({NUMBER});?({RANGE});?({RANGE})(?: |\Z)")


def nagios(done):
    """(state, text, {label: (value, warn, critical)}, [further lines]) of a plugin's output, which has to fit its exit status."""
    lines = done.stdout.splitlines()
    first, bar, performance = lines[0].partition("|")
    match = re.fullmatch(r"ACME-DME (OK|WARNING|CRITICAL|UNKNOWN) - (.+?) ?", first)
    assert match and done.returncode == STATES[match.group(1)], done
    assert not [line for line in lines[1:] if "|" in line], "performance data in the wrong place"
    data, at = {}, 0
    performance = performance.strip()
    assert bool(bar) == bool(performance)
    while at < len(performance):
        datum = DATUM.match(performance, at)
        assert datum, f"no performance data: {performance[at:]!r}"
        label = datum.group(1) or datum.group(2)
        assert label not in data
        data[label] = (float(datum.group(3)), datum.group(4), datum.group(5))
        at = datum.end()
    return match.group(1), match.group(2), data, lines[1:]


# -- servers ------------------------------------------------------------------------------------------------------------------------

class TlsServer:
    """`openssl s_server` inside a lab, with the certificate (and what follows it in the file) and the key."""

    def __init__(self, lab, cert, key, address="127.0.0.1", port=4433):
        self.lab, self.name = lab, f"{address}:{port}"
        self.process = lab.popen(["openssl", "s_server", "-quiet", "-accept", self.name, "-cert", cert, "-cert_chain", cert, "-key", key,
                                  "-naccept", "1000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 15
        while f":{port} " not in lab.run(["sh", "-c", "ss -Hltn; true"]).stdout:
            assert self.process.poll() is None and time.monotonic() < end, "openssl s_server does not listen"
            time.sleep(0.02)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lab.kill(self.process, 9)
        self.process.wait()
