/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TEST ONLY. A RAPL whose energy a test can predict, shown by the kernel's own powercap class and
 * perf core: layout, permissions, wrap-around, limits and error codes are the kernel's, not ours.
 *
 * Every zone's energy follows one formula, from the instant epoch_ns (CLOCK_MONOTONIC):
 *
 *	energy = idle_mw[kind] * elapsed + busy_mw[kind] * busy CPU time of its package
 *
 * advanced in steps of update_us, and held to the zone's first limit while the zone is enabled.
 * With busy_mw=0,0,0,0,0 and no limit the energy is a function of time alone, exact to the uJ.
 */
#pragma once

#include <linux/powercap.h>
#include <linux/types.h>

enum zone_kind { KIND_PACKAGE, KIND_CORE, KIND_UNCORE, KIND_DRAM, KIND_PSYS, KINDS };

#define ALL_PACKAGES (-1)
#define MAX_LIMITS 2

struct rapl_zone {
	struct powercap_zone powercap;
	enum zone_kind kind;
	int package;	/* ALL_PACKAGES for psys */
	bool registered;
	bool enabled;
	u64 energy_nj;	/* at at_us, never wraps; the rest of this block guarded by the energy lock */
	u64 at_us;	/* since the epoch */
	u64 busy_us;	/* busy CPU time of the package already charged */
	u64 limit_uw[MAX_LIMITS];
	u64 window_us[MAX_LIMITS];
};

/* zones.c: the powercap tree. */
int zones_register(int packages);
void zones_unregister(void);
/* Energy of all zones of a kind in a package, in nJ since the epoch. */
u64 zones_energy_nj(enum zone_kind kind, int package);

/* energy.c: the formula. Safe in interrupts. */
int energy_init(void);
void energy_exit(void);
u64 energy_of(struct rapl_zone *zone);
void energy_set_limit(struct rapl_zone *zone, int index, u64 limit_uw);
void energy_set_enabled(struct rapl_zone *zone, bool enabled);
/* The package a CPU counts for: by topology, or dealt out if the tree was told a package count. */
int package_of_cpu(int cpu);

/* power_pmu.c: perf's `power` PMU, as arch/x86/events/rapl.c shows it. */
int power_pmu_register(void);
void power_pmu_unregister(void);

/* cpu_pmu.c: cycles and instructions where the emulated CPU counts none. */
int cpu_pmu_register(void);
void cpu_pmu_unregister(void);

/* main.c: parameters that more than one file needs. */
extern uint packages;
