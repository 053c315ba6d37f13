// SPDX-License-Identifier: GPL-2.0-only
/* The `power` PMU: energy-cores, energy-pkg, energy-ram, in the unit of the kernel's own (2^-32 J). */
#include <linux/cpumask.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/perf_event.h>

#include "fake_rapl.h"

enum { EVENT_CORES = 1, EVENT_PKG, EVENT_RAM };

static u64 raw_count(struct perf_event *event)
{
	static const enum zone_kind kinds[] = {
		[EVENT_CORES] = KIND_CORE, [EVENT_PKG] = KIND_PACKAGE, [EVENT_RAM] = KIND_DRAM,
	};
	u64 nj = zones_energy_nj(kinds[event->attr.config], package_of_cpu(event->cpu));

	return mul_u64_u32_div(nj, 1 << 23, 1953125); /* 2^32 / 10^9, both divided by 2^9 */
}

static void event_read(struct perf_event *event)
{
	u64 now = raw_count(event);
	u64 before = local64_xchg(&event->hw.prev_count, now);

	local64_add(now - before, &event->count);
}

static void event_start(struct perf_event *event, int flags)
{
	local64_set(&event->hw.prev_count, raw_count(event));
	event->hw.state = 0;
}

static void event_stop(struct perf_event *event, int flags)
{
	if (event->hw.state & PERF_HES_STOPPED)
		return;
	event_read(event);
	event->hw.state = PERF_HES_STOPPED | PERF_HES_UPTODATE;
}

static int event_add(struct perf_event *event, int flags)
{
	event->hw.state = PERF_HES_STOPPED | PERF_HES_UPTODATE;
	if (flags & PERF_EF_START)
		event_start(event, flags);
	return 0;
}

static void event_del(struct perf_event *event, int flags)
{
	event_stop(event, flags);
}

static int event_init(struct perf_event *event)
{
	if (event->attr.type != event->pmu->type)
		return -ENOENT;
	if (event->cpu < 0 || is_sampling_event(event))
		return -EINVAL;
	if (event->attr.config < EVENT_CORES || event->attr.config > EVENT_RAM)
		return -EINVAL;
	event->event_caps |= PERF_EV_CAP_READ_ACTIVE_PKG;
	return 0;
}

PMU_FORMAT_ATTR(event, "config:0-7");
static struct attribute *format_attrs[] = { &format_attr_event.attr, NULL };
static const struct attribute_group format_group = { .name = "format", .attrs = format_attrs };

#define SCALE "2.3283064365386962890625e-10"
PMU_EVENT_ATTR_STRING(energy-cores, cores, "event=0x01");
PMU_EVENT_ATTR_STRING(energy-cores.unit, cores_unit, "Joules");
PMU_EVENT_ATTR_STRING(energy-cores.scale, cores_scale, SCALE);
PMU_EVENT_ATTR_STRING(energy-pkg, pkg, "event=0x02");
PMU_EVENT_ATTR_STRING(energy-pkg.unit, pkg_unit, "Joules");
PMU_EVENT_ATTR_STRING(energy-pkg.scale, pkg_scale, SCALE);
PMU_EVENT_ATTR_STRING(energy-ram, ram, "event=0x03");
PMU_EVENT_ATTR_STRING(energy-ram.unit, ram_unit, "Joules");
PMU_EVENT_ATTR_STRING(energy-ram.scale, ram_scale, SCALE);
static struct attribute *event_attrs[] = {
	&cores.attr.attr, &cores_unit.attr.attr, &cores_scale.attr.attr,
	&pkg.attr.attr,	  &pkg_unit.attr.attr,	 &pkg_scale.attr.attr,
	&ram.attr.attr,	  &ram_unit.attr.attr,	 &ram_scale.attr.attr,
	NULL,
};
static const struct attribute_group event_group = { .name = "events", .attrs = event_attrs };

/* One reader per package: its first CPU that is online. */
static ssize_t cpumask_show(struct device *dev, struct device_attribute *attr, char *text)
{
	cpumask_var_t readers;
	ssize_t length;
	int cpu, other;

	if (!zalloc_cpumask_var(&readers, GFP_KERNEL))
		return -ENOMEM;
	for_each_online_cpu(cpu) {
		bool first = true;

		for_each_cpu(other, readers)
			first &= package_of_cpu(other) != package_of_cpu(cpu);
		if (first)
			cpumask_set_cpu(cpu, readers);
	}
	length = sysfs_emit(text, "%*pbl\n", cpumask_pr_args(readers));
	free_cpumask_var(readers);
	return length;
}
static DEVICE_ATTR_RO(cpumask);
static struct attribute *cpumask_attrs[] = { &dev_attr_cpumask.attr, NULL };
static const struct attribute_group cpumask_group = { .attrs = cpumask_attrs };

static const struct attribute_group *groups[] = { &cpumask_group, &format_group, &event_group, NULL };

static struct pmu power_pmu = {
	.module = THIS_MODULE,
	.task_ctx_nr = perf_invalid_context,
	.capabilities = PERF_PMU_CAP_NO_EXCLUDE,
	.attr_groups = groups,
	.event_init = event_init,
	.add = event_add,
	.del = event_del,
	.start = event_start,
	.stop = event_stop,
	.read = event_read,
};

int power_pmu_register(void)
{
	return perf_pmu_register(&power_pmu, "power", -1);
}

void power_pmu_unregister(void)
{
	perf_pmu_unregister(&power_pmu);
}
