// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stand-in for the CPU's own PMU. Registered for PERF_TYPE_RAW, because that is where the perf
 * core sends PERF_TYPE_HARDWARE: cycles = time the event was active * cpu_mhz, instructions =
 * cycles * ipc_percent / 100. Counting only: sampling is refused.
 */
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/perf_event.h>
#include <linux/sched/clock.h>

#include "fake_rapl.h"

static uint cpu_mhz = 1000;
module_param(cpu_mhz, uint, 0644); /* may change while it counts, as a frequency does */
static uint ipc_percent = 150;
module_param(ipc_percent, uint, 0444);

/* What a stretch of time adds. */
static u64 counted(struct perf_event *event, u64 ns)
{
	u64 cycles = mul_u64_u32_div(ns, cpu_mhz, 1000);

	if (event->attr.config == PERF_COUNT_HW_INSTRUCTIONS)
		return mul_u64_u32_div(cycles, ipc_percent, 100);
	return cycles;
}

static void event_read(struct perf_event *event)
{
	u64 now, before;

	if (event->hw.state & PERF_HES_STOPPED)
		return;
	now = local_clock();
	before = local64_xchg(&event->hw.prev_count, now);
	local64_add(counted(event, now - before), &event->count);
}

static void event_start(struct perf_event *event, int flags)
{
	local64_set(&event->hw.prev_count, local_clock());
	event->hw.state = 0;
}

static void event_stop(struct perf_event *event, int flags)
{
	event_read(event);
	event->hw.state = PERF_HES_STOPPED | PERF_HES_UPTODATE;
}

static int event_add(struct perf_event *event, int flags)
{
	event->hw.state = PERF_HES_STOPPED | PERF_HES_UPTODATE;
	if (flags & PERF_EF_START)
		event_start(event, flags);
	perf_event_update_userpage(event);
	return 0;
}

static void event_del(struct perf_event *event, int flags)
{
	event_stop(event, flags);
}

static int event_init(struct perf_event *event)
{
	if (event->attr.type != PERF_TYPE_HARDWARE || is_sampling_event(event))
		return -ENOENT;
	if (event->attr.config > PERF_COUNT_HW_INSTRUCTIONS)
		return -ENOENT;
	return 0;
}

static struct pmu cpu_pmu = {
	.module = THIS_MODULE,
	.task_ctx_nr = perf_hw_context,
	.capabilities = PERF_PMU_CAP_NO_INTERRUPT,
	.event_init = event_init,
	.add = event_add,
	.del = event_del,
	.start = event_start,
	.stop = event_stop,
	.read = event_read,
};

int cpu_pmu_register(void)
{
	return perf_pmu_register(&cpu_pmu, "cpu", PERF_TYPE_RAW);
}

void cpu_pmu_unregister(void)
{
	perf_pmu_unregister(&cpu_pmu);
}
