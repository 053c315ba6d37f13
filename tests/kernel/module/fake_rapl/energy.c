// SPDX-License-Identifier: GPL-2.0-only
/* The formula of fake_rapl.h. mW * us = nJ keeps every step exact. */
#include <linux/cpumask.h>
#include <linux/kernel_stat.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/tick.h>
#include <linux/topology.h>

#include "fake_rapl.h"

static uint idle_mw[KINDS] = { 10000, 2000, 500, 3000, 15000 };
module_param_array(idle_mw, uint, NULL, 0444);
MODULE_PARM_DESC(idle_mw, "constant power of package, core, uncore, dram, psys");

static uint busy_mw[KINDS] = { 20000, 15000, 0, 1000, 22000 };
module_param_array(busy_mw, uint, NULL, 0444);
MODULE_PARM_DESC(busy_mw, "power added by each busy CPU: package, core, uncore, dram, psys");

static uint update_us = 1000;
module_param(update_us, uint, 0444);
MODULE_PARM_DESC(update_us, "the counters move in steps of this, as the hardware's do");

static u64 epoch_ns;
module_param(epoch_ns, ullong, 0444);
MODULE_PARM_DESC(epoch_ns, "CLOCK_MONOTONIC instant of energy 0 (set when the module loads)");

struct cpu_account {
	int package;
	bool known;  /* the two below were taken while the CPU was online */
	u64 at_us;
	u64 idle_us;
	u64 busy_us; /* accumulated, survives the CPU going offline */
};

static DEFINE_SPINLOCK(energy_lock);
static struct cpu_account *accounts; /* one per possible CPU, guarded by energy_lock */

int package_of_cpu(int cpu)
{
	return packages ? cpu % packages : topology_physical_package_id(cpu);
}

static u64 now_us(void)
{
	return div_u64(ktime_get_ns() - epoch_ns, NSEC_PER_USEC);
}

static void account_cpu(struct cpu_account *account, int cpu)
{
	u64 now = now_us(), idle = get_cpu_idle_time_us(cpu, NULL);
	s64 busy;

	if (!cpu_online(cpu) || idle == (u64)-1) {
		account->known = false;
		return;
	}
	idle += get_cpu_iowait_time_us(cpu, NULL);
	if (account->known) {
		busy = (s64)(now - account->at_us) - (s64)(idle - account->idle_us);
		if (busy < 0) /* the idle time of a sleeping CPU is read without its lock */
			return;
		account->busy_us += busy;
	}
	account->package = package_of_cpu(cpu);
	account->known = true;
	account->at_us = now;
	account->idle_us = idle;
}

static u64 busy_us_of(int package)
{
	u64 busy = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		account_cpu(&accounts[cpu], cpu);
		if (package == ALL_PACKAGES || accounts[cpu].package == package)
			busy += accounts[cpu].busy_us;
	}
	return busy;
}

static void advance(struct rapl_zone *zone)
{
	u64 now = now_us(), elapsed, busy, add;

	now -= now % max(update_us, 1U);
	if (now <= zone->at_us)
		return;
	elapsed = now - zone->at_us;
	busy = busy_mw[zone->kind] ? busy_us_of(zone->package) : 0;
	add = idle_mw[zone->kind] * elapsed + busy_mw[zone->kind] * (busy - zone->busy_us);
	if (zone->enabled && zone->limit_uw[0])
		add = min(add, div_u64(zone->limit_uw[0] * elapsed, 1000));
	zone->energy_nj += add;
	zone->at_us = now;
	zone->busy_us = busy;
}

u64 energy_of(struct rapl_zone *zone)
{
	unsigned long flags;
	u64 energy;

	spin_lock_irqsave(&energy_lock, flags);
	advance(zone);
	energy = zone->energy_nj;
	spin_unlock_irqrestore(&energy_lock, flags);
	return energy;
}

/* A new limit counts from now on. */
void energy_set_limit(struct rapl_zone *zone, int index, u64 limit_uw)
{
	unsigned long flags;

	spin_lock_irqsave(&energy_lock, flags);
	advance(zone);
	zone->limit_uw[index] = limit_uw;
	spin_unlock_irqrestore(&energy_lock, flags);
}

void energy_set_enabled(struct rapl_zone *zone, bool enabled)
{
	unsigned long flags;

	spin_lock_irqsave(&energy_lock, flags);
	advance(zone);
	zone->enabled = enabled;
	spin_unlock_irqrestore(&energy_lock, flags);
}

int energy_init(void)
{
	int cpu;

	accounts = kcalloc(nr_cpu_ids, sizeof(*accounts), GFP_KERNEL);
	if (!accounts)
		return -ENOMEM;
	epoch_ns = ktime_get_ns();
	for_each_possible_cpu(cpu)
		account_cpu(&accounts[cpu], cpu);
	return 0;
}

void energy_exit(void)
{
	kfree(accounts);
}
