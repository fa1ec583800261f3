"""acme-dme.exe in a lab, under wine: ACME_DME names the program, tests/win64/not-here.txt what is left out and why.

One prefix and one wineserver a lab, which end with it.  A path of this system is one of the drive that the program starts from.
"""

import os
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LEFT_OUT = os.path.join(os.path.dirname(HERE), "win64", "not-here.txt")
PREFIX_LIMIT_S = 180
SERVER_START_S = 0.5
# Debian 13's wineserver does not live with it; without it all of wine's is in the prefix.
WITHOUT_TMPDIR = ["env", "-u", "TMPDIR"]
UNSET_TMPDIR = "unset TMPDIR\n"
SERVER_ATTEMPTS = 5


def is_windows():
    return os.environ.get("ACME_DME", "").endswith(".exe")


def word(posix, here):
    return here if is_windows() else posix


def privately(path):
    """The beginning of the command that makes a file readable by its owner alone, as hints have it."""
    return 'icacls "' + path.replace("/", "\\") + '"' if is_windows() else f"chmod 600 '{path}'"


def left_out():
    """[(module, beginning of the test's name or "", reason)]: lines "module[::beginning] reason"."""
    found = []
    with open(LEFT_OUT, encoding="utf-8") as f:
        for line in f:
            where, _, reason = line.strip().partition(" ")
            if where and not where.startswith("#"):
                module, _, beginning = where.partition("::")
                found.append((module, beginning, reason.strip()))
    return found


def reason_for(item, rules):
    for module, beginning, reason in rules:
        if item.module.__name__ == module and item.name.startswith(beginning):
            return reason
    return None


def choose(items):
    """(those that run here, {reason: how many do not})."""
    rules, chosen, reasons = left_out(), [], {}
    for item in items:
        reason = reason_for(item, rules)
        if reason is None:
            chosen.append(item)
        else:
            reasons[reason] = reasons.get(reason, 0) + 1
    return chosen, reasons


def start(lab, program):
    """A program of this system that starts PROGRAM in this lab."""
    where = lab.new_dir("wine")
    prefix = os.path.join(where, "prefix")
    path = os.path.join(where, "acme-dme")
    env = {"WINEDEBUG": "-all", "WINEPREFIX": prefix, "WINEDLLOVERRIDES": "mscoree,mshtml,winemenubuilder.exe=", "LC_ALL": "C.UTF-8"}
    os.mkdir(prefix)  # wineserver does not make it
    write_starter(path, UNSET_TMPDIR + "".join(f"export {name}='{value}'\n" for name, value in env.items()), program)
    quiet = {"env": env, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    start_server(lab, quiet)
    fill_store(lab, path, where)
    return path


def start_server(lab, quiet):
    """A wineserver that stays until the lab ends.  Without one, each call would start Windows' services anew, which takes longer than the
    call.  The server says no when there is one already; what the first program starts for want of it stays as long as there is a program."""
    for _ in range(SERVER_ATTEMPTS):
        server = lab.popen([*WITHOUT_TMPDIR, "wineserver", "-f", "-p"], **quiet)
        time.sleep(SERVER_START_S)
        # What the first program of a prefix starts stays, with the pipes that it was given.
        assert lab.popen([*WITHOUT_TMPDIR, "wineboot", "-i"], **quiet).wait(PREFIX_LIMIT_S) == 0
        if server.poll() is None:
            return
        lab.popen([*WITHOUT_TMPDIR, "wineserver", "-w"], **quiet).wait(PREFIX_LIMIT_S)
    raise AssertionError("wineserver does not stay")


def fill_store(lab, starter, where):
    """Windows' store of trusted certificates gets those of the lab, by a program that nobody kills."""
    exe = os.path.join(where, "roots.exe")
    subprocess.run(["x86_64-w64-mingw32-gcc", "-O", "-o", exe, os.path.join(os.path.dirname(LEFT_OUT), "roots.c"), "-lcrypt32"],
                   stdin=subprocess.DEVNULL, check=True)
    done = lab.run([start_another(lab, starter, exe)], timeout=PREFIX_LIMIT_S)
    assert done.returncode == 0, done


def write_starter(path, environment, program):
    """Without addresses at random: with them, one start in some thousands finds taken what wine needs at a fixed one."""
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"#!/bin/sh\n{environment}exec setarch -R wine '{program}' \"$@\"\n")
    os.chmod(path, 0o700)


def start_another(lab, starter, program):
    """A program of this system that starts PROGRAM where STARTER, which start() made, starts its own."""
    with open(starter, encoding="utf-8") as f:
        environment = "".join(line for line in f if line.startswith(("export ", UNSET_TMPDIR)))
    path = os.path.join(lab.new_dir("starter"), os.path.basename(program).removesuffix(".exe"))
    write_starter(path, environment, program)
    return path


def path_there(path):
    """A path of this system as Windows' programs have it: wine's drive Z is the root."""
    return "Z:" + path.replace("/", "\\")
