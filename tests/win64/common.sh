# Sourced by the stages of tests/windows, after tests/stages/common.sh.
# shellcheck shell=sh

# shellcheck disable=SC2034  # for the stages
target=x86_64-w64-mingw32
cache=${XDG_CACHE_HOME:-$HOME/.cache}/acme-dme
# shellcheck disable=SC2034  # for the stages
# shellcheck disable=SC2154  # it is of tests/stages/common.sh
program=$build/program
# Where this build's libraries are, or why there are none.
prefix_note=$build/libraries
reason_note=$build/libraries.missing

# libraries_or_finish: sets $prefix; ends the stage, saying so, where there are no libraries.
libraries_or_finish() {
    if [ -s "$reason_note" ]; then
        skip_optional "$(cat "$reason_note")"
        finish
        exit
    elif ! prefix=$(cat "$prefix_note" 2>/dev/null) || [ ! -d "$prefix/lib/pkgconfig" ]; then
        fail "the libraries are not built (tests/windows 20-libraries)"
        finish
        exit 1
    fi
}

# wine_begin: a Windows of our own, which ends with the stage.
wine_begin() {
    WINEPREFIX=$(mktemp -d "${TMPDIR:-/tmp}/acme-dme-wine.XXXXXX")
    trap wine_end EXIT
    trap 'exit 130' HUP INT TERM
    # It puts files of its own beside those of the desktop.
    HOME=$WINEPREFIX
    WINEDEBUG=-all
    WINEDLLOVERRIDES="mscoree,mshtml,winemenubuilder.exe="
    LC_ALL=C.UTF-8 # else names lose their letters on the way to the program
    export WINEPREFIX HOME WINEDEBUG WINEDLLOVERRIDES LC_ALL
    unset DISPLAY WAYLAND_DISPLAY
    # First, since it says no when there is one already, which would end in between.
    wineserver -p && timeout 180 wineboot -i
}

wine_end() {
    wineserver -k >/dev/null 2>&1 || true
    timeout 20 wineserver -w >/dev/null 2>&1 || true
    rm -rf "$WINEPREFIX"
}
