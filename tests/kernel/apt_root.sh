# SPDX-License-Identifier: Apache-2.0
# A private apt root: other suites and another architecture from the mirrors the system already
# uses, without a change to the system's own sources, lists or package state. No root needed.
# Source it after lib.sh.

# apt_mirror SUITE: the URI of the system's own mirror that would carry SUITE.
apt_mirror() {
    local label=Debian
    case $1 in *-security) label=Debian-Security ;; esac
    # shellcheck disable=SC2016 # the dollars are apt's
    apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        awk -v label="$label" '$1 == label { print $2; exit }'
}

# apt_root_open DIR ARCH SUITE: makes the root and updates its lists. Status 77 if the mirror has no
# such suite, 1 if the mirror cannot be reached.
apt_root_open() {
    local dir=$1 arch=$2 suite=$3 mirror log
    mirror=$(apt_mirror "$suite")
    [ -n "$mirror" ] || die "the system's apt sources name no Debian mirror for $suite:" \
        "add one and run apt-get update"
    mkdir -p "$dir"/{state/lists/partial,cache/archives/partial,etc/none}
    : >"$dir/state/status"
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' \
        "$mirror" "$suite" >"$dir/etc/sources.list"
    cat >"$dir/etc/apt.conf" <<EOF
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::http::Timeout "20";
Acquire::Retries "2";
Dir::Etc::sourcelist "$dir/etc/sources.list";
Dir::Etc::sourceparts "$dir/etc/none";
Dir::Etc::preferencesparts "$dir/etc/none";
Dir::State "$dir/state";
Dir::State::status "$dir/state/status";
Dir::Cache "$dir/cache";
EOF
    log=$dir/update.log
    apt_root_run "$dir" timeout 240 apt-get update --error-on=any >"$log" 2>&1 && return 0
    if grep -qE '404|does not have a Release file' "$log"; then
        return "$LAB_SKIPPED"
    fi
    grep -E '^(E|W):' "$log" | head -3 >&2
    return 1
}

# apt_root_run DIR COMMAND...: an apt command inside the root.
apt_root_run() {
    local dir=$1
    shift
    APT_CONFIG=$dir/etc/apt.conf "$@"
}

# apt_root_linux_closure DIR META: the linux-* packages that the meta package META stands for.
apt_root_linux_closure() {
    apt_root_run "$1" apt-cache depends --recurse --important "$2" 2>/dev/null |
        grep -E '^linux-(image|binary|modules|base|headers|kbuild)-[0-9]' | grep -vxF "$2" | grep -v -- '-unsigned$' | sort -u
}

# apt_root_download DIR TO PACKAGE...: the packages' files into TO, checked by apt against the
# signed lists. Status 77 if the mirror lacks a file that its own lists name.
apt_root_download() {
    local dir=$1 to=$2
    shift 2
    (cd "$to" && apt_root_run "$dir" timeout 300 apt-get download -q=2 "$@") >"$dir/download.log" 2>&1 &&
        return 0
    grep -E '^(E|W):' "$dir/download.log" | head -3 >&2
    if grep -qE ' 404 ' "$dir/download.log"; then
        return "$LAB_SKIPPED"
    fi
    return 1
}

# apt_root_source DIR TO PACKAGE: a source package's files into TO, checked likewise.
apt_root_source() {
    local dir=$1 to=$2 package=$3
    if ! grep -q '^deb-src' "$dir/etc/sources.list"; then
        sed -i 's/^deb \(.*\)/&\ndeb-src \1/' "$dir/etc/sources.list"
        apt_root_run "$dir" timeout 240 apt-get update --error-on=any >"$dir/update.log" 2>&1 || return 1
    fi
    (cd "$to" && apt_root_run "$dir" timeout 300 apt-get source --download-only -q=2 "$package") >"$dir/download.log" 2>&1
}
