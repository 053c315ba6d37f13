#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: cluster.sh STATE BIN
# Runs a Kubernetes of one node until SIGTERM: etcd, the control plane, containerd, kubelet,
# kube-proxy and DNS, with fake RAPL zones at their real path. STATE becomes its directory:
#   kubeconfig  the administrator's      pid  a process to enter its namespaces by (enter.sh)
#   log/        a file per server        ips  "NODE_IP API_SERVICE_IP"
# It lives in network and mount namespaces and in a cgroup of its own, which is how it leaves nothing:
# at the end all processes of the cgroup are killed, and the namespaces go with the last of them.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
readonly NODE=lab NODE_IP=172.31.254.1 SERVICES=10.96.0.0/24 PODS=10.244.0.0/24

main() {
    if [ "$1" = --inside ]; then
        inside "$2" "$3" "$4"
        exit
    fi
    state=$1 bin=$2
    cgroup=/powertrace-cluster-$$
    trap clean_up EXIT
    trap 'exit 0' TERM INT
    local directory
    for directory in $(hierarchies); do
        mkdir -p "$directory$cgroup"
    done
    mkdir "$(cgroup2)$cgroup/servers"
    echo $$ >"$(cgroup2)$cgroup/servers/cgroup.procs"
    mkdir -p "$state"/{cni,containerd,dns,etcd,kubelet,log,tls,var-lib,var-lib-work}
    echo "$NODE_IP ${SERVICES%.*}.1" >"$state/ips"
    TMPDIR=$state "$here/../../support/fake_rapl_ns.sh" --busy-mw 30000,20000,2000 -- \
        unshare --net --mount --propagation private "$0" --inside "$state" "$bin" "$cgroup" &
    wait $!
}

hierarchies() {
    findmnt -n -l -o TARGET -t cgroup,cgroup2
}

cgroup2() {
    findmnt -n -o TARGET -t cgroup2 | tail -n 1
}

clean_up() {
    trap '' TERM INT
    echo $$ >"$(cgroup2)/cgroup.procs" # out of what is killed
    local attempt pids directories
    mapfile -t directories < <(hierarchies)
    directories=("${directories[@]/%/$cgroup}")
    for ((attempt = 0; attempt < 100; attempt++)); do
        pids=$(find "${directories[@]}" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u) || true
        # shellcheck disable=SC2086 # one word each
        [ -z "$pids" ] || kill -KILL $pids 2>/dev/null || true
        find "${directories[@]}" -depth -type d -exec rmdir {} + 2>/dev/null || true
        [ -n "$(find "${directories[@]}" -maxdepth 0 2>/dev/null || true)" ] || break
        sleep 0.1
    done
    wait 2>/dev/null || true
}

inside() {
    state=$1 bin=$2 cgroup=$3
    private_files
    private_network
    credentials
    echo $$ >"$state/pid"
    start etcd etcd --data-dir "$state/etcd" --listen-client-urls http://127.0.0.1:2379 \
        --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380
    start_containerd
    start kube-apiserver "$bin/kube-apiserver" --etcd-servers http://127.0.0.1:2379 --cert-dir "$state/tls" \
        --advertise-address "$NODE_IP" --service-cluster-ip-range "$SERVICES" --allow-privileged \
        --authorization-mode RBAC --token-auth-file "$state/tls/tokens.csv" \
        --service-account-issuer https://kubernetes.default.svc \
        --service-account-signing-key-file "$state/tls/accounts.key" --service-account-key-file "$state/tls/accounts.key" \
        --kubelet-preferred-address-types InternalIP --kubelet-client-certificate "$state/tls/api.crt" --kubelet-client-key "$state/tls/api.key"
    until kubectl get --raw /readyz >/dev/null 2>&1; do
        sleep 0.3
    done
    start kube-controller-manager "$bin/kube-controller-manager" --kubeconfig "$state/kubeconfig" --leader-elect=false \
        --root-ca-file "$state/tls/apiserver.crt" --service-account-private-key-file "$state/tls/accounts.key"
    start kube-scheduler "$bin/kube-scheduler" --kubeconfig "$state/kubeconfig" --leader-elect=false
    start kube-proxy "$bin/kube-proxy" --kubeconfig "$state/kubeconfig" --hostname-override "$NODE" --proxy-mode iptables \
        --conntrack-max-per-core 0
    start_kubelet
    start dnsmasq dnsmasq --keep-in-foreground --user=root --no-resolv --no-hosts --local /cluster.local/ --listen-address "$NODE_IP" \
        --bind-interfaces --hostsdir "$state/dns" --pid-file
    # Names of services lead to their pods, as those of headless ones do.
    kubectl get endpoints --all-namespaces --watch --no-headers \
        -o 'custom-columns=IP:.subsets[*].addresses[*].ip,NAME:.metadata.name,NAMESPACE:.metadata.namespace' 2>"$state/log/dns" |
        while read -r ip name namespace; do
            echo "$ip $name.$namespace.svc.cluster.local" >"$state/dns/$namespace.$name"
        done &
    wait
}

start() { # NAME COMMAND...
    local name=$1
    shift
    "$@" >"$state/log/$name" 2>&1 </dev/null &
}

kubectl() {
    "$bin/kubectl" --kubeconfig "$state/kubeconfig" "$@"
}

# What the servers write to fixed places goes to STATE, and what kubelet sets for the whole machine
# goes nowhere.
private_files() {
    mount --make-rshared / # kubelet asks for it
    mount -t tmpfs run /run
    mount --bind "$state/log" /var/log
    mount -t overlay overlay -o "lowerdir=/var/lib,upperdir=$state/var-lib,workdir=$state/var-lib-work" /var/lib
    mkdir -p /var/lib/kubelet
    mount --bind "$state/kubelet" /var/lib/kubelet
    local setting
    mkdir /run/sysctl
    for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
        kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
        echo "${setting#*=}" >"/run/sysctl/$(basename "${setting%=*}")"
        mount --bind "/run/sysctl/$(basename "${setting%=*}")" "/proc/sys/${setting%=*}"
    done
}

private_network() {
    ip link set lo up
    ip link add node type veth peer name nowhere
    ip addr add "$NODE_IP/24" dev node
    ip link set node up
    ip link set nowhere up
    ip route add default via "${NODE_IP%.*}.2"
    echo 1 >/proc/sys/net/ipv4/ip_forward
    cat >"$state/cni/10-pods.conf" <<END
{"cniVersion": "0.4.0", "name": "pods", "type": "ptp",
 "ipam": {"type": "host-local", "subnet": "$PODS", "routes": [{"dst": "0.0.0.0/0"}]}}
END
}

# An administrator's token, a key for service accounts, and what the API server shows to the kubelet.
# The API server makes its own certificate.
credentials() {
    local token
    token=$(openssl rand -hex 16)
    (
        cd "$state/tls"
        echo "$token,admin,admin,system:masters" >tokens.csv
        openssl genrsa -out accounts.key 2048
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=lab-ca -keyout ca.key -out ca.crt
        openssl req -newkey rsa:2048 -nodes -subj /O=system:masters/CN=api -keyout api.key -out api.csr
        openssl x509 -req -in api.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out api.crt
    ) >"$state/log/openssl" 2>&1
    cat >"$state/kubeconfig" <<END
apiVersion: v1
kind: Config
clusters: [{name: lab, cluster: {server: "https://$NODE_IP:6443", insecure-skip-tls-verify: true}}]
users: [{name: admin, user: {token: "$token"}}]
contexts: [{name: lab, context: {cluster: lab, user: admin}}]
current-context: lab
END
}

start_containerd() {
    cat >"$state/containerd.toml" <<END
version = 2
root = "$state/containerd"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "docker.io/library/busybox:1"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "$state/cni"
END
    start containerd containerd --config "$state/containerd.toml"
}

start_kubelet() {
    cat >"$state/kubelet.yaml" <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: "$state/tls/ca.crt"}}
authorization: {mode: Webhook}
cgroupRoot: $cgroup
clusterDNS: ["$NODE_IP"]
clusterDomain: cluster.local
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
failSwapOn: false
makeIPTablesUtilChains: false
oomScoreAdj: 0
END
    start kubelet "$bin/kubelet" --config "$state/kubelet.yaml" --kubeconfig "$state/kubeconfig" \
        --hostname-override "$NODE" --node-ip "$NODE_IP" --cert-dir "$state/tls" \
        --container-runtime remote --container-runtime-endpoint unix:///run/containerd/containerd.sock
}

main "$@"
