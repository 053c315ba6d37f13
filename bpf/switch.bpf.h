/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What happens at a switch, and at the edge of a window where none happens.
 *
 * Nearly every switch is of the same kind: the task that leaves has a slot in the window, and
 * nothing has happened since. Then there is nothing to do but adding up, in two cache lines of
 * ours, the CPU's and the slot's; usual_switch() does that. Everything else is other_switch(),
 * which makes sure that the next one is usual again.
 */
#pragma once

/*
 * Goes on to the open window, if this CPU is not there yet; one clock read per window, not per
 * switch.
 */
static __always_inline void follow_window(struct pt_cpu *c)
{
	if (c->window == live.window)
		return;
	note_clock(c, bpf_get_current_task_btf());
	open_window(c, live.window);
}

/*
 * From idle or to it. The exchange orders this store with the load of live.window and with the
 * stores to the slots before: either user space sees a running task and flushes it, or we see the
 * new window.
 */
static __noinline void cross_idle(struct pt_cpu *c, __u32 next_pid)
{
	__sync_lock_test_and_set(&c->running, next_pid ? 1 : 0);
	follow_window(c);
}

/*
 * Any switch. `btf` is constant: with tp_btf the tasks are trusted pointers and fields are plain
 * loads; a raw tracepoint gives `next` as a number.
 */
static __always_inline void switch_tasks(struct pt_cpu *c, struct task_struct *prev,
					 struct task_struct *next, bool btf)
{
	__u32 next_pid = btf ? next->pid : BPF_CORE_READ(next, pid), prev_pid = prev->pid;
	__u64 sum = prev->se.sum_exec_runtime;
	struct pt_reading now, *end = NULL;
	bool counted = false, sampled = c->switches++ >= c->sample_at;

	if (c->task != (__u64)prev || c->who.pid != prev_pid)
		missed_switch(c, prev);
	read_news(c, prev, sum);
	if (pt_counters) {
		if (sampled) {
			counted = next_pid;
			next_sample(c);
		}
		if (c->counted || counted) {
			if (!read_counters(c, &now))
				counted = false;
			else if (c->counted)
				end = &now;
		}
	}
	if (prev_pid)
		charge(c, prev, sum, 1, end);
	if (!prev_pid || !next_pid)
		cross_idle(c, next_pid);
	else
		follow_window(c);
	c->task = (__u64)next;
	set_pid(c, next_pid);
	c->charged_ns = btf ? next->se.sum_exec_runtime : BPF_CORE_READ(next, se.sum_exec_runtime);
	c->counted = counted;
	if (counted)
		c->at = now;
}

/*
 * The hot path. False: this switch is not of the usual kind, and nothing was done. `due` is
 * constant: whether to care about c->due.
 */
static __always_inline bool usual_switch(struct pt_cpu *c, struct task_struct *prev,
					 struct task_struct *next, bool due)
{
	__u64 task = known_task(c), who = who_is(&c->who), sum;
	__u32 who_pid = who, next_pid = next->pid;
	struct pt_slot *slot;

	if (task != (__u64)prev || who_pid != (__u32)prev->pid)
		return false;
	if (due && c->switches >= c->due)
		return false;
	if (who_pid) {
		slot = bpf_map_lookup_elem(&slots, &c->place);
		if (!slot || !is_slot_of(slot, task, who))
			return false;
		sum = prev->se.sum_exec_runtime;
		slot->sum_ns = sum;
		slot->run_ns += sum - c->charged_ns;
		slot->switches++;
	}
	c->switches++;
	if (!who_pid || !next_pid)
		cross_idle(c, next_pid);
	c->task = (__u64)next;
	set_pid(c, next_pid);
	c->charged_ns = next->se.sum_exec_runtime;
	return true;
}

/*
 * How far the switches are apart that are timed: near at first, so that a quiet machine has a
 * figure soon that does not rest on its first switches, which have everything to set up.
 */
static __always_inline __u64 timed_distance(__u64 switches)
{
	__u64 distance = switches / 16 | PT_TIMED_FIRST | 1;

	return distance < PT_TIMED_EVERY ? distance : PT_TIMED_EVERY;
}

/* Every switch but the usual one, and now and then a usual one with a clock around it. */
static __always_inline void other_switch(struct pt_cpu *c, struct task_struct *prev,
					 struct task_struct *next, bool btf)
{
	bool timed = c->switches >= c->timed_at;
	bool reads = c->counted || c->switches >= c->sample_at;
	__u64 from = 0;

	if (timed) {
		c->timed_at = c->switches + timed_distance(c->switches);
		from = bpf_ktime_get_ns();
	}
	if (!btf || !timed || reads || !usual_switch(c, prev, next, false))
		switch_tasks(c, prev, next, btf);
	set_due(c);
	if (timed) {
		c->timed_runs++;
		c->timed_ns += bpf_ktime_get_ns() - from;
	}
}

static __noinline int other_typed_switch(struct pt_cpu *c, struct task_struct *prev,
					 struct task_struct *next)
{
	other_switch(c, prev, next, true);
	return 0;
}

/* Closes the running slice of this CPU at the edge of a window. */
static __always_inline int flush_cpu(struct pt_cpu *c)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_reading now;
	bool read = false;
	__u64 sum;

	/* A CPU that has not crossed idle since we attached learns here that it is running. */
	c->running = task->pid ? 1 : 0;
	if (c->window == live.window)
		return 0; /* a switch was faster */
	if (c->task != (__u64)task || c->who.pid != (__u32)task->pid)
		missed_switch(c, task);
	if (task->pid) {
		/*
		 * Time first, then the counters, as at a switch: the other way round every slice
		 * that begins here would be counted for as long as a reading takes too much.
		 */
		sum = task->se.sum_exec_runtime + open_time(c, task);
		if (pt_counters)
			read = read_counters(c, &now);
		read_news(c, task, sum);
		charge(c, task, sum, 0, read && c->counted ? &now : NULL);
		c->charged_ns = sum;
		/* A slice that is open at an edge is always counted. */
		c->counted = read ? PT_COUNTED_EDGE : 0;
		if (read)
			c->at = now;
	}
	open_window(c, live.window);
	if (task->pid)
		slot_of(c, task); /* notes its cgroups, in case that it is moved while it runs on */
	set_due(c);
	return 0;
}
