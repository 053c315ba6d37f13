# SPDX-License-Identifier: Apache-2.0
# A guest without a RAPL: no zone, no power PMU.
. /lib/tap.sh

is "there is no powercap zone" "$(ls $POWERCAP 2>/dev/null)" ""
is "there is no power PMU" "$(ls $POWER_PMU 2>/dev/null)" ""
