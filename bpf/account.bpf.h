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
