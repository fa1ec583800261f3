#!/bin/sh
# Fetches the sources of the libraries for Windows, which are the distribution's own source packages, checked by apt.
#
#     tests/win64/sources.sh DIRECTORY        writes DIRECTORY/versions: a line "package version" for each
#
# Where from is read off the machine's apt configuration; nothing of it is changed, and the package lists are kept in DIRECTORY.
# An index may name a version whose files are gone: the newest one that is served is taken. Exit status 3: a package is not served.
set -eu

packages="openssl zlib libyaml jansson c-ares nghttp2 curl libidn2 cmocka"
dir=$1
mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial" "$dir/files"
dir=$(cd "$dir" && pwd)
apt=$dir/apt

say() { echo "sources: $*"; }

# The distribution's archives in use: "URI file", without what is on this machine or of others.
archives() {
    # shellcheck disable=SC2016  # apt's own variables
    apt-get indextargets --format '$(ORIGIN)|$(REPO_URI)|$(SOURCESENTRY)' 'Created-By: Packages' |
        sed -n '/|\(cdrom\|file\):/d; s/^\(Debian\|Ubuntu\)|\([^|]*\)|\(.*\):[0-9]*$/\2 \3/p' | sort -u
}

# Prints the entries of FILE for URI as entries for sources; options and keyrings stay.
entries_list() {
    awk -v uri="${2%/}" '
        $1 == "deb" {
            at = 2
            if ($2 ~ /^\[/) while ($(at++) !~ /\]$/);
            found = $at
            sub(/\/$/, "", found)
            if (found == uri) { sub(/deb[ \t]/, "deb-src "); print }
        }' "$1"
}

entries_stanzas() {
    sed '/^#/d' "$1" | awk -v uri="${2%/}" -v RS= -F '\n' '
        tolower($0) ~ /(^|\n)enabled:[ \t]*no/ { next }
        {
            uris = ""
            for (i = 1; i <= NF; i++) if (tolower($i) ~ /^uris:/) uris = substr($i, 6) " "
            gsub(/\/? +/, " ", uris)
            if (!index(uris " ", " " uri " ")) next
            for (i = 1; i <= NF; i++) {
                if (tolower($i) ~ /^types:/) print "Types: deb-src"
                else if (tolower($i) ~ /^uris:/) print "URIs: " uri
                else print $i
            }
            print ""
        }'
}

# The settings of the machine's apt but for its places and what it runs itself.
make_settings() {
    : >"$apt/status"
    mkdir -p "$apt/none.d"
    (
        umask 077 # they may hold a proxy's password
        {
            apt-config dump | grep -Ev '^(APT::Update::|APT::Periodic|DPkg::|Dir::Etc::(parts|main|source|preferences)|Dir::State|Dir::Cache|AptCli)'
            cat <<END
Dir::Etc::main "$apt/none"; Dir::Etc::parts "$apt/none.d"; Dir::Etc::preferences "$apt/none"; Dir::Etc::preferencesparts "$apt/none.d";
Dir::Etc::sourcelist "$apt/none"; Dir::State::lists "$apt/lists"; Dir::State::status "$apt/status"; Dir::Cache "$apt/cache";
Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache ""; Acquire::Languages "none"; Acquire::Retries "2"; Acquire::PDiffs "false";
APT::Get::List-Cleanup "false"; APT::Sandbox::User ""; Debug::NoLocking "1";
END
        } >"$apt/apt.conf"
    )
}

# One view for each archive, since a version may stand in the indices of two and be served by one; prints their number.
make_views() {
    archives >"$apt/archives"
    number=0
    while read -r uri file; do
        number=$((number + 1))
        mkdir -p "$apt/$number"
        case $file in
            *.sources) entries_stanzas "$file" "$uri" >"$apt/$number/view.sources" ;;
            *) entries_list "$file" "$uri" >"$apt/$number/view.list" ;;
        esac
    done <"$apt/archives"
    echo "$number"
}

# in_view NUMBER COMMAND...
in_view() {
    in_view=$1
    in_command=$2
    shift 2
    (cd "$dir/files" && APT_CONFIG=$apt/apt.conf "$in_command" -o "Dir::Etc::sourceparts=$apt/$in_view" "$@")
}

# versions PACKAGE: "version view" of all that the indices name, newest first.
versions() {
    for view in $(seq "$views"); do
        in_view "$view" apt-cache showsrc --only-source "$1" 2>>"$apt/log" | sed -n "s/^Version: \(.*\)/\1 $view/p"
    done | sort -u | sort -k1,1Vr -k2,2n
}

# fetch PACKAGE: prints the version that is in files/ now.
fetch() {
    # Debian's patches to OpenSSL are not for Windows: the tarball alone.
    only=
    [ "$1" != openssl ] || only=--tar-only
    versions "$1" >"$apt/versions"
    while read -r version view; do
        # shellcheck disable=SC2086  # may be empty
        if in_view "$view" apt-get -qq source --download-only $only "$1=$version" >>"$apt/log" 2>&1 </dev/null; then
            echo "$version"
            return
        fi
        say "$1 $version is in an index but not served there" >&2
    done <"$apt/versions"
    say "no version of $1 is served" >&2
    return 3
}

: >"$apt/log"
make_settings
views=$(make_views)
if [ "$views" -eq 0 ]; then
    say "apt knows no archive of Debian's or Ubuntu's here (apt-get update)"
    exit 3
fi
for view in $(seq "$views"); do
    in_view "$view" apt-get -q update >>"$apt/log" 2>&1 || say "the list of sources of archive $view could not be fetched"
done
for package in $packages; do
    version=$(fetch "$package") || exit 3
    echo "$package $version"
done >"$dir/versions.new"
mv "$dir/versions.new" "$dir/versions"
