#!/usr/bin/python3
"""Launcher of the DNS Made Easy simulator; the simulator is the package `dmesim` beside this file.

    /usr/bin/python3 tests/lab/dmesim.py --config FILE.json
"""

import sys

from dmesim.server import main  # the package wins over this file: directories come first on sys.path

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
