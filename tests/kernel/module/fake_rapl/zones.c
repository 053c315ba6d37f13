// SPDX-License-Identifier: GPL-2.0-only
/* The powercap tree: one package zone per package, its parts below it, psys beside them. */
#include <linux/err.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/powercap.h>
#include <linux/slab.h>

#include "fake_rapl.h"

#define LIMIT_STEP_UW 125000 /* Intel's power unit: 1/8 W */
#define WINDOW_STEP_US 976   /* Intel's time unit: 1/1024 s */

static char *control_type = "intel-rapl";
module_param(control_type, charp, 0444);
MODULE_PARM_DESC(control_type, "name of the control type, e.g. intel-rapl-mmio");

static bool has[KINDS] = { true, true, false, true, false };
module_param_array(has, bool, NULL, 0444);
MODULE_PARM_DESC(has, "which zones exist: package (always), core, uncore, dram, psys");

static unsigned long long range_uj[KINDS] = { 262143328850ULL, 262143328850ULL, 262143328850ULL,
				  65712999613ULL, 262143328850ULL };
module_param_array(range_uj, ullong, NULL, 0444);
MODULE_PARM_DESC(range_uj, "where the counter of package, core, uncore, dram, psys wraps");

static int fail_errno;
module_param(fail_errno, int, 0644);
MODULE_PARM_DESC(fail_errno, "live: reads of energy and limits fail with this errno; 0: they work");

static int fail_kind = -1;
module_param(fail_kind, int, 0644);
MODULE_PARM_DESC(fail_kind, "live: the kind of zone that fail_errno hits; -1: every kind");

static bool locked;
module_param(locked, bool, 0644);
MODULE_PARM_DESC(locked, "live: limits cannot be written, as with a lock bit set by the BIOS");

static const char *const kind_names[KINDS] = { "package", "core", "uncore", "dram", "psys" };
static struct powercap_control_type *type;
static struct rapl_zone *zones;
static int zone_count;

static struct rapl_zone *to_zone(struct powercap_zone *powercap)
{
	return container_of(powercap, struct rapl_zone, powercap);
}

static int fault_of(struct rapl_zone *zone)
{
	return fail_kind < 0 || fail_kind == (int)zone->kind ? -fail_errno : 0;
}

static int get_range(struct powercap_zone *powercap, u64 *value)
{
	*value = range_uj[to_zone(powercap)->kind];
	return 0;
}

static int get_energy(struct powercap_zone *powercap, u64 *value)
{
	struct rapl_zone *zone = to_zone(powercap);
	int fault = fault_of(zone);

	if (fault)
		return fault;
	/* The hardware's counter counts to the range and starts again: it takes range + 1 values. */
	div64_u64_rem(div_u64(energy_of(zone), 1000), range_uj[zone->kind] + 1, value);
	return 0;
}

static int set_enable(struct powercap_zone *powercap, bool enabled)
{
	if (locked)
		return -EACCES;
	energy_set_enabled(to_zone(powercap), enabled);
	return 0;
}

static int get_enable(struct powercap_zone *powercap, bool *enabled)
{
	*enabled = to_zone(powercap)->enabled;
	return 0;
}

/* The class insists on it for zones it did not allocate; ours are freed together. */
static int release(struct powercap_zone *powercap)
{
	return 0;
}

static const struct powercap_zone_ops zone_ops = {
	.get_max_energy_range_uj = get_range,
	.get_energy_uj = get_energy,
	.set_enable = set_enable,
	.get_enable = get_enable,
	.release = release,
};

static int set_limit(struct powercap_zone *powercap, int index, u64 value)
{
	int fault = fault_of(to_zone(powercap));

	if (fault)
		return fault;
	if (locked)
		return -EACCES;
	energy_set_limit(to_zone(powercap), index, value - value % LIMIT_STEP_UW);
	return 0;
}

static int get_limit(struct powercap_zone *powercap, int index, u64 *value)
{
	*value = to_zone(powercap)->limit_uw[index];
	return fault_of(to_zone(powercap));
}

static int set_window(struct powercap_zone *powercap, int index, u64 value)
{
	if (locked)
		return -EACCES;
	to_zone(powercap)->window_us[index] = value - value % WINDOW_STEP_US;
	return 0;
}

static int get_window(struct powercap_zone *powercap, int index, u64 *value)
{
	*value = to_zone(powercap)->window_us[index];
	return 0;
}

static int get_max_power(struct powercap_zone *powercap, int index, u64 *value)
{
	if (to_zone(powercap)->kind != KIND_PACKAGE)
		return -ENODATA;
	*value = index ? 0 : 125000000;
	return 0;
}

static const char *get_limit_name(struct powercap_zone *powercap, int index)
{
	return index ? "short_term" : "long_term";
}

static const struct powercap_zone_constraint_ops limit_ops = {
	.set_power_limit_uw = set_limit,
	.get_power_limit_uw = get_limit,
	.set_time_window_us = set_window,
	.get_time_window_us = get_window,
	.get_max_power_uw = get_max_power,
	.get_name = get_limit_name,
};

static struct rapl_zone *add_zone(enum zone_kind kind, int package, struct rapl_zone *parent)
{
	struct rapl_zone *zone = &zones[zone_count];
	struct powercap_zone *added;
	char name[24];

	zone->kind = kind;
	zone->package = package;
	if (kind == KIND_PACKAGE) {
		snprintf(name, sizeof(name), "package-%d", package);
		zone->enabled = true;
		zone->limit_uw[0] = 125000000;
		zone->limit_uw[1] = 156250000;
		zone->window_us[0] = 27982848;
		zone->window_us[1] = 1952;
	} else {
		strscpy(name, kind_names[kind], sizeof(name));
	}
	added = powercap_register_zone(&zone->powercap, type, name, parent ? &parent->powercap : NULL,
				       &zone_ops, kind == KIND_PACKAGE || kind == KIND_PSYS ? 2 : 1,
				       &limit_ops);
	if (IS_ERR(added))
		return ERR_CAST(added);
	zone->registered = true;
	zone_count++;
	return zone;
}

static int add_package(int package)
{
	struct rapl_zone *parent = add_zone(KIND_PACKAGE, package, NULL), *child;
	enum zone_kind kind;

	if (IS_ERR(parent))
		return PTR_ERR(parent);
	for (kind = KIND_CORE; kind <= KIND_DRAM; kind++) {
		if (!has[kind])
			continue;
		child = add_zone(kind, package, parent);
		if (IS_ERR(child))
			return PTR_ERR(child);
	}
	return 0;
}

/* Parts before their package: they were added after it. */
static void remove_zones(bool (*wanted)(struct rapl_zone *zone, int kind), int kind)
{
	int i;

	for (i = zone_count - 1; i >= 0; i--) {
		if (!zones[i].registered || !wanted(&zones[i], kind))
			continue;
		zones[i].registered = false;
		powercap_unregister_zone(type, &zones[i].powercap);
	}
}

static bool is_kind(struct rapl_zone *zone, int kind)
{
	return (int)zone->kind == kind || (kind == KIND_PACKAGE && zone->kind != KIND_PSYS);
}

static bool is_any(struct rapl_zone *zone, int kind)
{
	return true;
}

static int vanish(const char *value, const struct kernel_param *param)
{
	int kind, status = kstrtoint(value, 0, &kind);

	if (status)
		return status;
	if (kind < 0 || kind >= KINDS)
		return -EINVAL;
	remove_zones(is_kind, kind);
	return 0;
}

static const struct kernel_param_ops vanish_ops = { .set = vanish };
module_param_cb(vanish, &vanish_ops, NULL, 0200);
MODULE_PARM_DESC(vanish, "live: take away all zones of this kind (0: packages with their parts)");

int zones_register(int packages)
{
	int package, status = 0;

	zones = kcalloc(packages * KIND_PSYS + 1, sizeof(*zones), GFP_KERNEL);
	if (!zones)
		return -ENOMEM;
	type = powercap_register_control_type(NULL, control_type, NULL);
	if (IS_ERR_OR_NULL(type)) {
		kfree(zones);
		return type ? PTR_ERR(type) : -EEXIST;
	}
	for (package = 0; package < packages && !status; package++)
		status = add_package(package);
	if (!status && has[KIND_PSYS])
		status = PTR_ERR_OR_ZERO(add_zone(KIND_PSYS, ALL_PACKAGES, NULL));
	if (status)
		zones_unregister();
	return status;
}

void zones_unregister(void)
{
	remove_zones(is_any, 0);
	powercap_unregister_control_type(type);
	kfree(zones);
}

u64 zones_energy_nj(enum zone_kind kind, int package)
{
	u64 sum = 0;
	int i;

	for (i = 0; i < zone_count; i++) {
		if (zones[i].kind == kind && (package == ALL_PACKAGES || zones[i].package == package))
			sum += energy_of(&zones[i]);
	}
	return sum;
}
