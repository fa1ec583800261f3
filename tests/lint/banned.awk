# SPDX-License-Identifier: MIT
# check-banned: calls of banned.txt in code; behind strip.awk.
function complain(text) { print FILENAME ":" FNR ": " text; bad = 1 }
function may(file, list,    words, count, i) {
    count = split(list, words, " ")
    for (i = 1; i <= count; i++)
        if (file == words[i] || (words[i] ~ /\/$/ && index(file, words[i]) == 1)) return 1
    return 0
}
function code(line,    word, rest, file) {
    if (line ~ /^[ \t]*#/) return
    file = FILENAME; sub(/^src\//, "", file)
    lines++
    while (match(line, /[A-Za-z_][A-Za-z0-9_]*/)) {
        word = substr(line, RSTART, RLENGTH)
        before = substr(line, 1, RSTART - 1)
        rest = substr(line, RSTART + RLENGTH)
        # A member or a variable of that name is something else than the call.
        if ((word in reason) && (rest ~ /^[ \t]*\(/ || word == "goto") && before !~ /(\.|->)[ \t]*$/ && !may(file, places[word]))
            complain("\"" word "\": " reason[word])
        line = rest
    }
}
BEGIN {
    while ((getline line < (lint "/banned.txt")) > 0) {
        if (line ~ /^#/ || split(line, part, ":") < 3) continue
        count = split(part[1], names, " ")
        for (i = 1; i <= count; i++) { reason[names[i]] = part[2]; sub(/^ /, "", reason[names[i]]); places[names[i]] = part[3] }
        rules++
    }
    if (rules < 10) { print "banned.txt is empty"; bad = 1 }
}
END {
    if (lines < 1000) { print "only " lines + 0 " lines were looked at"; bad = 1 }
    exit bad
}
