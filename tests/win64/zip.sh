#!/bin/sh
# Makes the folder that an administrator unzips.
#
#     tests/win64/zip.sh EXE PREFIX ZIP        ZIP's name, without .zip, is that of the folder in it
#
# Times, order and modes are those of the sources alone ($SOURCE_DATE_EPOCH, else the last commit's time): the same sources make the same bytes.
set -eu

exe=$1
prefix=$2
zip=$(cd "$(dirname "$3")" && pwd)/$(basename "$3")
src=$(cd "$(dirname "$0")/../.." && pwd)
epoch=${SOURCE_DATE_EPOCH:-$(git -C "$src" log -1 --format=%ct 2>/dev/null || stat -c %Y "$src/NEWS.md")}
work=$(mktemp -d "${TMPDIR:-/tmp}/acme-dme-zip.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM
name_of_all=$(basename "$zip" .zip)
folder=$work/$name_of_all

# copied FILE PLACE: which must be there.
copied() {
    mkdir -p "$(dirname "$folder/$2")"
    cp "$1" "$folder/$2"
}

licenses() {
    mkdir -p "$folder/licenses"
    for terms in "$prefix"/licenses/*.txt; do
        [ "$(basename "$terms")" = cmocka.txt ] || copied "$terms" "licenses/$(basename "$terms")"
    done
    copied "$src/LICENSE" licenses/acme-dme.txt
    # What the compiler adds to each program, and the bundle's terms.
    copied /usr/share/doc/mingw-w64-common/copyright licenses/mingw-w64.txt
    copied /usr/share/doc/gcc-mingw-w64-base/copyright licenses/gcc.txt
    copied /usr/share/doc/ca-certificates/copyright licenses/ca-certificates.txt
}

manual() {
    for page in "$src"/man/*.[157]; do
        name=$(basename "$page")
        mkdir -p "$folder/doc"
        mandoc -T html -O 'man=%N.%S.html' "$page" >"$folder/doc/$name.html"
    done
    for text in windows migrating; do
        [ ! -e "$src/docs/$text.md" ] || copied "$src/docs/$text.md" "doc/$text.md"
    done
}

# The hooks of clients that run on Windows.
hooks() {
    for file in README.md win-acme simple-acme posh-acme certify windows deploy/README.md; do
        [ ! -e "$src/hooks/$file" ] || find "$src/hooks/$file" -type f
    done >"$work/hooks.list"
    find "$src/hooks" -name '*.ps1' >>"$work/hooks.list"
    while read -r file; do
        copied "$file" "${file#"$src/"}"
    done <"$work/hooks.list"
    # For the Notepad of Server 2016, which knows no other ends of lines.
    sed -i 's/$/\r/' "$folder/hooks/windows/acme-dme.yaml.example"
}

# Mozilla's roots as the package has them: the system's own bundle has those of this machine's company and proxy, too.
bundle() {
    dpkg -L ca-certificates | grep '/mozilla/.*\.crt$' | LC_ALL=C sort | xargs -d '\n' cat >"$folder/ca-bundle.crt"
}

copied "$exe" acme-dme.exe
bundle
for file in README.md NEWS.md; do copied "$src/$file" "$file"; done
licenses
manual
hooks
find "$folder" -type d -exec chmod 755 {} + -o -exec chmod 644 {} +
find "$folder" -exec touch -d "@$epoch" {} +
rm -f "$zip"
cd "$work"
find "$name_of_all" -type f | LC_ALL=C sort | TZ=UTC zip -q -X -9 "$zip" -@
