// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What `powertrace record` adds when asked: stack samples (-g) and every scheduling slice
 * (--slices). An object of its own, so that nobody else pays for it; the loader leaves out the
 * program that is not wanted. include/powertrace/sampling.h is what user space sees.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "powertrace/sampling.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Sizes are set by the loader. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} samples SEC(".maps");

/* Address spaces that were sampled: user space must read a new one's mappings at once. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, __u8);
} spaces SEC(".maps");

/* A sample as it is put together: too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pt_sample);
} scratch SEC(".maps");

/* .data, not .bss: the loader maps it. */
volatile __u64 lost SEC(".data");

static __always_inline __u64 wakeup_flag(bool now)
{
	if (now || bpf_ringbuf_query(&samples, BPF_RB_AVAIL_DATA) > (1 << 18))
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
}

static __always_inline bool is_new_space(__u64 space)
{
	__u8 seen = 1;

	if (!space || bpf_map_lookup_elem(&spaces, &space))
		return false;
	bpf_map_update_elem(&spaces, &space, &seen, BPF_ANY);
	return true;
}

/* The kernel uses the memory of an mm again soon; where the arguments are is random. */
static __always_inline void set_space(struct pt_sample *s, struct task_struct *task)
{
	struct mm_struct *mm = task->mm;

	s->space = (__u64)mm;
	barrier(); /* what is read back is a number: the verifier lets nobody calculate with mm */
	if (mm)
		s->space += mm->arg_start * 31 + ((__u64)task->tgid << 40);
}

static __always_inline __u32 depth(long bytes)
{
	__u32 frames = bytes > 0 ? bytes / sizeof(__u64) : 0;

	return frames < PT_MAX_FRAMES ? frames : PT_MAX_FRAMES;
}

SEC("perf_event")
int on_sample(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 zero = 0, kernel, user = 0;
	struct pt_sample *s = bpf_map_lookup_elem(&scratch, &zero);
	__u64 bytes;

	if (!s || !task->pid)
		return 0; /* the idle task */
	s->head.type = PT_SAMPLE_STACK;
	s->head.cpu = bpf_get_smp_processor_id();
	s->head.time = bpf_ktime_get_ns();
	s->start_boottime = task->start_boottime;
	set_space(s, task);
	s->pid = task->pid;
	s->tgid = task->tgid;
	kernel = depth(bpf_get_stack(ctx, s->frames, sizeof(s->frames) / 2, 0));
	if (task->mm)
		user = depth(bpf_get_stack(ctx, &s->frames[kernel], sizeof(s->frames) / 2,
					   BPF_F_USER_STACK));
	s->kernel_frames = kernel;
	s->user_frames = user;
	bytes = offsetof(struct pt_sample, frames) + (kernel + user) * sizeof(__u64);
	if (bpf_ringbuf_output(&samples, s, bytes, wakeup_flag(is_new_space(s->space))))
		__sync_fetch_and_add(&lost, 1);
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_slice, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct pt_slice_edge *e = bpf_ringbuf_reserve(&samples, sizeof(*e), 0);

	if (!e) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	e->head.type = PT_SAMPLE_SWITCH;
	e->head.cpu = bpf_get_smp_processor_id();
	e->head.time = bpf_ktime_get_ns();
	e->prev_pid = prev->pid;
	e->next_pid = next->pid;
	e->prev_start_boottime = prev->start_boottime;
	bpf_ringbuf_submit(e, wakeup_flag(false));
	return 0;
}
