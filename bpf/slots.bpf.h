/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a task's account is: its slot in the window that is open on this CPU. A window's slots are
 * filled in the order in which tasks come; by_pid says which is whose, and the few that ran last
 * are found without it.
 */
#pragma once

/* `recent` is about the open window and the cgroups that tasks are in now. */
static __noinline void forget_recent(struct pt_cpu *c)
{
	__builtin_memset(c->recent, 0, sizeof(c->recent));
}

/* Opens window `number` on this CPU. Its table was read PT_WINDOWS - 1 windows ago. */
static __noinline void open_window(struct pt_cpu *c, __u64 number)
{
	struct pt_window *header = window_header(bpf_get_smp_processor_id(), number);

	if (!header)
		return;
	header->number = number;
	header->used = 0;
	header->lost_ns = 0;
	c->window = number;
	forget_recent(c);
}

static __always_inline void fill_slot(struct pt_slot *slot, struct task_struct *task)
{
	slot->start_boottime = task->start_boottime;
	slot->css = (__u64)task->cgroups;
	slot->cgroup_id = cgroup_of(task);
	slot->sum_ns = 0;
	slot->run_ns = 0;
	slot->counted_ns = 0;
	slot->counts[0] = 0;
	slot->counts[1] = 0;
	slot->pid = task->pid;
	slot->tgid = task->tgid;
	slot->switches = 0;
	slot->flags = task_flags(task);
	__builtin_memcpy(slot->comm, task->comm, sizeof(slot->comm));
}

/* The same for a task that may be gone, so that no field may be followed directly. */
static __always_inline void probe_slot(struct pt_slot *slot, struct task_struct *task)
{
	__builtin_memset(slot, 0, sizeof(*slot));
	slot->start_boottime = BPF_CORE_READ(task, start_boottime);
	slot->cgroup_id = pt_hierarchy ? v1_cgroup_of(BPF_CORE_READ(task, cgroups))
				       : BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	slot->pid = BPF_CORE_READ(task, pid);
	slot->tgid = BPF_CORE_READ(task, tgid);
	slot->sum_ns = BPF_CORE_READ(task, se.sum_exec_runtime);
	slot->flags = BPF_CORE_READ(task, flags) & PF_KTHREAD ? PT_F_KTHREAD : 0;
	BPF_CORE_READ_INTO(&slot->comm, task, comm);
}

/*
 * How far to look in by_pid, which is at most half full. Beyond that the task gets another slot:
 * user space adds them up.
 */
#define PT_PROBES 8

static __always_inline __u32 slot_index(__u32 cpu, __u64 window, __u32 slot)
{
	return (cpu * PT_WINDOWS + (__u32)(window % PT_WINDOWS)) * pt_slots_per_window + slot;
}

/* A free slot of the open window, filled in for the task; `at` is its index. */
static __always_inline struct pt_slot *new_slot(struct pt_cpu *c, __u32 cpu,
						struct task_struct *task, __u64 *entry, __u32 *at)
{
	struct pt_window *header = window_header(cpu, c->window);
	struct pt_slot *slot;

	if (!header || header->used >= pt_slots_per_window)
		return NULL;
	*at = slot_index(cpu, c->window, header->used);
	slot = bpf_map_lookup_elem(&slots, at);
	if (!slot)
		return NULL;
	if (entry)
		*entry = c->window << 16 | header->used;
	header->used++;
	fill_slot(slot, task);
	return slot;
}

/*
 * Finds or makes the task's slot in the open window. pid and start_boottime tell tasks apart even
 * if a pid is reused within the window; another set of cgroups is another slot.
 */
static __noinline struct pt_slot *find_slot(struct pt_cpu *c, struct task_struct *task, __u32 *at)
{
	__u32 cpu = bpf_get_smp_processor_id();
	__u32 pid = task->pid;
	__u32 hash = pid * 2654435761U >> (32 - pt_index_bits);
	__u64 css = (__u64)task->cgroups, born = task->start_boottime;

	for (int i = 0; i < PT_PROBES; i++) {
		__u32 place = (cpu << pt_index_bits) + ((hash + i) & ((1U << pt_index_bits) - 1));
		__u64 *entry = bpf_map_lookup_elem(&by_pid, &place);
		struct pt_slot *slot;

		if (!entry)
			return NULL;
		if (*entry >> 16 != c->window)
			return new_slot(c, cpu, task, entry, at);
		*at = slot_index(cpu, c->window, *entry & 0xffff);
		slot = bpf_map_lookup_elem(&slots, at);
		if (slot && slot->start_boottime == born && slot->pid == pid && slot->css == css)
			return slot;
	}
	return new_slot(c, cpu, task, NULL, at);
}

static __always_inline struct pt_recent *recent_of(struct pt_cpu *c, __u64 address)
{
	__u32 place = (__u32)(address >> 6) * 2654435761U >> (32 - PT_RECENT_BITS);

	return &c->recent[place & ((1 << PT_RECENT_BITS) - 1)];
}

/*
 * The slot of c->task in the CPU's open window; NULL: the table is full. Mostly one of the last
 * few: then neither the task's identity nor its cgroups need to be looked at, which lie in cache
 * lines that a switch does not touch otherwise.
 */
static __always_inline struct pt_slot *slot_of(struct pt_cpu *c, struct task_struct *task)
{
	__u64 address = *(volatile __u64 *)&c->task; /* as a number, which a pointer never is */
	struct pt_recent *recent = recent_of(c, address);
	__u32 pid = c->pid;
	struct pt_slot *slot;
	__u32 at;

	if (recent->task == address && recent->pid == pid) {
		at = recent->slot;
		slot = bpf_map_lookup_elem(&slots, &at);
		if (pt_sees_moves || !slot || slot->css == (__u64)task->cgroups)
			return slot;
	}
	slot = find_slot(c, task, &at);
	if (slot) {
		recent->task = address;
		recent->pid = pid;
		recent->slot = at;
	}
	return slot;
}
