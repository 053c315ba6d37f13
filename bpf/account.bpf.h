/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who ran how long, in windows.
 *
 * Run time is the scheduler's own figure, se.sum_exec_runtime, at the end of a slice less what it
 * was at the begin: exact to the nanosecond, the same that rusage and cpu.stat report, and free of
 * a clock read per switch.
 *
 * A window ends when user space raises live.window. Each CPU closes its window at its first event
 * after that: a switch, or the flush that user space then runs on every CPU on which a task is
 * running. What was open until then is charged to the window that ends. When the flushes have
 * returned, no CPU writes to the closed window any more, so it can be read without a lock.
 */
#pragma once

/*
 * Longest time a running task can go without the scheduler bringing its sum up to date: one tick
 * (HZ=100), and a little. An estimate of the open part above this means that the clocks have
 * drifted apart (stolen time stops clock_task), so they are aligned anew.
 */
#define PT_MAX_OPEN_NS 12000000ULL

/* Opens window `number` on this CPU. Its table was read PT_WINDOWS - 1 windows ago. */
static __always_inline void open_window(struct pt_cpu *c, __u32 cpu, __u64 number)
{
	struct pt_window *header = window_header(cpu, number);

	if (!header)
		return;
	header->number = number;
	header->used = 0;
	header->lost_ns = 0;
	c->window = number;
}

static __always_inline void fill_slot(struct pt_slot *slot, struct task_struct *task)
{
	slot->start_boottime = task->start_boottime;
	slot->css = (__u64)task->cgroups;
	slot->cgroup_id = cgroup_of(task);
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

/*
 * How far to look in by_pid, which is at most half full. Beyond that the task gets another slot:
 * user space adds them up.
 */
#define PT_PROBES 8

static __always_inline __u32 slot_index(__u32 cpu, __u64 window, __u32 slot)
{
	return (cpu * PT_WINDOWS + (__u32)(window % PT_WINDOWS)) * pt_slots_per_window + slot;
}

static __always_inline struct pt_slot *new_slot(struct pt_cpu *c, __u32 cpu,
						struct task_struct *task, __u64 *entry)
{
	struct pt_window *header = window_header(cpu, c->window);
	struct pt_slot *slot;
	__u32 at;

	if (!header || header->used >= pt_slots_per_window)
		return NULL;
	at = slot_index(cpu, c->window, header->used);
	slot = bpf_map_lookup_elem(&slots, &at);
	if (!slot)
		return NULL;
	if (entry)
		*entry = c->window << 16 | header->used;
	header->used++;
	fill_slot(slot, task);
	return slot;
}

/*
 * The task's slot in the CPU's open window; NULL: the table is full. pid and start_boottime tell
 * tasks apart even if a pid is reused within the window; another set of cgroups is another slot.
 */
static __always_inline struct pt_slot *slot_of(struct pt_cpu *c, __u32 cpu,
					       struct task_struct *task)
{
	__u32 hash = (__u32)task->pid * 2654435761U >> (32 - pt_index_bits);
	__u64 css = (__u64)task->cgroups, born = task->start_boottime;

	for (int i = 0; i < PT_PROBES; i++) {
		__u32 at = (cpu << pt_index_bits) + ((hash + i) & ((1U << pt_index_bits) - 1));
		__u64 *entry = bpf_map_lookup_elem(&by_pid, &at);
		struct pt_slot *slot;

		if (!entry)
			return NULL;
		if (*entry >> 16 != c->window)
			return new_slot(c, cpu, task, entry);
		at = slot_index(cpu, c->window, *entry & 0xffff);
		slot = bpf_map_lookup_elem(&slots, &at);
		if (slot && slot->start_boottime == born && slot->pid == (__u32)task->pid &&
		    slot->css == css)
			return slot;
	}
	return new_slot(c, cpu, task, NULL);
}

/* A slice that finds the table full goes to user space by itself. */
static __always_inline void overflow(struct pt_cpu *c, __u32 cpu, struct task_struct *task,
				     __u64 ran_ns, __u32 switches, const struct pt_reading *now)
{
	struct pt_event_slice *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		struct pt_window *header = window_header(cpu, c->window);

		if (header)
			header->lost_ns += ran_ns;
		c->drops[PT_DROP_SLICE]++;
		return;
	}
	c->overflows++;
	e->head.type = PT_EVENT_SLICE;
	e->head.cpu = cpu;
	e->head.time = 0;
	e->window = c->window;
	fill_slot(&e->slot, task);
	e->slot.run_ns = ran_ns;
	e->slot.switches = switches;
	if (now)
		add_counts(c, now, &e->slot, ran_ns);
	bpf_ringbuf_submit(e, wakeup_flag());
}

/*
 * Charges the task that runs on this CPU up to `sum`. `now` is the counters' reading at the end of
 * a slice that began with one, else NULL.
 */
static __always_inline void charge(struct pt_cpu *c, __u32 cpu, struct task_struct *task, __u64 sum,
				   __u32 switches, const struct pt_reading *now)
{
	struct pt_slot *slot;
	__u64 ran_ns = 0;

	if (!c->window)
		return; /* before the first edge: nobody reads this */
	/* A flush may have charged slightly more than the scheduler says now. */
	if (sum > c->charged_ns)
		ran_ns = sum - c->charged_ns;
	slot = slot_of(c, cpu, task);
	if (!slot) {
		overflow(c, cpu, task, ran_ns, switches, now);
		return;
	}
	slot->run_ns += ran_ns;
	slot->switches += switches;
	if (now)
		add_counts(c, now, slot, ran_ns);
}

/*
 * sched_switch. `btf` is constant: with tp_btf the tasks are trusted pointers and fields are plain
 * loads; a raw tracepoint gives `next` as a number.
 */
static __always_inline int switch_tasks(struct task_struct *prev, struct task_struct *next,
					bool btf)
{
	__u32 cpu;
	struct pt_cpu *c = this_cpu(&cpu);
	__u64 begin = 0, window = live.window;
	__u32 next_pid = btf ? next->pid : BPF_CORE_READ(next, pid);
	struct pt_reading now;
	bool end_counted, begin_counted;

	if (!c)
		return 0;
	if (!(++c->switches & 1023))
		begin = bpf_ktime_get_ns();

	end_counted = pt_counters && c->counted;
	begin_counted = pt_counters && next_pid && sample_slice(c);
	if (end_counted || begin_counted)
		if (!read_counters(c, &now))
			end_counted = begin_counted = false;

	if (prev->pid)
		charge(c, cpu, prev, prev->se.sum_exec_runtime, 1, end_counted ? &now : NULL);
	if (!prev->pid || !next_pid) {
		/*
		 * Crossing idle. The exchange orders this store with the load of live.window below
		 * and with the stores to the slots above: either user space sees a running task and
		 * flushes it, or we see the new window.
		 */
		__sync_lock_test_and_set(&c->running, next_pid ? 1 : 0);
		window = live.window;
	}
	if (c->window != window) {
		__u64 clock_task = prev->pid ? prev->se.exec_start
				   : btf     ? next->se.exec_start
					     : BPF_CORE_READ(next, se.exec_start);

		/* The scheduler has just set exec_start to its clock: once per window, note how far
		 * that is from the clock that a flush can read. */
		c->clock_offset = bpf_ktime_get_ns() - clock_task;
		open_window(c, cpu, window);
	}
	c->charged_ns = btf ? next->se.sum_exec_runtime : BPF_CORE_READ(next, se.sum_exec_runtime);
	c->counted = begin_counted;
	if (begin_counted)
		c->at = now;

	if (begin) {
		c->timed_runs++;
		c->timed_ns += bpf_ktime_get_ns() - begin;
	}
	return 0;
}

/* Closes the running slice of this CPU at the edge of a window. */
static __always_inline int flush_cpu(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 window = live.window, sum, open = 0;
	struct pt_reading now;
	bool read = false;
	__u32 cpu;
	struct pt_cpu *c = this_cpu(&cpu);

	if (!c)
		return 0;
	/* A CPU that has not crossed idle since we attached learns here that it is running. */
	c->running = task->pid ? 1 : 0;
	if (c->window == window)
		return 0; /* a switch was faster */
	if (task->pid) {
		if (pt_counters)
			read = read_counters(c, &now);
		if (c->clock_offset) {
			open = bpf_ktime_get_ns() - c->clock_offset - task->se.exec_start;
			if ((__s64)open < 0) {
				open = 0;
			} else if (open > PT_MAX_OPEN_NS) {
				c->clock_offset += open - PT_MAX_OPEN_NS;
				open = PT_MAX_OPEN_NS;
			}
		}
		sum = task->se.sum_exec_runtime + open;
		charge(c, cpu, task, sum, 0, read && c->counted ? &now : NULL);
		if (sum > c->charged_ns || !c->window)
			c->charged_ns = sum;
		/* A slice that is open at an edge is always counted. */
		c->counted = read;
		if (read)
			c->at = now;
	}
	open_window(c, cpu, window);
	return 0;
}
