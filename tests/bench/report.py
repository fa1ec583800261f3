"""Tables and limits: what a benchmark prints, and whether the figures keep what is promised."""


import collections

# A figure and what is promised of it.  of_several: which of several measurements counts: of times the least, since what else the
# machine does only adds to them, of counts the greatest.
Limit = collections.namedtuple("Limit", "what value most unit of_several", defaults=("", min))


def repeated(measure, attempts=3):
    """MEASURE() gives limits, the same ones each time; it is called again while one of them is broken, up to ATTEMPTS times."""
    found = measure()
    for _ in range(attempts - 1):
        if all(limit.value <= limit.most for limit in found):
            break
        found = [one.of_several(one, other, key=lambda limit: limit.value) for one, other in zip(found, measure())]
    return found


class Report:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.kept = []  # [whether, what]: each promise, as it was printed

    def table(self, title, head, rows):
        """ROWS of text; the first column is flush left, the others flush right."""
        print(f"\n{title}")
        widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]
        for row in [head, ["-" * w for w in widths], *rows]:
            cells = [str(c).ljust(w) if i == 0 else str(c).rjust(w) for i, (c, w) in enumerate(zip(row, widths))]
            print("  " + "  ".join(cells))

    def limit(self, what, value, most, unit=""):
        """A promise: VALUE is at most MOST."""
        self.note(value <= most, f"{what}: {value:.4g}{unit}, at most {most:.4g}{unit}")

    def limits(self, limits):
        for limit in limits:
            self.limit(limit.what, limit.value, limit.most, limit.unit)

    def note(self, good, what):
        """A promise that is kept or not."""
        self.passed += bool(good)
        self.failed += not good
        self.kept.append((bool(good), what))
        print(f"  {'ok    ' if good else 'FAILED'}  {what}", flush=True)

    def fail(self, what):
        self.note(False, what)

    def skip(self, why):
        self.skipped += 1
        print(f"  skipped {why}")

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        return 1 if self.failed else 0
