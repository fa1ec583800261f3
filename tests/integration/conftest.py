"""One lab per worker for the whole run, reset before each test; the program under test comes from $ACME_DME."""

import os
import sys

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import windows  # noqa: E402
from lab import Lab, LabUnavailable  # noqa: E402
from leaks import WATCH  # noqa: E402
from program import Program  # noqa: E402

OPTIONAL = "optional: "
LEFT_OUT = pytest.StashKey()
Lab.watch = WATCH
# Not even collected elsewhere: nothing of it is left out there.
collect_ignore = [] if windows.is_windows() else ["test_windows.py"]


# Modules whose tests take seconds each, the longest first.
HEAVY = ["test_clients", "test_peers", "test_hooks_dir", "test_whole_run", "test_deploy", "test_import", "test_check_dns", "test_check", "test_propagation"]


def pytest_collection_modifyitems(config, items):
    if windows.is_windows():
        items[:], reasons = windows.choose(items)
        config.stash[LEFT_OUT] = reasons
    deal(items)


def pytest_terminal_summary(terminalreporter, config):
    for reason, count in sorted(config.stash.get(LEFT_OUT, {}).items()):
        terminalreporter.write_line(f"left out: {count} tests: {reason}")


def deal(items):
    """Deals the long tests out to all workers at the beginning: xdist hands out blocks of neighbours, the first one a quarter of all."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers == 1:
        return
    heavy = sorted((i for i in items if i.module.__name__ in HEAVY), key=lambda i: HEAVY.index(i.module.__name__))
    light = [i for i in items if i.module.__name__ not in HEAVY]
    block = max(len(items) // (4 * workers), 2)
    order = []
    for worker in range(workers):
        mine = heavy[worker::workers][:block]
        order += mine + light[:block - len(mine)]
        del light[:block - len(mine)]
    rest = set(order)
    items[:] = order + [i for i in heavy if i not in rest] + light


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """With CI=true only what is optional may be skipped (the reason says so in front)."""
    report = (yield).get_result()
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if OPTIONAL not in reason:
            report.outcome = "failed"
            report.longrepr = f"skipped, which CI=true does not allow: {reason}"


@pytest.fixture(scope="session")
def session_lab():
    try:
        lab = Lab()
    except LabUnavailable as e:
        pytest.skip(str(e))
    print(f"lab: pebble {lab.pebble_version}, IPv6 {'yes' if lab.ipv6 else 'no'}", file=sys.stderr)
    yield lab
    lab.stop()
    found = WATCH.search_all()
    assert not found, "\n".join(["secrets showed up in what this session's tests saw:", *found])


@pytest.fixture(autouse=True)
def no_leaks():
    """No test, whatever it is about, may have seen a secret in what the program said or wrote."""
    yield
    found = WATCH.search()
    assert not found, "\n".join(["secrets showed up:", *found])


@pytest.fixture
def lab(session_lab):
    session_lab.reset()
    yield session_lab


@pytest.fixture(scope="session")
def acme_dme(request):
    """Absolute path of the program under test."""
    path = os.environ.get("ACME_DME")
    assert path, "set ACME_DME to the program under test (tests/all does)"
    assert os.access(path, os.X_OK), f"ACME_DME={path} is not a program"
    path = windows.start(request.getfixturevalue("session_lab"), os.path.abspath(path)) if windows.is_windows() else os.path.abspath(path)
    Lab.program = os.path.realpath(path)
    return path


@pytest.fixture
def program(lab, acme_dme):
    """The program under test with a configuration and state of this test's own."""
    made = Program(lab, acme_dme)
    yield made
    made.stop_all()
