/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a task's account is: its slot in the window that is open on this CPU. The slots of a window
 * are a hash table by pid that only its CPU touches, so without locks; nothing is ever removed. A
 * slot that bears the CPU's generation and the task's address and pid is the task's. That is seen
 * without a look at what identifies a task for good, its start and its cgroups, which lie in cache
 * lines that a switch does not touch otherwise.
 */
#pragma once

/* How far to look. A task that finds no place within that goes through the ring buffer. */
#define PT_PROBES 8

static __always_inline __u64 who_is(const struct pt_who *who)
{
	__u64 both;

	__builtin_memcpy(&both, who, sizeof(both));
	return both;
}

/* The address as a number, which a pointer that the verifier knows never is. */
static __always_inline __u64 known_task(struct pt_cpu *c)
{
	return *(volatile __u64 *)&c->task;
}

static __always_inline __u32 slot_index(__u32 cpu, __u64 window, __u32 slot)
{
	return (cpu * PT_WINDOWS + (__u32)(window % PT_WINDOWS)) * pt_slots_per_window + slot;
}

/* Notes who runs here, of the open window. */
static __always_inline void set_pid(struct pt_cpu *c, __u32 pid)
{
	c->who.pid = pid;
	c->place = c->base + (pid & c->mask);
}

/* Opens window `number` on this CPU. Its table was read PT_WINDOWS - 1 windows ago. */
static __noinline void open_window(struct pt_cpu *c, __u64 number)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct pt_window *header = window_header(cpu, number);

	if (!header)
		return;
	header->number = number;
	header->used = 0;
	header->lost_ns = 0;
	c->window = number;
	if (pt_sees_moves) {
		c->base = slot_index(cpu, number, 0);
		c->mask = pt_slots_per_window - 1;
	} /* else every switch has to look at the task's cgroups, as find_slot() does */
	set_pid(c, c->who.pid);
	c->sampled = c->thinned = 0;
	next_sample(c);
	set_due(c);
}

static __always_inline void fill_slot(struct pt_slot *slot, struct task_struct *task)
{
	slot->who.pid = task->pid;
	slot->sum_ns = 0;
	slot->run_ns = 0;
	slot->switches = 0;
	slot->tgid = task->tgid;
	slot->start_boottime = task->start_boottime;
	slot->css = (__u64)task->cgroups;
	slot->counted_ns = 0;
	slot->counts[0] = 0;
	slot->counts[1] = 0;
	slot->cgroup_id = cgroup_of(task);
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
	slot->who.pid = BPF_CORE_READ(task, pid);
	slot->tgid = BPF_CORE_READ(task, tgid);
	slot->sum_ns = BPF_CORE_READ(task, se.sum_exec_runtime);
	slot->flags = BPF_CORE_READ(task, flags) & PF_KTHREAD ? PT_F_KTHREAD : 0;
	BPF_CORE_READ_INTO(&slot->comm, task, comm);
}

/* Takes the free slot at `place` of the open window into use, for the task. */
static __always_inline bool take_slot(struct pt_cpu *c, struct task_struct *task,
				      struct pt_slot *slot, __u32 cpu, __u32 place)
{
	struct pt_window *header = window_header(cpu, c->window);
	__u64 *entry;
	__u32 at;

	if (!header)
		return false;
	at = slot_index(cpu, c->window, header->used);
	entry = bpf_map_lookup_elem(&places, &at);
	if (!entry)
		return false;
	*entry = place;
	header->used++;
	fill_slot(slot, task);
	slot->window = c->window;
	return true;
}

/*
 * Finds or makes the slot of c->task, which is `task`, in the open window; NULL: no place. pid and
 * start_boottime tell tasks apart even if a pid is reused within the window; another set of cgroups
 * is another slot.
 */
static __noinline struct pt_slot *find_slot(struct pt_cpu *c, struct task_struct *task)
{
	__u32 cpu = bpf_get_smp_processor_id(), pid = task->pid;
	__u64 css = (__u64)task->cgroups, born = task->start_boottime;

	for (__u32 i = 0; i < PT_PROBES && i < pt_slots_per_window; i++) {
		__u32 place = (pid + i) & (pt_slots_per_window - 1);
		__u32 at = slot_index(cpu, c->window, place);
		struct pt_slot *slot = bpf_map_lookup_elem(&slots, &at);

		if (!slot)
			return NULL;
		if (slot->window == c->window) {
			if (slot->start_boottime != born || slot->who.pid != pid ||
			    slot->css != css)
				continue;
		} else if (!take_slot(c, task, slot, cpu, place)) {
			return NULL;
		}
		slot->task = known_task(c);
		slot->who.generation = c->seen;
		return slot;
	}
	return NULL;
}

/* Is it the slot of c->task, as of the generation in `who`? */
static __always_inline bool is_slot_of(const struct pt_slot *slot, __u64 task, __u64 who)
{
	return slot->task == task && who_is(&slot->who) == who;
}

static __always_inline struct pt_slot *slot_of(struct pt_cpu *c, struct task_struct *task)
{
	struct pt_slot *slot = bpf_map_lookup_elem(&slots, &c->place);

	if (slot && is_slot_of(slot, known_task(c), who_is(&c->who)))
		return slot;
	return find_slot(c, task);
}
