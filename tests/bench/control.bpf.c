// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The controls of the switch benchmark: what any program at this place costs, and any account. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tp_btf/sched_switch")
int BPF_PROG(empty, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	return 0;
}

struct account {
	__u64 ran_ns;
	__u64 charged_ns;
	__u32 pid;
	__u32 strangers;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct account);
} accounts SEC(".maps");

/*
 * The least that reads the scheduler's own sums: all run time of a CPU in one figure. It keeps no
 * tasks apart, knows no windows and no cgroups.
 */
SEC("tp_btf/sched_switch")
int BPF_PROG(least, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct account *a = bpf_map_lookup_elem(&accounts, &cpu);

	if (!a)
		return 0;
	if (a->pid != (__u32)prev->pid)
		a->strangers++;
	else if (a->pid)
		a->ran_ns += prev->se.sum_exec_runtime - a->charged_ns;
	a->pid = next->pid;
	a->charged_ns = next->se.sum_exec_runtime;
	return 0;
}
