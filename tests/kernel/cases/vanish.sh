# SPDX-License-Identifier: Apache-2.0
# Zones that go away under a reader, as with a driver that is unloaded.
. /lib/tap.sh

load_rapl has=1,1,0,1,1
exec 3<$POWERCAP/intel-rapl:0:1/energy_uj
check "dram goes away" write_to /sys/module/pt_fake_rapl/parameters/vanish 3
is "the others stay" "$(zone_names)" "intel-rapl:0=package-0 intel-rapl:0:0=core intel-rapl:1=psys"
is "an open file of it reads ENODEV" "$(cat <&3 2>&1 | sed 's/.*: //')" "No such device"
exec 3<&-
check "the package goes away" write_to /sys/module/pt_fake_rapl/parameters/vanish 0
is "only psys stays" "$(zone_names)" "intel-rapl:1=psys"
unload_rapl
is "unloading leaves nothing" "$(ls $POWERCAP)" ""
