# SPDX-License-Identifier: Apache-2.0
# Kernels that lack something: powertrace falls back, and doctor says so. The kernel's type information
# decides what powertrace asks for, so a copy of it without a name stands for a kernel without the feature.
. /lib/tap.sh
. /lib/powertrace.sh

btf=/sys/kernel/btf/vmlinux
btf_without() { # TRACEPOINT
    umount $btf 2>/dev/null
    sed "s/btf_trace_$1/btf_trace_${1%?}_/" $btf >/tmp/btf
    mount --bind /tmp/btf $btf
}

doctor
is "doctor finds nothing missing" "$status" 1
is "the programs are typed tracepoints" "$(finding trace.bpf)" \
    "ok the BPF programs load and attach to tp_btf/sched_switch"
check "what the counters lack is said" doctor_says "energy is divided by run time\|no instructions are reported"
is "so is that there is no RAPL" "$(finding energy.source.powercap)$(finding energy.source.perf)" \
    "limited not usablelimited not usable"

btf_without cgroup_mkdir
doctor
check "without cgroup_mkdir doctor says what is lost" doctor_says "no cgroup_mkdir events .*short-lived cgroups"

btf_without sched_switch
doctor
is "without typed tracepoints it takes raw ones" "$(finding trace.bpf)" \
    "limited the BPF programs load and attach to raw_tp/sched_switch"
check "and says so" doctor_says "typed tracepoints (tp_btf) are refused: using raw_tp"
cgroup_new raw
trace_start raw --by cgroup --interval 1s
in_cgroup raw spin 2
in_cgroup raw forks 1 500 >/dev/null
snapshots 1
facts usec "$(cgroup_usec raw)"
trace_stop "top runs with raw tracepoints"
rmdir /sys/fs/cgroup/raw

umount $btf
: >/tmp/btf
mount --bind /tmp/btf $btf
refused "unusable type information" "type information"
umount $btf

mount -t tmpfs none /sys/kernel/btf
refused "no type information" "CONFIG_DEBUG_INFO_BTF=y"
umount /sys/kernel/btf

# Last: a lockdown lasts until the next boot.
mount -t securityfs securityfs /sys/kernel/security 2>/dev/null
if ! write_to /sys/kernel/security/lockdown confidentiality 2>/dev/null; then
    ok "a lockdown is said by doctor # SKIP this kernel cannot be locked down"
else
    doctor
    is "a lockdown is said by doctor" "$(finding kernel.lockdown)" "limited kernel lockdown: confidentiality"
    refused "a lockdown" "lockdown"
fi
