/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reading task_struct and cgroups. */
#pragma once

#define PF_KTHREAD 0x00200000

/* Policies of the fair class; it alone keeps se.prev_sum_exec_runtime. */
#define SCHED_NORMAL 0
#define SCHED_BATCH 3
#define SCHED_IDLE 5

static __always_inline bool is_fair(struct task_struct *task)
{
	unsigned int policy = task->policy;

	return policy == SCHED_NORMAL || policy == SCHED_BATCH || policy == SCHED_IDLE;
}

/*
 * The run queue of the CPU that the task is on. (The per-CPU symbol itself is out of reach on
 * kernels whose kallsyms list no data.) NULL: built without CONFIG_FAIR_GROUP_SCHED.
 */
static __always_inline struct rq *run_queue(struct task_struct *task)
{
	if (!bpf_core_field_exists(task->se.cfs_rq))
		return NULL;
	return task->se.cfs_rq->rq;
}

/* cgroup v1: the id of the cgroup that accounts CPU time; 0: that controller is not built in. */
static __always_inline __u64 v1_cgroup_of(struct css_set *css)
{
	struct cgroup_subsys_state *state = NULL;
	int index;

	if (!bpf_core_enum_value_exists(enum cgroup_subsys_id, cpuacct_cgrp_id))
		return 0;
	index = bpf_core_enum_value(enum cgroup_subsys_id, cpuacct_cgrp_id);
	bpf_core_read(&state, sizeof(state), &css->subsys[index & 15]);
	return BPF_CORE_READ(state, cgroup, kn, id);
}

/* The id of the task's cgroup in the hierarchy we name: inode of its directory. */
static __always_inline __u64 cgroup_of(struct task_struct *task)
{
	if (pt_hierarchy == 0)
		return task->cgroups->dfl_cgrp->kn->id;
	return v1_cgroup_of(task->cgroups);
}

static __always_inline __u32 task_flags(struct task_struct *task)
{
	return task->flags & PF_KTHREAD ? PT_F_KTHREAD : 0;
}
