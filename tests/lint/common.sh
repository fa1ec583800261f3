# SPDX-License-Identifier: MIT
# Sourced by the checks.
# shellcheck shell=sh
set -eu

lint=$(cd "$(dirname "$0")" && pwd)
srcdir=$(cd "${srcdir:-$lint/../..}" && pwd)
BUILD=$(cd "${BUILD:-.}" && pwd)
cd "$srcdir"

# need PROGRAM...: without them the check is skipped.
need() {
    for program in "$@"; do
        if ! command -v "$program" >/dev/null 2>&1; then
            echo "$program is not installed"
            exit 77
        fi
    done
}

# files DIR PATTERN: the project's own files below DIR whose name matches the shell pattern; what autotools and builds leave in the
# tree is not ours.
files() {
    if [ -e .git ] && command -v git >/dev/null 2>&1; then
        git ls-files --cached --others --exclude-standard -- "$1"
    else
        find "$1" \( -name 'build*' -o -name autom4te.cache -o -name .git \) -prune -o -type f -print | sed 's|^\./||' |
            grep -vE '^(configure|config\..*|aclocal\.m4|Makefile(\.in)?)$'
    fi | sort | while IFS= read -r file; do
        # shellcheck disable=SC2254  # it is a pattern
        case ${file##*/} in $2) if [ -f "$file" ]; then echo "$file"; fi ;; esac
    done
}

# scripts: all shell scripts, by name or by first line.
scripts() {
    files . '*' | while IFS= read -r file; do
        case $file in
        *.sh) echo "$file" ;;
        *.*) ;;
        *) if head -n 1 "$file" | LC_ALL=C grep -aqE '^#! ?/(usr/)?bin/(env )?(ba|da)?sh( |$)'; then echo "$file"; fi ;;
        esac
    done
}

# How a file of ours is compiled, without what a build directory has to say about it.
compile_flags() {
    echo "-std=gnu11 -D_GNU_SOURCE -I$srcdir/src -I$srcdir/tests/unit -I$srcdir/tests/fuzz"
    echo "-DSYSCONFDIR=\"/etc\" -DLOCALSTATEDIR=\"/var\" -DPACKAGE_VERSION=\"0\" -DOPENSSL_API_COMPAT=30000 -DOPENSSL_NO_DEPRECATED"
    echo "-DHAVE_CLOSE_RANGE -DHAVE_GETRANDOM -DHAVE_RENAMEAT2 -DHAVE_LIBIDN2"
    pkg-config --cflags libcurl libcrypto yaml-0.1 jansson libcares
}
