#!/bin/bash
# Entry of an edge: sends published ports on to a Service address.
#
#   edge.sh <clusterIP> <protocol>:<listenPort>:<servicePort>...      such as 10.88.128.20 tcp:30080:80
#
# Container: on the pod network, `-p <hostPort>:<listenPort>/<protocol>` for each port, capability NET_ADMIN
# (all others may be dropped), sysctl net.ipv4.ip_forward=1, restart policy `always`. No volume, no state.
# Rules that were changed by hand are put back within ten seconds.
set -u
rules=/tmp/edge.nft
address=$1
shift

edge_rules() {
  local spec protocol listen port
  echo 'add table ip trireme_edge'
  echo 'delete table ip trireme_edge'
  echo 'add table ip trireme_edge'
  echo 'add chain ip trireme_edge prerouting { type nat hook prerouting priority -100 ; }'
  echo 'add chain ip trireme_edge postrouting { type nat hook postrouting priority 100 ; }'
  echo 'add chain ip trireme_edge output { type filter hook output priority 0 ; }'
  for spec in "$@"; do
    IFS=: read -r protocol listen port <<<"$spec"
    echo "add rule ip trireme_edge prerouting fib daddr type local $protocol dport $listen dnat to $address:$port"
  done
  echo "add rule ip trireme_edge postrouting ip daddr $address masquerade"
  echo 'add rule ip trireme_edge output icmp type redirect drop'
}

fingerprint() { nft -s list ruleset 2>/dev/null | sha256sum; }

trap 'exit 0' TERM INT
edge_rules "$@" >"$rules"
nft -f "$rules" || exit 1
sealed=$(fingerprint)
while :; do
  sleep 10 & wait $!
  [ "$(fingerprint)" = "$sealed" ] && continue
  echo 'the rules were changed; putting them back' >&2
  nft -f "$rules"
  sealed=$(fingerprint)
done
