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
 * Longest time between two updates of a run queue's clock while a task runs: one tick (HZ=100), and
 * a little. More than that means that its clock and CLOCK_MONOTONIC have drifted apart.
 */
#define PT_MAX_TICK_NS 12000000LL

/*
 * How long the running task has run since the scheduler last brought its sum up to date. rq->clock
 * and clock_task, which stands still while a hypervisor or an interrupt takes the CPU, were read
 * together at the last tick or switch; what has passed since then is an estimate, and the next
 * charge takes back what it was too much.
 */
static __always_inline __u64 open_time(struct pt_cpu *c, struct task_struct *task)
{
	struct rq *rq = run_queue(task);
	__s64 since;

	if (!rq || !c->clock_offset)
		return 0;
	since = bpf_ktime_get_ns() - c->clock_offset - rq->clock;
	if (since < 0) {
		c->clock_offset += since;
		since = 0;
	} else if (since > PT_MAX_TICK_NS) {
		c->clock_offset += since - PT_MAX_TICK_NS;
		since = PT_MAX_TICK_NS;
	}
	return since + (rq->clock_task - task->se.exec_start);
}

/* At a switch rq->clock is fresh: note how far it is from the clock that a flush can read. */
static __always_inline void note_clock(struct pt_cpu *c, struct task_struct *task)
{
	struct rq *rq = run_queue(task);

	if (rq)
		c->clock_offset = bpf_ktime_get_ns() - rq->clock;
}

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

/*
 * Tasks were moved to other cgroups since this CPU last looked. Was it the one that runs here,
 * whose sum is `sum` now, then what it ran before the move belongs to the slot that it had, if it
 * had one in this window. It runs in one go, so by then it had run as much less as has passed
 * since. Its slice is not counted: what of the counts belongs where, nobody read.
 */
static __noinline void follow_moves(struct pt_cpu *c, struct task_struct *task, __u64 sum)
{
	__u64 address = *(volatile __u64 *)&c->task;
	struct pt_recent *recent = recent_of(c, address);
	__s64 ran_ns = sum - c->charged_ns - (bpf_ktime_get_ns() - live.regrouped_at);
	__u32 at = recent->slot;
	struct pt_slot *slot;

	c->regrouped = live.regrouped;
	if (ran_ns > 0 && recent->task == address && recent->pid == c->pid) {
		slot = bpf_map_lookup_elem(&slots, &at);
		if (slot && slot->css != (__u64)task->cgroups) {
			c->charged_ns += ran_ns;
			c->counted = 0;
			slot->sum_ns = c->charged_ns;
			slot->run_ns += ran_ns;
		}
	}
	forget_recent(c);
}

/* A record for a slice that goes to user space by itself; NULL: no room, the slice is lost. */
static __always_inline struct pt_event_slice *reserve_slice(struct pt_cpu *c, __s64 ran_ns)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct pt_event_slice *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		struct pt_window *header = window_header(cpu, c->window);

		if (header && ran_ns > 0)
			header->lost_ns += ran_ns;
		c->drops[PT_DROP_SLICE]++;
		return NULL;
	}
	e->head.type = PT_EVENT_SLICE;
	e->head.cpu = cpu;
	e->head.time = 0;
	e->window = c->window;
	return e;
}

/* A slice that finds the table full. */
static __noinline void overflow(struct pt_cpu *c, struct task_struct *task, __u64 sum,
				__u32 switches, const struct pt_reading *now)
{
	__s64 ran_ns = sum - c->charged_ns;
	struct pt_event_slice *e = reserve_slice(c, ran_ns);

	if (!e)
		return;
	c->overflows++;
	fill_slot(&e->slot, task);
	e->slot.sum_ns = sum;
	e->slot.run_ns = ran_ns;
	e->slot.switches = switches;
	if (now)
		add_counts(c, now, &e->slot, ran_ns);
	bpf_ringbuf_submit(e, wakeup_flag());
}

/*
 * The task that we saw arrive left unseen: tells user space how long it has run by now. It may be
 * gone, so it is read with care: its memory may be another task's, but then hardly one of its pid.
 */
static __always_inline void close_unseen(struct pt_cpu *c)
{
	struct task_struct *task = (struct task_struct *)c->task;
	struct pt_event_slice *e;

	if (!c->pid || (__u32)BPF_CORE_READ(task, pid) != c->pid)
		return;
	e = reserve_slice(c, 0);
	if (!e)
		return;
	probe_slot(&e->slot, task);
	bpf_ringbuf_submit(e, wakeup_flag());
}

/*
 * The task that leaves, or is flushed, is not the one that we saw arrive: the program had just been
 * attached, or the kernel kept a switch from us (it skips a tracing program that is already active
 * on the CPU, and some kernels shield some tasks). Begin its slice where the scheduler says that it
 * began, so that a stranger's figure is never subtracted from its own. Slices that went by wholly
 * unseen show in slot.sum_ns, from which user space adds them.
 */
static __noinline void missed_switch(struct pt_cpu *c, struct task_struct *task)
{
	__u64 sum = task->se.sum_exec_runtime;
	__u64 begin = is_fair(task) ? task->se.prev_sum_exec_runtime : sum;

	if (c->window) {
		c->drops[PT_DROP_SWITCH]++;
		close_unseen(c);
	}
	/* A thread that is not the first takes over its process' pid when it calls exec. */
	if (c->task != (__u64)task || c->charged_ns < begin || c->charged_ns > sum)
		c->charged_ns = begin;
	c->task = (__u64)task;
	c->pid = task->pid;
	c->counted = 0;
}

/*
 * Charges the task that runs on this CPU up to `sum`. `now` is the counters' reading at the end of
 * a slice that began with one, else NULL.
 */
static __always_inline void charge(struct pt_cpu *c, struct task_struct *task, __u64 sum,
				   __u32 switches, const struct pt_reading *now)
{
	struct pt_slot *slot;
	__s64 ran_ns;

	if (!c->window)
		return; /* before the first edge: nobody reads this */
	if (c->regrouped != live.regrouped) {
		follow_moves(c, task, sum);
		if (!c->counted)
			now = NULL;
	}
	ran_ns = sum - c->charged_ns;
	slot = slot_of(c, task);
	if (!slot) {
		overflow(c, task, sum, switches, now);
		return;
	}
	slot->sum_ns = sum;
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
	struct pt_cpu *c = this_cpu();
	__u64 window = live.window;
	__u32 next_pid = btf ? next->pid : BPF_CORE_READ(next, pid), prev_pid = prev->pid;
	struct pt_reading now, *end = NULL;
	bool counted = false;

	if (!c)
		return 0;
	if (!(++c->switches & PT_TIMED_MASK))
		c->timed_from = bpf_ktime_get_ns();

	if (c->task != (__u64)prev || c->pid != prev_pid)
		missed_switch(c, prev);
	if (pt_counters) {
		counted = next_pid && sample_slice(c);
		if (c->counted || counted) {
			if (!read_counters(c, &now))
				counted = false;
			else if (c->counted)
				end = &now;
		}
	}

	if (prev_pid)
		charge(c, prev, prev->se.sum_exec_runtime, 1, end);
	if (!prev_pid || !next_pid) {
		/*
		 * Crossing idle. The exchange orders this store with the load of live.window below
		 * and with the stores to the slots above: either user space sees a running task and
		 * flushes it, or we see the new window.
		 */
		__sync_lock_test_and_set(&c->running, next_pid ? 1 : 0);
		window = live.window;
	}
	if (c->window != window) {
		/* One clock read per window, not per switch. */
		note_clock(c, bpf_get_current_task_btf());
		open_window(c, window);
	}
	c->task = (__u64)next;
	c->pid = next_pid;
	c->charged_ns = btf ? next->se.sum_exec_runtime : BPF_CORE_READ(next, se.sum_exec_runtime);
	if (pt_counters) {
		c->counted = counted;
		if (counted)
			c->at = now;
	}

	if (!(c->switches & PT_TIMED_MASK)) {
		c->timed_runs++;
		c->timed_ns += bpf_ktime_get_ns() - c->timed_from;
	}
	return 0;
}

/* Closes the running slice of this CPU at the edge of a window. */
static __always_inline int flush_cpu(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 window = live.window, sum;
	struct pt_reading now;
	bool read = false;
	struct pt_cpu *c = this_cpu();

	if (!c)
		return 0;
	/* A CPU that has not crossed idle since we attached learns here that it is running. */
	c->running = task->pid ? 1 : 0;
	if (c->window == window)
		return 0; /* a switch was faster */
	if (c->task != (__u64)task || c->pid != (__u32)task->pid)
		missed_switch(c, task);
	if (task->pid) {
		if (pt_counters)
			read = read_counters(c, &now);
		sum = task->se.sum_exec_runtime + open_time(c, task);
		charge(c, task, sum, 0, read && c->counted ? &now : NULL);
		c->charged_ns = sum;
		/* A slice that is open at an edge is always counted. */
		c->counted = read;
		if (read)
			c->at = now;
	}
	open_window(c, window);
	if (task->pid)
		slot_of(c, task); /* notes its cgroups, in case that it is moved while it runs on */
	return 0;
}
