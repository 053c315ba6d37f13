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
 * since. Its slice is not counted: what of the counts belongs where, nobody read. `generation` is
 * the one that its slot bears.
 */
static __noinline void follow_moves(struct pt_cpu *c, struct task_struct *task, __u64 sum,
				    __u32 generation)
{
	__s64 ran_ns = sum - c->charged_ns - (bpf_ktime_get_ns() - live.moved_at);
	struct pt_who before = {c->who.pid, generation};

	c->moves = live.moves;
	for (int i = 0; i < PT_PROBES; i++) {
		__u32 at = c->base + ((before.pid + i) & c->mask);
		struct pt_slot *slot = bpf_map_lookup_elem(&slots, &at);

		if (!slot || !is_slot_of(slot, known_task(c), who_is(&before)))
			continue;
		if (ran_ns > 0 && slot->css != (__u64)task->cgroups) {
			c->charged_ns += ran_ns;
			c->counted = 0;
			slot->sum_ns = c->charged_ns;
			slot->run_ns += ran_ns;
		}
		break;
	}
}

/*
 * Takes note of what others have told this CPU. The window is not looked at here: who has to know
 * it, crossing idle or flushed, asks for it, and where a task runs a flush is sure to come.
 */
static __always_inline void read_news(struct pt_cpu *c, struct task_struct *task, __u64 sum)
{
	__u32 generation = *(volatile __u32 *)&c->who.generation, seen;

	if (c->seen == generation)
		return;
	/* The exchange orders the load of the generation with that of what it is about. */
	seen = __sync_lock_test_and_set(&c->seen, generation);
	if (c->moves != live.moves)
		follow_moves(c, task, sum, seen);
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

	if (!c->who.pid || (__u32)BPF_CORE_READ(task, pid) != c->who.pid)
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
	set_pid(c, task->pid);
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
