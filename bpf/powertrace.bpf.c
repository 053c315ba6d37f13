// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Entry points. What they do is in switch.bpf.h (a switch), account.bpf.h (run time), slots.bpf.h
 * (whose it is), counters.bpf.h (cycles and instructions) and lifecycle.bpf.h (names);
 * include/powertrace/abi.h is what user space sees.
 *
 * tp_btf and raw_tp only: fentry and kprobes are missing on some kernels, and classic tracepoints
 * cost twice as much. on_switch is the hot path.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "powertrace/abi.h"

#include "maps.bpf.h"
#include "task.bpf.h"
#include "counters.bpf.h"
#include "slots.bpf.h"
#include "account.bpf.h"
#include "switch.bpf.h"
#include "lifecycle.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct pt_cpu *c = this_cpu();

	if (!c)
		return 0;
	return usual_switch(c, prev, next, true) ? 0 : other_typed_switch(c, prev, next);
}

/* The same where tp_btf is refused. At this tracepoint the current task is still prev. */
SEC("raw_tp/sched_switch")
int on_switch_raw(struct bpf_raw_tracepoint_args *ctx)
{
	struct pt_cpu *c = this_cpu();

	if (c)
		other_switch(c, bpf_get_current_task_btf(), (struct task_struct *)ctx->args[2],
			     false);
	return 0;
}

/* Never attached: user space runs it on a CPU by test-run. */
SEC("raw_tp")
int flush(void *ctx)
{
	struct pt_cpu *c = this_cpu();

	return c ? flush_cpu(c) : 0;
}

/*
 * Never attached: run at start to learn what a reading of all counters costs on this machine.
 * Returns nanoseconds without what the clock itself takes; 0: it cannot be read.
 */
SEC("raw_tp")
int time_counters(void *ctx)
{
	struct pt_cpu *c = this_cpu();
	struct pt_reading r;
	__u64 before = bpf_ktime_get_ns(), from = bpf_ktime_get_ns(), took;

	if (!c || !read_counters(c, &r))
		return 0;
	took = bpf_ktime_get_ns() - from;
	return took > from - before ? took - (from - before) : 1;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	if (child->pid != child->tgid)
		return 0; /* a thread: its slots name its process */
	return process_event(PT_EVENT_FORK, child, parent->tgid);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	rename_slot(task);
	return exec_event(task, bprm);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	if (task->signal->live.counter)
		return 0; /* other threads of the process live on */
	return process_event(PT_EVENT_EXIT, task, task->real_parent->tgid);
}

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(on_mkdir, struct cgroup *cgroup, const char *path)
{
	return cgroup_event(cgroup, path);
}

SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(on_attach, struct cgroup *cgroup, const char *path)
{
	note_move();
	return cgroup_event(cgroup, path);
}
