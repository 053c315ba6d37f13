# SPDX-License-Identifier: Apache-2.0
# Shared by the lab's scripts. Source it; it sets nothing but functions and LAB_*.
# shellcheck disable=SC2034 # for those who source it
LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

readonly LAB_SKIPPED=77   # what was asked for does not exist here, and stdout says why
readonly LAB_NO_VERDICT=125 # the guest never reported

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

note() {
    printf '# %s\n' "$*"
}

skip() {
    printf '%s\n' "$*"
    exit "$LAB_SKIPPED"
}

# need COMMAND PACKAGE: ends with a message that names the Debian package.
need() {
    command -v "$1" >/dev/null || die "$1 is missing: install the Debian package $2" \
        "(tests/kernel/run.sh --install, as root, installs all that the lab needs)"
}

debian_arch() {
    case $1 in
    x86_64) echo amd64 ;;
    arm64) echo arm64 ;;
    *) die "unknown architecture '$1': x86_64 and arm64 are known" ;;
    esac
}

# sums_ok DIR: DIR holds every file that its SHA256SUMS lists, unchanged.
sums_ok() {
    [ -s "$1/SHA256SUMS" ] && (cd "$1" && sha256sum --quiet --strict --check SHA256SUMS) >/dev/null 2>&1
}

# sums_write DIR: from now on sums_ok DIR holds.
sums_write() {
    rm -f "$1/SHA256SUMS"
    (cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum) >"$1.sums"
    mv "$1.sums" "$1/SHA256SUMS"
}

# conf_rows FILE: its lines without comments and blank ones.
conf_rows() {
    grep -vE '^[[:space:]]*(#|$)' "$1"
}
