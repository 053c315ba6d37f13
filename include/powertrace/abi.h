/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between the BPF programs and the loader: maps' values and ring buffer records.
 * Both sides are built from this file at the same time, so it carries no version; it never reaches
 * a disk or a network. Only fixed-width types, explicit padding, 8-byte alignment.
 *
 * Clocks: *_ns are durations unless said otherwise; instants name their clock.
 */
#pragma once

#ifndef __bpf__
#include <linux/types.h>
#endif

#ifdef __cplusplus
#define PT_STATIC_ASSERT(cond, text) static_assert(cond, text)
#else
#define PT_STATIC_ASSERT(cond, text) _Static_assert(cond, text)
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define PT_COMM_LEN 16
#define PT_WINDOWS 4 /* ring of windows per CPU; a window is read within one tick of its end */
#define PT_MAX_CPUS 4096
#define PT_PATH_LEN 192
#define PT_ARGS_LEN 256
#define PT_COUNTERS 2 /* cycles, instructions */
#define PT_TIMED_READINGS 16
#define PT_TIMED_MASK 1023 /* one switch in 1024 is timed */

#define PT_F_KTHREAD 1U

/* One task under one cgroup on one CPU in one window. Map `slots`; a task may have several. */
struct pt_slot {
	__u64 start_boottime; /* CLOCK_BOOTTIME instant; with pid, the identity of the task */
	__u64 sum_ns;	      /* the task's se.sum_exec_runtime when it was last charged here */
	__u32 pid;
	__u32 tgid;
	__s64 run_ns;	  /* from the scheduler's own account (se.sum_exec_runtime); negative if the
			   * window before was charged too much: the two add up exactly */
	__s64 counted_ns; /* part of run_ns during which the counters were read and running */
	__u64 counts[PT_COUNTERS]; /* cycles, instructions during counted_ns */
	__u32 switches;		   /* times it left the CPU */
	__u32 flags;		   /* PT_F_* */
	__u64 cgroup_id;	   /* kernfs id of the cgroup, = inode of its directory */
	__u64 css; /* kernel address of its set of cgroups: the BPF side's business */
	char comm[PT_COMM_LEN];
	__u64 pad[4]; /* two cache lines, the first of which is the hot one */
};
PT_STATIC_ASSERT(sizeof(struct pt_slot) == 128, "pt_slot is two cache lines");

/* Header of one window on one CPU. Map `windows`, by pt_window_index(). */
struct pt_window {
	__u64 number;  /* which window the slots belong to; anything else: this CPU had none */
	__u64 lost_ns; /* run time that found neither a slot nor room in the ring buffer */
	__u32 used;    /* slots in use */
	__u32 pad;
	__u64 pad2[5];
};
PT_STATIC_ASSERT(sizeof(struct pt_window) == 64, "pt_window is one cache line");

/* Why something was dropped or could not be done; indices of pt_cpu.drops. */
enum pt_drop {
	PT_DROP_SLICE = 0, /* window table and ring buffer both full: the slice is lost */
	PT_DROP_EVENT,	   /* ring buffer full: a lifecycle event is lost, a name may be missing */
	PT_DROP_COUNTER,   /* a counter read failed: the slice is not counted */
	PT_DROP_SWITCH,	   /* the kernel did not show us a switch */
	PT_DROP_REASONS,
};

/* One reading of a CPU's counters. enabled and running tell how they were multiplexed. */
struct pt_reading {
	__u64 counts[PT_COUNTERS];
	__u64 enabled_ns;
	__u64 running_ns;
};

/*
 * Where the tasks that ran last on a CPU have their slots in its open window; a direct-mapped cache
 * in front of the map by_pid.
 */
struct pt_recent {
	__u64 task; /* kernel address; 0: none */
	__u32 pid;
	__u32 slot; /* index in the map slots */
};
#define PT_RECENT_BITS 3

/* Per-CPU state. Map `cpus`, by CPU number. Written by its CPU, but for rng (seeded once) and
 * sample_threshold, which user space sets. */
struct pt_cpu {
	/* The first cache line is all that a switch touches without counters. */
	__u64 window;	  /* number of the window that is open on this CPU */
	__u64 task;	  /* kernel address of the task that runs here, as far as we saw */
	__u64 charged_ns; /* part of its se.sum_exec_runtime that was charged */
	__u32 pid;	  /* its pid; 0: idle */
	__u32 running;	  /* 1: a task other than idle runs here, so a flush is due at the edge */
	__u64 switches;
	__u64 regrouped;	/* live.regrouped when `recent` was last emptied */
	__u32 counted;		/* 1: the open slice began with a counter reading, `at` */
	__u32 sample_threshold; /* user space: read counters if a random u32 is below; 0: never */
	__u64 rng;		/* xorshift64 state, never 0 */
	struct pt_recent recent[1 << PT_RECENT_BITS];
	__u64 clock_offset; /* CLOCK_MONOTONIC - the run queue's clock; 0: unknown */
	struct pt_reading at;
	__u64 counter_reads; /* single counter reads */
	__u64 timed_runs;    /* sampled runs of on_switch, and their total length */
	__u64 timed_ns;
	__u64 timed_from; /* CLOCK_MONOTONIC at the begin of such a run */
	__u64 overflows;  /* slices that went through the ring buffer */
	__u64 drops[PT_DROP_REASONS];
	__u64 pad[2];
};
PT_STATIC_ASSERT(sizeof(struct pt_cpu) == 320, "pt_cpu is whole cache lines");

/* Live settings. */
struct pt_live {
	__u64 window;	    /* user space: number of the open window; 0 until the first edge */
	__u64 regrouped;    /* tasks that were moved to another cgroup */
	__u64 regrouped_at; /* CLOCK_MONOTONIC instant of the last such move */
	__u64 reading_ns;   /* set by time_counters: one reading of all counters; 0: none */
};

/* Ring buffer records. All start with pt_event. */
enum pt_event_type {
	PT_EVENT_SLICE = 1, /* pt_event_slice: a slice that found no slot */
	PT_EVENT_FORK,	    /* pt_event_process: a new process (not a thread) */
	PT_EVENT_EXEC,	    /* pt_event_exec */
	PT_EVENT_EXIT,	    /* pt_event_process: the last thread of a process ended */
	PT_EVENT_CGROUP,    /* pt_event_cgroup: mkdir, or a task was attached to it */
};

struct pt_event {
	__u32 type;
	__u32 cpu;
	__u64 time; /* CLOCK_MONOTONIC instant */
};

struct pt_event_slice {
	struct pt_event head;
	__u64 window;
	struct pt_slot slot;
};

struct pt_event_process {
	struct pt_event head;
	__u64 start_boottime;
	__u64 cgroup_id;
	__u32 tgid;
	__u32 parent_tgid;
	__u32 uid;
	__u32 flags;
	char comm[PT_COMM_LEN];
};

struct pt_event_exec {
	struct pt_event_process process;
	__u32 path_len; /* with the NUL; 0: unknown */
	__u32 args_len; /* bytes of args in use: NUL-separated, as in /proc/PID/cmdline */
	char path[PT_PATH_LEN];
	char args[PT_ARGS_LEN];
};

struct pt_event_cgroup {
	struct pt_event head;
	__u64 cgroup_id;
	__u32 path_len; /* with the NUL */
	__u32 pad;
	char path[PT_PATH_LEN * 2];
};

#ifdef __cplusplus
} /* extern "C" */

inline constexpr __u32 pt_window_index(__u32 cpu, __u64 number)
{
	return cpu * PT_WINDOWS + static_cast<__u32>(number % PT_WINDOWS);
}
#endif
