# SPDX-License-Identifier: Apache-2.0
# The real driver's zones of two dies are zones of their own, and both are in the total.
. /lib/tap.sh
. /lib/powertrace.sh

insmod /lib/iosf_mbi.ko && insmod /lib/intel_rapl_common.ko
check "the registers load" insmod /lib/pt_rapl_regs.ko mw=30000,0,0,0,0 start_raw=0xfffc0000
trace_start dies --source powercap --interval 1s --count 6
trace_end "top runs on two dies" 0
rmmod pt_rapl_regs
