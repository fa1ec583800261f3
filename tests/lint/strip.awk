# SPDX-License-Identifier: MIT
# C without comments and without what is inside string and character literals, line by line: what is left is code.
# Use: awk -f strip.awk -f other.awk; the other one defines code(line), called for each line with FILENAME and FNR set.
function strip(line,    out, c, two) {
    out = ""
    while (line != "") {
        c = substr(line, 1, 1)
        two = substr(line, 1, 2)
        if (in_comment) {
            if (two == "*/") { in_comment = 0; line = substr(line, 3) } else line = substr(line, 2)
        } else if (quote != "") {
            if (c == "\\") line = substr(line, 3)
            else { if (c == quote) { quote = ""; out = out c } line = substr(line, 2) }
        } else if (two == "/*") {
            in_comment = 1
            out = out " "
            line = substr(line, 3)
        } else if (two == "//") {
            line = ""
        } else {
            if (c == "\"" || c == "'") quote = c
            out = out c
            line = substr(line, 2)
        }
    }
    return out
}
FNR == 1 { in_comment = 0; quote = "" }
{ code(strip($0)) }
