/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between sampling.bpf.c and its loader: ring buffer records. Like abi.h it never
 * reaches a disk.
 */
#pragma once

#ifndef __bpf__
#include <linux/types.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define PT_MAX_FRAMES 127 /* of each side: kernel.perf_event_max_stack */

enum pt_sample_type {
	PT_SAMPLE_STACK = 1, /* pt_sample */
	PT_SAMPLE_SWITCH,    /* pt_slice_edge */
};

struct pt_sample_head {
	__u32 type;
	__u32 cpu;
	__u64 time; /* CLOCK_MONOTONIC instant */
};

/* Where a task was. The record ends with the last frame that is used. */
struct pt_sample {
	struct pt_sample_head head;
	__u64 start_boottime;
	__u64 space; /* tells its address space from others, also after an exec; 0: none */
	__u32 pid;
	__u32 tgid;
	__u32 kernel_frames;
	__u32 user_frames;
	__u64 frames[2 * PT_MAX_FRAMES]; /* the kernel's, then the user's; each leaf first */
};

/* A CPU went from one task to another; pid 0 is idle. */
struct pt_slice_edge {
	struct pt_sample_head head;
	__u64 prev_start_boottime;
	__u32 prev_pid;
	__u32 next_pid;
};

#ifdef __cplusplus
} /* extern "C" */
#endif
