/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Births, deaths and names, as they happen: what /proc would say too late. */
#pragma once

static __always_inline void count_lost_event(void)
{
	struct pt_cpu *c = this_cpu();

	if (c)
		c->drops[PT_DROP_EVENT]++;
}

static __always_inline void fill_process(struct pt_event_process *e, __u32 type,
					 struct task_struct *task, __u32 parent_tgid)
{
	e->head.type = type;
	e->head.cpu = bpf_get_smp_processor_id();
	e->head.time = bpf_ktime_get_ns();
	e->start_boottime = task->group_leader->start_boottime;
	e->cgroup_id = cgroup_of(task);
	e->tgid = task->tgid;
	e->parent_tgid = parent_tgid;
	e->uid = task->cred->uid.val;
	e->flags = task_flags(task);
	__builtin_memcpy(e->comm, task->comm, sizeof(e->comm));
}

static __always_inline int process_event(__u32 type, struct task_struct *task, __u32 parent_tgid)
{
	struct pt_event_process *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		count_lost_event();
		return 0;
	}
	fill_process(e, type, task, parent_tgid);
	bpf_ringbuf_submit(e, wakeup_flag());
	return 0;
}

static __always_inline int exec_event(struct task_struct *task, struct linux_binprm *bprm)
{
	struct pt_event_exec *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	__u64 start, length;
	long got;

	if (!e) {
		count_lost_event();
		return 0;
	}
	fill_process(&e->process, PT_EVENT_EXEC, task, task->real_parent->tgid);
	got = bpf_probe_read_kernel_str(e->path, sizeof(e->path), bprm->filename);
	e->path_len = got > 0 ? got : 0;
	/* The new image's stack was just written, so its pages are there. */
	start = task->mm->arg_start;
	length = task->mm->arg_end - start;
	if (length > sizeof(e->args))
		length = sizeof(e->args);
	e->args_len = 0;
	if (length && !bpf_probe_read_user(e->args, length, (const void *)start))
		e->args_len = length;
	bpf_ringbuf_submit(e, wakeup_flag());
	return 0;
}

/* What the task runs from here on has another name. */
static __always_inline void rename_slot(struct task_struct *task)
{
	struct pt_cpu *c = this_cpu();
	struct pt_slot *slot;

	if (!c || !c->window || c->task != (__u64)task)
		return;
	read_news(c, task, task->se.sum_exec_runtime + open_time(c, task));
	slot = slot_of(c, task);
	if (slot)
		__builtin_memcpy(slot->comm, task->comm, sizeof(slot->comm));
}

struct bpf_map;

static long tell_cpu(struct bpf_map *map, __u32 *cpu, struct pt_cpu *c, void *context)
{
	__sync_fetch_and_add(&c->who.generation, 1);
	return 0;
}

/* A task was moved. The CPU on which it may be running learns of it at its next event. */
static __always_inline void note_move(void)
{
	__sync_fetch_and_add(&live.moves, 1);
	/* An exchange: whoever sees a new generation sees these two. */
	__sync_lock_test_and_set(&live.moved_at, bpf_ktime_get_ns());
	bpf_for_each_map_elem(&cpus, tell_cpu, NULL, 0);
}

static __always_inline int cgroup_event(struct cgroup *cgroup, const char *path)
{
	struct pt_event_cgroup *e;
	long got;

	/* Ids are unique within one hierarchy only. */
	if (cgroup->root->hierarchy_id != pt_hierarchy)
		return 0;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e) {
		count_lost_event();
		return 0;
	}
	e->head.type = PT_EVENT_CGROUP;
	e->head.cpu = bpf_get_smp_processor_id();
	e->head.time = bpf_ktime_get_ns();
	e->cgroup_id = cgroup->kn->id;
	e->pad = 0;
	got = bpf_probe_read_kernel_str(e->path, sizeof(e->path), path);
	e->path_len = got > 0 ? got : 0;
	bpf_ringbuf_submit(e, wakeup_flag());
	return 0;
}
