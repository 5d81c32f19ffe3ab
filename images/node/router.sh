#!/bin/bash
# Entry of the router: answers for every Service address of one node, and for the names of the cluster.
#
#   router.sh <serviceRange> <dnsAddress> <domain>      such as 10.88.128.0/17 10.88.128.10 cluster.local
#
# Container: on the pod network, capability NET_ADMIN (all others may be dropped), sysctl
# net.ipv4.ip_forward=1 (and icmp_ratelimit=0, or refusals of UDP are left out), a volume at /var/lib/trireme,
# /run writable, restart policy `always`, and no --dns:
# names outside the cluster are asked of Docker's own resolver at 127.0.0.11.
#
# <serviceRange> is the upper half of the pod network. The reverse zone is that network's, to whole octets.
# The last table on the volume is loaded before the name server starts. Later changes come through agent.sh.
set -u
. "$(dirname "$0")/state.sh"
range=$1 dns=$2 domain=$3

reverse_zone() {
  local address=${1%/*} prefix=${1#*/} zone=in-addr.arpa octets i
  octets=$(( (prefix - 1) / 8 > 1 ? (prefix - 1) / 8 : 1 ))
  IFS=. read -r -a parts <<<"$address"
  for ((i = 0; i < octets; i++)); do zone=${parts[i]}.$zone; done
  echo "$zone"
}

# The port that Docker's resolver really listens on: 127.0.0.11 in the kernel's hexadecimal.
resolver_port() {
  local hex
  hex=$(sed -n 's/^ *[0-9]*: 0B00007F:\([0-9A-F]*\) .*/\1/p' "/proc/net/$1" | head -n 1)
  [ -z "$hex" ] || echo $((16#$hex))
}

# Rules that do not depend on the table. Docker's own way to its resolver is repeated, because a flushed
# ruleset takes it along. Redirects would send clients around the router, to addresses nobody has.
base_rules() {
  local protocol port
  echo 'add table ip trireme_base'
  echo 'delete table ip trireme_base'
  echo 'add table ip trireme_base'
  echo 'add chain ip trireme_base output { type filter hook output priority 0 ; }'
  echo 'add rule ip trireme_base output icmp type redirect drop'
  echo 'add chain ip trireme_base resolver { type nat hook output priority -99 ; }'
  for protocol in udp tcp; do
    port=$(resolver_port $protocol)
    [ -z "$port" ] || echo "add rule ip trireme_base resolver ip daddr 127.0.0.11 $protocol dport 53 dnat to 127.0.0.11:$port"
  done
}

empty_zone() {
  echo "$1. 5 IN SOA ns.dns.$domain. hostmaster.$domain. 1 7200 1800 86400 5"
  echo "$1. 5 IN NS ns.dns.$domain."
}

load_table() {
  local table
  for table in "$state/table" "$state/table.safe"; do
    is_whole "$table" && nft -f <(table_part full "$table") || continue
    write_zone forward "$table"
    write_zone reverse "$table"
    [ "$table" = "$state/table" ] || cp "$table" "$state/table"
    return
  done
  rm -f "$state"/table*
  empty_zone "$domain" >"$run/forward.zone"
  empty_zone "$reverse" >"$run/reverse.zone"
}

server_block() {
  cat <<X
server:
  interface: $1
  port: $2
  access-control: $3 allow
  do-ip6: no
  username: ""
  chroot: ""
  directory: "/"
  pidfile: ""
  use-syslog: no
  verbosity: 0
  module-config: "iterator"
  unblock-lan-zones: yes
  insecure-lan-zones: yes
  rrset-roundrobin: yes
  outgoing-range: 512
  num-queries-per-thread: 512
X
}

# The names of the cluster, swapped as a whole when a zone file is read again.
zone_config() {
  local name
  server_block 127.0.0.1 5353 127.0.0.0/8
  for name in "forward $domain" "reverse $reverse"; do
    cat <<X
auth-zone:
  name: "${name#* }."
  zonefile: "$run/${name%% *}.zone"
  for-downstream: yes
  for-upstream: no
X
  done
  cat <<X
remote-control:
  control-enable: yes
  control-use-cert: no
  control-interface: $run/zone.ctl
X
}

# What pods ask. A second server, because an authoritative one does not follow a CNAME out of its zone.
front_config() {
  local name
  server_block "$dns" 53 0.0.0.0/0
  cat <<X
  do-not-query-localhost: no
  msg-cache-size: 4m
  rrset-cache-size: 8m
  cache-max-ttl: 30
  cache-max-negative-ttl: 5
  infra-host-ttl: 1
  infra-keep-probing: yes
  infra-cache-max-rtt: 1000
X
  for name in "$domain" "$reverse"; do
    cat <<X
forward-zone:
  name: "$name."
  forward-addr: 127.0.0.1@5353
  forward-no-cache: yes
X
  done
  cat <<X
forward-zone:
  name: "."
  forward-addr: 127.0.0.11
remote-control:
  control-enable: no
X
}

# Once the name server answers, the fingerprints are true and agents may come.
announce() {
  until zone_control status >/dev/null 2>&1; do sleep 0.05; done
  seal_nft
  seal_dns
  boot_id >"$run/ready"
}

serve_names() {
  local zone front
  trap 'trap - TERM; kill $(jobs -p) 2>/dev/null; exit 0' TERM INT
  while :; do
    unbound -d -c "$run/zone.conf" &
    zone=$!
    unbound -d -c "$run/front.conf" &
    front=$!
    wait -n $zone $front
    echo 'a name server ended; both start again' >&2
    kill $zone $front 2>/dev/null
    wait $zone $front
    sleep 0.2 & wait $!
  done
}

reverse=$(reverse_zone "$range")
mkdir -p "$state" "$run"
rm -f "$run/ready" "$run"/*.sealed
ip route replace local "$range" dev lo || exit 1
# Whether a pod is still there is asked every few seconds while something is sent to it, not every half minute (see forget_gone).
ip ntable change name arp_cache dev eth0 base_reachable 4000 delay_probe 500
base_rules >"$run/base.nft"
nft -f "$run/base.nft" || exit 1
load_table
zone_config >"$run/zone.conf"
front_config >"$run/front.conf"
echo "$domain $reverse" >"$run/zones"
# So that a plain `unbound-control` in this container speaks to the server with the names.
echo "include: $run/zone.conf" 2>/dev/null >/etc/unbound/unbound.conf
announce &
serve_names
