"""Runs programs and measures them: inside the lab, so that nothing of the lab's own machinery is counted.

    measure.py SPEC.json     {"repeat": N, "commands": {name: {"argv": [...], "env": {...}, "before": [[argv], ...],
                              "output": FILE}}}

The commands take turns, so that whatever else the machine does hits all alike.  Prints {name: [{"wall", "cpu", "rss", "status",
"end"}, ...]}: seconds, seconds of user and system time of the program and its children, MiB at the peak of the largest of them,
exit status, and the wall clock at the end.  OUTPUT gets what the program says, which else is thrown away.

A peak below that of this program itself (10 MiB) cannot be seen: the system counts what a process was before it became another program.
"""

import json
import os
import subprocess
import sys
import time


def run_once(argv, env, output):
    with open(output, "ab") as out:
        begin = time.monotonic()
        process = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        _, status, usage = os.wait4(process.pid, 0)
        end = time.time()
        wall = time.monotonic() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "rss": usage.ru_maxrss / 1024, "status": process.returncode, "end": end}


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        spec = json.load(f)
    found = {name: [] for name in spec["commands"]}
    for _ in range(spec["repeat"]):
        for name, command in spec["commands"].items():
            env = dict(os.environ, **command.get("env", {}))
            for argv in command.get("before", []):
                subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
            found[name].append(run_once(command["argv"], env, command.get("output", os.devnull)))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
