# SPDX-License-Identifier: Apache-2.0
# A kernel that lacks what powertrace needs is refused with the reason and exit status 3.
. /lib/tap.sh
. /lib/powertrace.sh

powertrace top --batch --json --count 1 >/tmp/stdout 2>/tmp/stderr
is "powertrace refuses with exit status 3" "$?" 3
check "it says from which kernel on it works" grep -q "needs 5.15 or later" /tmp/stderr
is "and prints no snapshot" "$(cat /tmp/stdout)" ""
sed 's/^/# /' /tmp/stderr
