// SPDX-License-Identifier: GPL-2.0-only
/* Loading and unloading. See fake_rapl.h for what this module is. */
#include <linux/cpumask.h>
#include <linux/module.h>
#include <linux/topology.h>

#include "fake_rapl.h"

uint packages;
module_param(packages, uint, 0444);
MODULE_PARM_DESC(packages, "number of packages; 0: what the CPU topology shows");

static bool power_pmu;
module_param(power_pmu, bool, 0444);
MODULE_PARM_DESC(power_pmu, "also register the perf PMU `power`");

static bool cpu_pmu;
module_param(cpu_pmu, bool, 0444);
MODULE_PARM_DESC(cpu_pmu, "also register a stand-in perf PMU for cycles and instructions");

static int count_packages(void)
{
	int cpu, highest = 0;

	if (packages)
		return packages;
	for_each_online_cpu(cpu)
		highest = max(highest, (int)topology_physical_package_id(cpu));
	return highest + 1;
}

static int __init fake_rapl_init(void)
{
	int status = energy_init();

	if (status)
		return status;
	status = zones_register(count_packages());
	if (status)
		goto no_zones;
	if (power_pmu) {
		status = power_pmu_register();
		if (status)
			goto no_power_pmu;
	}
	if (cpu_pmu) {
		status = cpu_pmu_register();
		if (status)
			goto no_cpu_pmu;
	}
	return 0;

no_cpu_pmu:
	if (power_pmu)
		power_pmu_unregister();
no_power_pmu:
	zones_unregister();
no_zones:
	energy_exit();
	return status;
}

static void __exit fake_rapl_exit(void)
{
	if (cpu_pmu)
		cpu_pmu_unregister();
	if (power_pmu)
		power_pmu_unregister();
	zones_unregister();
	energy_exit();
}

module_init(fake_rapl_init);
module_exit(fake_rapl_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("test-only powercap tree with predictable energy");
