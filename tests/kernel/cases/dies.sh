# SPDX-License-Identifier: Apache-2.0
# One package of two dies: the real driver makes a zone of each die.
. /lib/tap.sh

check "iosf_mbi loads" insmod /lib/iosf_mbi.ko
check "intel_rapl_common loads" insmod /lib/intel_rapl_common.ko
check "the registers load" insmod /lib/pt_rapl_regs.ko mw=30000,0,0,0,0
is "zones are named by package and die" "$(zone_names)" \
    "intel-rapl:0=package-0-die-0 intel-rapl:1=package-0-die-1"
rmmod pt_rapl_regs
