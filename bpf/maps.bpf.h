/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Maps, settings and the per-CPU state that every other part works on. */
#pragma once

/* Set by the loader before load; constant afterwards, so that dead branches vanish. */
const volatile __u32 pt_slots_per_window = 64; /* a power of two */
const volatile __u32 pt_counters;  /* how many of cycles, instructions are open: 0, 1, 2 */
const volatile __s32 pt_hierarchy; /* cgroup hierarchy id whose cgroups we name; 0: cgroup v2 */

const volatile bool pt_sees_moves = true; /* on_attach tells when a task changes its cgroup */

/* .data, not .bss: the loader maps it. Window 0 is what happens before the first edge. */
volatile struct pt_live live SEC(".data");

/* Sizes are set by the loader from the number of possible CPUs. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pt_slot);
} slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pt_window);
} windows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pt_cpu);
} cpus SEC(".maps");

/*
 * Which slots of a window are in use, so that user space need not look at all of them: places
 * behind the window's first slot, in the order in which tasks came.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} places SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

static __always_inline struct pt_cpu *this_cpu(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&cpus, &cpu);
}

static __always_inline struct pt_window *window_header(__u32 cpu, __u64 number)
{
	__u32 index = cpu * PT_WINDOWS + (__u32)(number % PT_WINDOWS);

	return bpf_map_lookup_elem(&windows, &index);
}

/*
 * Lifecycle records and overflow are read at the next tick; wake the reader early only when the
 * buffer fills faster than it ticks.
 */
static __always_inline __u64 wakeup_flag(void)
{
	if (bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > (1 << 18))
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
}
