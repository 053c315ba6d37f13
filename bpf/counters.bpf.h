/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Hardware counters. A read costs 50-100 ns on bare metal and 3 us where a hypervisor traps it, so
 * only a random sample of whole slices is read. Sampling whole slices is what keeps it unbiased:
 * dividing an interval between reads by run time misjudges a task whose neighbours have another
 * IPC by a factor of up to three.
 */
#pragma once

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, int);
} cycles SEC(".maps"), instructions SEC(".maps");

static __noinline bool read_counters(struct pt_cpu *c, struct pt_reading *r)
{
	struct bpf_perf_event_value value;

	if (bpf_perf_event_read_value(&cycles, BPF_F_CURRENT_CPU, &value, sizeof(value)))
		goto failed;
	r->counts[0] = value.counter;
	r->enabled_ns = value.enabled;
	r->running_ns = value.running;
	r->counts[1] = 0;
	c->counter_reads++;
	if (pt_counters > 1) {
		/* Same group, so the same enabled and running times. */
		if (bpf_perf_event_read_value(&instructions, BPF_F_CURRENT_CPU, &value,
					      sizeof(value)))
			goto failed;
		r->counts[1] = value.counter;
		c->counter_reads++;
	}
	return true;
failed:
	c->drops[PT_DROP_COUNTER]++;
	return false;
}

static __always_inline __u32 random_number(struct pt_cpu *c)
{
	__u64 x = c->rng;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	c->rng = x;
	return x >> 32;
}

#define PT_MAX_THINNED 15 /* all ones */

/*
 * Draws at which switch the next slice is counted. The distances are geometric, so every slice has
 * the same chance whatever came before, and drawing anew at any moment changes nothing: for a share
 * p they are 1 + log(u) / log(1 - p), rounded down, with a uniform u. Here -log(u) is to the base
 * of 2, in 1/65536, and linear between the powers, so that its mean is 1.5; sample_scale is made
 * for that.
 *
 * The share was made for the switches of the window before. In a burst, each time as many slices as
 * a window may count have been drawn, the distances double.
 */
static __noinline void next_sample(struct pt_cpu *c)
{
	__u64 scale = *(volatile __u64 *)&c->sample_scale;
	__u32 u = random_number(c) | 1, zeros = 0;

	if (!pt_counters || scale == PT_NEVER) {
		c->sample_at = PT_NEVER;
		return;
	}
	if (c->sampled++ >= *(volatile __u32 *)&c->allowance && c->thinned < PT_MAX_THINNED) {
		c->sampled = 0;
		c->thinned++;
	}
	if (c->thinned) {
		/* 2/5 of all slices the first time, if it was all of them. */
		scale = (scale + (1 << 15)) << (c->thinned & PT_MAX_THINNED);
		if (scale > PT_MAX_SCALE)
			scale = PT_MAX_SCALE;
	}
	for (int i = 0; i < 31 && !(u & (1U << 31)); i++) {
		u <<= 1;
		zeros++;
	}
	c->sample_at = c->switches + (((zeros << 16) + (~u >> 15 & 0xffff)) * scale >> 32);
}

/* When a switch is due to be looked at: to end a counted slice, to begin one, or to be timed. */
static __always_inline void set_due(struct pt_cpu *c)
{
	c->due = c->sample_at < c->timed_at ? c->sample_at : c->timed_at;
	if (c->counted)
		c->due = c->switches;
}

/*
 * Adds what was counted since c->at to the slot. If the kernel had to share the counters with
 * somebody else, only the part of the time in which they ran counts as counted; user space scales
 * by run_ns / counted_ns and so corrects for both sampling and multiplexing.
 *
 * At an edge the time is taken, and estimated, before the counters: a slice that begins there did
 * not run longer than they did.
 */
static __always_inline void add_counts(struct pt_cpu *c, const struct pt_reading *now,
				       struct pt_slot *slot, __s64 ran_ns)
{
	__u64 enabled = now->enabled_ns - c->at.enabled_ns;
	__u64 running = now->running_ns - c->at.running_ns;

	if (!running)
		return;
	if (c->counted == PT_COUNTED_EDGE && ran_ns > (__s64)enabled)
		ran_ns = enabled;
	if (running < enabled && ran_ns > 0)
		ran_ns = (__u64)ran_ns * (running >> 4) / ((enabled >> 4) | 1);
	slot->counted_ns += ran_ns;
	slot->counts[0] += now->counts[0] - c->at.counts[0];
	slot->counts[1] += now->counts[1] - c->at.counts[1];
}
