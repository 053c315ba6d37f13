# SPDX-License-Identifier: Apache-2.0
# The tree as the kernel's powercap class shows it.
. /lib/tap.sh

load_rapl has=1,1,1,1,1 range_uj=1000000,2000000,3000000,4000000,5000000
is "every zone is there, by name" "$(zone_names)" \
    "intel-rapl:0=package-0 intel-rapl:0:0=core intel-rapl:0:1=uncore intel-rapl:0:2=dram intel-rapl:1=psys"
is "every zone has its own range" "$(cat $POWERCAP/intel-rapl:*/max_energy_range_uj | tr '\n' ' ')" \
    "1000000 2000000 3000000 4000000 5000000 "
is "only root may read energy" "$(stat -c %a $POWERCAP/intel-rapl:0/energy_uj)" 400
is "a package has a long and a short limit" "$(cat $POWERCAP/intel-rapl:0/constraint_?_name | tr '\n' ' ')" \
    "long_term short_term "
is "a part has no maximum power" "$(errno_of cat $POWERCAP/intel-rapl:0:0/constraint_0_max_power_uw)" \
    "No data available"
unload_rapl
is "unloading takes the tree away" "$(ls $POWERCAP)" ""

load_rapl packages=3 has=1,0,0,0,0 control_type=intel-rapl-mmio
is "zones follow the packages asked for" "$(cat $POWERCAP/intel-rapl-mmio:?/name | tr '\n' ' ')" \
    "package-0 package-1 package-2 "
unload_rapl
