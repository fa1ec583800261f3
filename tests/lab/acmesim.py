#!/usr/bin/python3
"""Launcher of the scripted ACME server; the server is the package `acmesim` beside this file.

    /usr/bin/python3 tests/lab/acmesim.py --config FILE.json
"""

import sys

from acmesim.server import main  # the package wins over this file: directories come first on sys.path

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
