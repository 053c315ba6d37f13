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
#define PT_COUNTERS 2	    /* cycles, instructions */
#define PT_TIMED_FIRST 16   /* at so many switches one is timed, */
#define PT_TIMED_EVERY 1023 /* and later one in so many; odd, since tasks take turns */

#define PT_F_KTHREAD 1U

/*
 * A task as a CPU knows it. User space and on_attach raise a CPU's generation when there is a new
 * window or a task was moved to another cgroup: what bears an older one has to be looked at again.
 */
struct pt_who {
	__u32 pid;
	__u32 generation;
} __attribute__((aligned(8)));

/*
 * One task under one cgroup on one CPU in one window. Map `slots`: per CPU and window a hash table
 * by pid, of which the map `places` says what is in use. A task may have several slots.
 */
struct pt_slot {
	/* The first cache line is all that a switch touches without counters. */
	__u64 task; /* kernel address of the task, and who it is: the BPF side's business */
	struct pt_who who;
	__u64 sum_ns;	/* the task's se.sum_exec_runtime when it was last charged here */
	__s64 run_ns;	/* from the scheduler's own account (se.sum_exec_runtime); negative if
			 * the window before was charged too much: they add up exactly */
	__u32 switches; /* times it left the CPU */
	__u32 tgid;
	__u64 window;	      /* in which it is in use */
	__u64 start_boottime; /* CLOCK_BOOTTIME instant; with who.pid, the identity of the task */
	__u64 css;	      /* kernel address of its set of cgroups: the BPF side's business */

	__s64 counted_ns; /* part of run_ns during which the counters were read and running */
	__u64 counts[PT_COUNTERS]; /* cycles, instructions during counted_ns */
	__u64 cgroup_id;	   /* kernfs id of the cgroup, = inode of its directory */
	__u32 flags;		   /* PT_F_* */
	__u32 pad;
	char comm[PT_COMM_LEN];
	__u64 pad2;
};
PT_STATIC_ASSERT(sizeof(struct pt_slot) == 128, "pt_slot is two cache lines");

/* Header of one window on one CPU. Map `windows`, by pt_window_index(). */
struct pt_window {
	__u64 number;  /* which window the slots belong to; anything else: this CPU had none */
	__u64 lost_ns; /* run time that found neither a slot nor room in the ring buffer */
	__u32 used;    /* slots in use, and entries of `places` */
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

/* Per-CPU state. Map `cpus`, by CPU number. Written by its CPU, but for the fields that say so. */
struct pt_cpu {
	/* The first cache line is all that a switch touches without counters. */
	__u64 task;	   /* kernel address of the task that runs here, as far as we saw */
	struct pt_who who; /* pid 0: idle; the generation is raised by others, on any CPU */
	__u64 charged_ns;  /* part of its se.sum_exec_runtime that was charged */
	__u64 switches;
	__u64 due;     /* at how many switches the next one is not like all others */
	__u32 place;   /* where its slot is if it has one, index in the map slots */
	__u32 base;    /* the open window's first slot; user space begins with PT_NOWHERE */
	__u32 mask;    /* a slot is at base + (pid & mask), or after it */
	__u32 seen;    /* who.generation when this CPU last looked */
	__u32 running; /* 1: a task other than idle runs here, so a flush is due at the edge */
	__u32 counted; /* 1: the open slice began with a counter reading, `at`; PT_COUNTED_EDGE */

	__u64 window;	    /* number of the window that is open on this CPU */
	__u64 moves;	    /* live.moves when this CPU last looked */
	__u64 clock_offset; /* CLOCK_MONOTONIC - the run queue's clock; 0: unknown */
	__u64 rng;	    /* xorshift64 state, never 0; user space seeds it once */
	__u64 sample_scale; /* user space: how far the samples are apart, see next_sample() */
	__u64 sample_at;    /* at how many switches a slice is counted; PT_NEVER */
	__u32 allowance;    /* user space: slices that a window may count before it thins them */
	__u32 sampled;	    /* slices to count drawn in this window, since they were thinned */
	__u32 thinned;	    /* how often they were thinned in this window */
	__u32 pad;
	struct pt_reading at;
	__u64 counter_reads; /* single counter reads */
	__u64 timed_at;	     /* at how many switches on_switch is timed */
	__u64 timed_runs;    /* timed runs of on_switch, and their total length */
	__u64 timed_ns;
	__u64 overflows; /* slices that went through the ring buffer */
	__u64 drops[PT_DROP_REASONS];
	__u64 pad2[3];
};
PT_STATIC_ASSERT(sizeof(struct pt_cpu) == 256, "pt_cpu is whole cache lines, and a power of two");
#define PT_NOWHERE 0xffffffffU /* behind every table */
#define PT_NEVER (~0ULL)
#define PT_COUNTED_EDGE 2	  /* with one at the edge of a window */
#define PT_MAX_SCALE (1ULL << 42) /* of pt_cpu.sample_scale: a slice in a hundred million */

/* Live settings. */
struct pt_live {
	__u64 window;	/* user space: number of the open window; 0 until the first edge */
	__u64 moves;	/* tasks that were moved to another cgroup */
	__u64 moved_at; /* CLOCK_MONOTONIC instant of the last such move */
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
