// SPDX-License-Identifier: GPL-2.0-only
/*
 * TEST ONLY. Gives the kernel's real intel_rapl_common a RAPL interface whose registers are in
 * memory, as intel_rapl_msr gives it MSRs. Units, the 32-bit wrap, the encoding of limits and time
 * windows, lock bits, zone names and error codes are therefore those of the real driver.
 *
 * Energy: each die's zone follows mw[zone] * time, from start_raw counter units on.
 * Needs a CPU model that the driver knows (qemu -cpu Skylake-Server) and kernel 5.15 to 6.x.
 */
#include <linux/cpumask.h>
#include <linux/intel_rapl.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/spinlock.h>
#include <linux/topology.h>
#include <linux/version.h>

#define MAX_DIES 8
#define FIRST_REGISTER 0x600
#define REGISTERS 0x80
#define MSR_UNIT 0x606
#define MSR_PACKAGE_LIMIT 0x610
#define MSR_PACKAGE_INFO 0x614

#define UNITS 0xa0e03 /* power 1/8 W, energy 2^-14 J, time 1/1024 s */
#define LIMITS_75_105_W 0x00428348001d8258ULL /* both on, with time windows */
#define LOCK_BIT (1ULL << 63)
#define TDP_75_W 600

static uint mw[RAPL_DOMAIN_MAX] = { 30000, 20000, 0, 4000, 0 };
module_param_array(mw, uint, NULL, 0444);
MODULE_PARM_DESC(mw, "power of package, core, uncore, dram, psys; 0: no such zone");

static uint start_raw = 0xfff00000;
module_param(start_raw, uint, 0444);
MODULE_PARM_DESC(start_raw, "first value of every energy counter; they wrap at 32 bits");

static bool lock;
module_param(lock, bool, 0444);
MODULE_PARM_DESC(lock, "limits are locked, as a BIOS does it");

static u64 epoch_ns;
module_param(epoch_ns, ullong, 0444);
MODULE_PARM_DESC(epoch_ns, "CLOCK_MONOTONIC instant of start_raw (set when the module loads)");

/* What changed in the driver's interface with 6.5. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#define REG(r) ((r).val)
#define ADD_PACKAGE(cpu) rapl_add_package(cpu, &interface, true)
#else
#define REG(r) (r)
#define ADD_PACKAGE(cpu) rapl_add_package(cpu, &interface)
#endif

static struct rapl_if_priv interface;
static struct rapl_package *dies[MAX_DIES];
static u64 registers[MAX_DIES][REGISTERS];
static DEFINE_SPINLOCK(registers_lock);

static const struct {
	enum rapl_domain_type domain;
	enum rapl_domain_reg_id id;
	u32 msr;
} register_map[] = {
	{ RAPL_DOMAIN_PACKAGE, RAPL_DOMAIN_REG_LIMIT, MSR_PACKAGE_LIMIT },
	{ RAPL_DOMAIN_PACKAGE, RAPL_DOMAIN_REG_STATUS, 0x611 },
	{ RAPL_DOMAIN_PACKAGE, RAPL_DOMAIN_REG_PERF, 0x613 },
	{ RAPL_DOMAIN_PACKAGE, RAPL_DOMAIN_REG_INFO, MSR_PACKAGE_INFO },
	{ RAPL_DOMAIN_PP0, RAPL_DOMAIN_REG_LIMIT, 0x638 },
	{ RAPL_DOMAIN_PP0, RAPL_DOMAIN_REG_STATUS, 0x639 },
	{ RAPL_DOMAIN_PP0, RAPL_DOMAIN_REG_POLICY, 0x63a },
	{ RAPL_DOMAIN_PP1, RAPL_DOMAIN_REG_LIMIT, 0x640 },
	{ RAPL_DOMAIN_PP1, RAPL_DOMAIN_REG_STATUS, 0x641 },
	{ RAPL_DOMAIN_DRAM, RAPL_DOMAIN_REG_LIMIT, 0x618 },
	{ RAPL_DOMAIN_DRAM, RAPL_DOMAIN_REG_STATUS, 0x619 },
	{ RAPL_DOMAIN_DRAM, RAPL_DOMAIN_REG_PERF, 0x61b },
	{ RAPL_DOMAIN_DRAM, RAPL_DOMAIN_REG_INFO, 0x61c },
};

/* The energy counter, or 0 for a zone without power: the driver then leaves it out. */
static u64 energy_counter(enum rapl_domain_type domain)
{
	u64 uj = mul_u64_u32_div(ktime_get_ns() - epoch_ns, mw[domain], 1000000);

	if (!mw[domain])
		return 0;
	/* The driver takes 15.3 uJ as the unit of DRAM on servers, whatever the unit register says. */
	if (domain == RAPL_DOMAIN_DRAM)
		return (u32)(start_raw + div_u64(uj * 10, 153));
	return (u32)(start_raw + mul_u64_u32_div(uj, 1 << 14, 1000000));
}

static u64 *register_at(int cpu, u64 msr)
{
	int die = topology_logical_die_id(cpu);

	if (die < 0 || die >= MAX_DIES || msr < FIRST_REGISTER || msr >= FIRST_REGISTER + REGISTERS)
		return NULL;
	return &registers[die][msr - FIRST_REGISTER];
}

static int read_raw(int cpu, struct reg_action *action)
{
	u64 msr = REG(action->reg), *at = register_at(cpu, msr), value;
	int i;

	if (!at)
		return -EIO;
	value = *at;
	for (i = 0; i < ARRAY_SIZE(register_map); i++) {
		if (register_map[i].msr == msr && register_map[i].id == RAPL_DOMAIN_REG_STATUS)
			value = energy_counter(register_map[i].domain);
	}
	action->value = value & action->mask;
	return 0;
}

static int write_raw(int cpu, struct reg_action *action)
{
	u64 *at = register_at(cpu, REG(action->reg));

	if (!at)
		return -EIO;
	spin_lock(&registers_lock);
	*at = (*at & ~action->mask) | action->value;
	spin_unlock(&registers_lock);
	return 0;
}

static void fill_registers(void)
{
	int die;

	for (die = 0; die < MAX_DIES; die++) {
		registers[die][MSR_UNIT - FIRST_REGISTER] = UNITS;
		registers[die][MSR_PACKAGE_LIMIT - FIRST_REGISTER] =
			LIMITS_75_105_W | (lock ? LOCK_BIT : 0);
		registers[die][MSR_PACKAGE_INFO - FIRST_REGISTER] = TDP_75_W;
	}
}

static void describe_interface(void)
{
	int i;

	interface.read_raw = read_raw;
	interface.write_raw = write_raw;
	REG(interface.reg_unit) = MSR_UNIT;
	for (i = 0; i < ARRAY_SIZE(register_map); i++)
		REG(interface.regs[register_map[i].domain][register_map[i].id]) = register_map[i].msr;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	interface.type = RAPL_IF_MSR;
	for (i = 0; i < RAPL_DOMAIN_MAX; i++)
		REG(interface.regs[i][RAPL_DOMAIN_REG_UNIT]) = MSR_UNIT;
	interface.limits[RAPL_DOMAIN_PACKAGE] = BIT(POWER_LIMIT2);
#else
	interface.limits[RAPL_DOMAIN_PACKAGE] = 2;
#endif
}

static int add_dies(void)
{
	int cpu, die, added = 0;

	for_each_online_cpu(cpu) {
		die = topology_logical_die_id(cpu);
		if (die < 0 || die >= MAX_DIES || dies[die])
			continue;
		dies[die] = ADD_PACKAGE(cpu);
		if (IS_ERR(dies[die])) {
			pr_err("pt_rapl_regs: die %d: %ld\n", die, PTR_ERR(dies[die]));
			dies[die] = NULL;
			continue;
		}
		cpumask_set_cpu(cpu, &dies[die]->cpumask);
		added++;
	}
	return added;
}

static int __init rapl_regs_init(void)
{
	epoch_ns = ktime_get_ns();
	fill_registers();
	describe_interface();
	interface.control_type = powercap_register_control_type(NULL, "intel-rapl", NULL);
	if (IS_ERR_OR_NULL(interface.control_type))
		return -EEXIST;
	if (add_dies())
		return 0;
	powercap_unregister_control_type(interface.control_type);
	return -ENODEV;
}

static void __exit rapl_regs_exit(void)
{
	int die;

	for (die = 0; die < MAX_DIES; die++) {
		if (dies[die])
			rapl_remove_package(dies[die]);
	}
	powercap_unregister_control_type(interface.control_type);
}

module_init(rapl_regs_init);
module_exit(rapl_regs_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("test-only in-memory registers for intel_rapl_common");
