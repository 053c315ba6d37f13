# SPDX-License-Identifier: Apache-2.0
# The sampling programs of `powertrace record` load, and find the function that a hog is in.
. /lib/tap.sh
. /lib/powertrace.sh

check "record with stacks and slices runs to its end" \
    powertrace record --stacks --frequency 99 --slices --output /tmp/recording -- spin 2 1
check "report reads it" sh -c 'powertrace report /tmp/recording --by symbol --json >/out/functions'
