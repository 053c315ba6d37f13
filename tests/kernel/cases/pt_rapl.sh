# SPDX-License-Identifier: Apache-2.0
# Energy: what the formula predicts is what powertrace reports over 10 s, though every counter wraps
# several times; from powercap and from the perf PMU. The powers are high because powertrace refuses
# a range that the most a zone might draw could pass within a window: 2 s here, because an
# emulated window may end a second late.
. /lib/tap.sh
. /lib/powertrace.sh

load_rapl busy_mw=0,0,0,0,0 idle_mw=400000,300000,200000,100000,800000 has=1,1,1,1,1 power_pmu=1 \
    range_uj=900000000,840000000,820000000,260000000,3400000000
echo 0 >$POWERCAP/intel-rapl:0/enabled # or its limit would hold
trace_start powercap --source powercap --interval 1s --count 11
spin 5 &
trace_end "top reads powercap" 0
wait
trace_start perf --source perf --interval 1s --count 4
spin 2 &
trace_end "top reads the power PMU" 0
wait
unload_rapl
