#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what the interop and e2e tests, the benchmarks and the fuzz targets run beside fastmdns (Debian 12 up): BIND,
# NSD, Knot and PowerDNS, dnsperf, the tools that sign and verify zones, clang, and Go with gophercloud. Run it again as
# often as you like: it installs only what is missing. The daemons are not started, now or at boot: the tests start their own.
set -eu

PACKAGES="bind9 bind9-utils bind9-dnsutils nsd knot knot-dnsutils pdns-server pdns-backend-bind pdns-backend-sqlite3
    pdns-backend-pgsql ldnsutils dnsperf clang libclang-rt-dev golang-go golang-github-gophercloud-gophercloud-dev"
UNITS="bind9:named.service nsd:nsd.service knot:knot.service pdns-server:pdns.service"
POLICY=/usr/sbin/policy-rc.d

say() { echo "peers: $*"; }

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

allow_starts() { as_root rm -f "$POLICY"; }

# Debian's maintainer scripts ask this file whether a service may start; 101 says no.
forbid_starts() {
    [ -e "$POLICY" ] && return
    trap allow_starts EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null
    as_root chmod 755 "$POLICY"
}

is_known() { apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [^(]'; }

refresh_lists_if_needed() {
    for package in $missing; do
        if ! is_known "$package"; then
            say "the package lists lack $package: apt-get update"
            as_root apt-get -qq update
            return
        fi
    done
}

install_missing() {
    say "installing $missing"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install $missing >/dev/null
}

# A daemon that was here before keeps its settings; one that came with this run does not start at boot either.
disable_new_units() {
    command -v systemctl >/dev/null || return 0
    for pair in $UNITS; do
        case " $missing " in
            *" ${pair%%:*} "*) as_root systemctl --quiet disable "${pair#*:}" 2>/dev/null || say "no unit ${pair#*:}" ;;
        esac
    done
}

command -v apt-get >/dev/null || { say "apt-get not found; install by other means:" $PACKAGES; exit 1; }
missing=""
for package in $PACKAGES; do
    is_installed "$package" || missing="$missing $package"
done
missing=${missing# }
if [ -z "$missing" ]; then
    say "all installed"
    exit 0
fi
refresh_lists_if_needed
forbid_starts
install_missing || { say "failed; once more with fresh package lists"; as_root apt-get -qq update; install_missing; }
disable_new_units
say "done"
