#!/usr/bin/env sh
# shellcheck disable=SC2034
dns_acmedme_info='DNS Made Easy through acme-dme
 acme-dme finds the zone, waits for every name server, and removes exactly what it made.
Docs: acme-dme-hooks(7)
Options:
 ACME_DME Path of the program. Optional: found on PATH, in /usr/bin or /usr/local/bin
 ACMEDME_OPTIONS Options for it, e.g. "--no-wait". Optional
'

# SPDX-License-Identifier: MIT
#
# Copy to ~/.acme.sh/dnsapi/ and issue with "--dns dns_acmedme --dnssleep 1": the record is on all name servers when
# dns_acmedme_add returns.  Credentials are acme-dme's own (/etc/acme-dme/acme-dme.yaml); acme.sh stores none.

# Usage: dns_acmedme_add _acme-challenge.www.example.com "the TXT value"
dns_acmedme_add() {
  _acmedme_run add-record "$1" "$2"
}

# Usage: dns_acmedme_rm _acme-challenge.www.example.com "the TXT value"
dns_acmedme_rm() {
  _acmedme_run del-record "$1" "$2"
}

# Both are kept for renewals; not at home in every program that borrows acme.sh's files (Proxmox).
_acmedme_setting() {
  if command -v _readaccountconf_mutable >/dev/null 2>&1; then
    _readaccountconf_mutable "$1"
  fi
}

_acmedme_keep() {
  if [ -n "$2" ] && command -v _saveaccountconf_mutable >/dev/null 2>&1; then
    _saveaccountconf_mutable "$1" "$2"
  fi
}

_acmedme_find() {
  if [ -n "$ACME_DME" ]; then
    echo "$ACME_DME"
    return 0
  fi
  if command -v acme-dme; then
    return 0
  fi
  for _acmedme_dir in /usr/bin /usr/local/bin; do
    if [ -x "$_acmedme_dir/acme-dme" ]; then
      echo "$_acmedme_dir/acme-dme"
      return 0
    fi
  done
  return 1
}

# The value may begin with "-": behind the verb acme-dme takes nothing for an option.
_acmedme_run() {
  ACME_DME="${ACME_DME:-$(_acmedme_setting ACME_DME)}"
  ACMEDME_OPTIONS="${ACMEDME_OPTIONS:-$(_acmedme_setting ACMEDME_OPTIONS)}"
  if ! _acmedme_program="$(_acmedme_find)"; then
    echo "dns_acmedme: acme-dme is not on PATH, in /usr/bin or in /usr/local/bin; set ACME_DME to its path" >&2
    return 1
  fi
  # shellcheck disable=SC2086  # several options, split at spaces
  "$_acmedme_program" $ACMEDME_OPTIONS "$@" || return 1
  _acmedme_keep ACME_DME "$ACME_DME"
  _acmedme_keep ACMEDME_OPTIONS "$ACMEDME_OPTIONS"
}
