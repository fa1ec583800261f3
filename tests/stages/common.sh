# Sourced by the stages: where things are, and how a stage counts.
# shellcheck shell=sh

# A stage knows its number only by its own name.
stage=$(basename "$0")
src=$(cd "$(dirname "$0")/../.." && pwd)
build=${ACME_DME_BUILD:-$src/build-all}
# shellcheck disable=SC2034  # for the stages
jobs=${JOBS:-$(nproc)}
logs=$build/logs
mkdir -p "$logs"

passed=0
failed=0
skipped=0

pass() { passed=$((passed + 1)); echo "  ok      $*"; }
fail() { failed=$((failed + 1)); echo "  FAILED  $*"; }

# skip REASON: what this machine lacks. With CI=true that is a failure.
skip() {
    if [ "${CI:-}" = true ]; then
        fail "$* (skipped, which CI=true does not allow)"
    else
        skipped=$((skipped + 1))
        echo "  skipped $*"
    fi
}

# skip_optional REASON: for what not every supported distribution has.
skip_optional() { skipped=$((skipped + 1)); echo "  skipped $* (optional)"; }

# step NAME COMMAND...: runs it with its output in a log of its own; counts; shows the end of the log if it failed.
step() {
    step_name=$1
    shift
    step_log=$logs/$stage.$(echo "$step_name" | tr -c 'a-zA-Z0-9\n' _).log
    if "$@" >"$step_log" 2>&1 </dev/null; then
        pass "$step_name"
        return 0
    fi
    fail "$step_name: $* (log: $step_log)"
    tail -n "${TAIL:-40}" "$step_log" | sed 's/^/      | /'
    return 1
}

# add_counts FILE: adds the last line "N passed, N failed, N skipped" of FILE; false if there is none.
add_counts() {
    counts=$(sed -n 's/^ *\([0-9][0-9]*\) passed, \([0-9][0-9]*\) failed, \([0-9][0-9]*\) skipped *$/\1 \2 \3/p' "$1" | tail -n 1)
    [ -n "$counts" ] || return 1
    # shellcheck disable=SC2086  # three words
    set -- $counts
    passed=$((passed + $1))
    failed=$((failed + $2))
    skipped=$((skipped + $3))
}

# run_counted NAME COMMAND...: runs it, shows its output, and takes its own counts over.
run_counted() {
    counted_name=$1
    counted_log=$logs/$stage.counted.log
    shift
    before=$failed
    status=0
    { "$@" 2>&1 </dev/null || echo "exit status $?" >"$counted_log.status"; } | tee "$counted_log" | sed 's/^/  /'
    if [ -e "$counted_log.status" ]; then
        status=$(cat "$counted_log.status")
        rm -f "$counted_log.status"
    fi
    if ! add_counts "$counted_log"; then
        fail "$counted_name: said nothing of its results"
    elif [ "$status" != 0 ] && [ "$failed" -eq "$before" ]; then
        fail "$counted_name: $status, though it counts no failure"
    fi
}

# bootstrap: configure itself, made anew when something it is made from changed.
bootstrap() {
    stamp=$build/bootstrapped
    if [ ! -x "$src/configure" ] || [ ! -e "$stamp" ] || [ -n "$(find "$src" -path "$src/build*" -prune -o \
        \( -name '*.mk' -o -name '*.m4' -o -name '*.ac' -o -name Makefile.am \) ! -name aclocal.m4 -newer "$stamp" -print)" ]; then
        step "autoreconf -fi" autoreconf -fi "$src" && touch "$stamp"
    fi
}

# configured DIR OPTIONS...: a configured build directory below $build.
configured() {
    configured_dir=$build/$1
    shift
    mkdir -p "$configured_dir"
    (cd "$configured_dir" && "$src/configure" -q "$@")
}

# built DIR OPTIONS...: configured and made.
built() {
    configured "$@" && make -s -C "$build/$1" -j "$jobs" all
}

# as_lab COMMAND...: runs it where it may make namespaces: as the caller, or through sudo if this machine wants root for that.
as_lab() {
    if [ "$(id -u)" -eq 0 ] || unshare --user --map-root-user --net --mount sh -c 'ip link set lo up && mount -t tmpfs lab /run' 2>/dev/null; then
        "$@"
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        sudo -n env "PATH=$PATH" "HOME=$HOME" "CI=${CI:-}" "ACME_DME=${ACME_DME:-}" "ACME_DME_BUILD=$build" \
            "ACME_DME_LAB_CACHE=${ACME_DME_LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/acme-dme-lab}" "$@"
    else
        "$@" # says itself what is missing
    fi
}

# finish: the stage's last words.
finish() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
}
