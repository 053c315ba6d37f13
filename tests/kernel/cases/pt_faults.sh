# SPDX-License-Identifier: Apache-2.0
# Zones that fail, heal and go away while powertrace reads them: the others go on.
. /lib/tap.sh
. /lib/powertrace.sh

parameters=/sys/module/pt_fake_rapl/parameters
load_rapl busy_mw=0,0,0,0,0 idle_mw=20000,5000,0,3000,35000 has=1,1,0,1,0
trace_start faults --source powercap --interval 1s --count 10
snapshots 1
echo 3 >$parameters/fail_kind
echo 5 >$parameters/fail_errno
snapshots 3
echo 0 >$parameters/fail_errno
snapshots 3
check "a zone goes away under it" write_to $parameters/vanish 3
trace_end "top survives" 0
unload_rapl
