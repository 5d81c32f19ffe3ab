#!/bin/bash
# The daemon's hand in a router: one long-lived `docker exec -i <router> agent.sh <owner>`.
#
# Only one agent lives in a router: the lock is its daemon's hold on the cluster. When standard input ends (the
# daemon is gone), or stays silent for a minute, the agent ends and the lock is free. But an engine that dies
# without its containers leaves the agent with an input that never ends. So a second agent waits to hear of the
# first one's daemon, which says something every two seconds: if it does, the second says `locked <owner of the
# first>` and ends; if it does not for `silence_seconds`, the second tells it so and takes over. A daemon that was
# only held up reads that line before anything else, and ends. An owner that comes again takes over at once.
#
#   ready 1                      the first line, once the router serves
#   locked <owner>               also later, and the last line: <owner> has taken over
#   ping <id>                 -> pong <id>
#   meta <id>                 -> meta <id> <base64 of the applied table's meta, or `-`>
#   check <id>                -> state <id> <nft: same|drift> <dns: same|drift>
#   apply <id> <full|change> <zones: none|forward|reverse|both> <bytes of change> <of flows> <of table>
#     followed by those bytes and `end <id>`
#                             -> ok <id>, or error <id> <why>
#
# `change` turns the live rules into the new ones; with `full` those in the table replace whatever is there,
# and the name server starts afresh. `zones` are those that differ. `flows` are UDP flows to forget, one a
# line: <address> <port> <backend ip> <backend port>. The table is described in state.sh.
#
# Every command started costs over a millisecond, and a rollout waits for each answer: hence the builtins.
set -u
export LC_ALL=C
. "$(dirname "$0")/state.sh"
idle_seconds=60
# Longer than a daemon acts on its own without an answer (DOUBT_MS), shorter than it waits for a greeting.
silence_seconds=7

answer_error() {
  local text
  read -r -d '' -n 2000 text <"$run/error"
  printf 'error %s %s\n' "$1" "${text//$'\n'/ }"
}

# receive <bytes>: into `received`. Only for small parts: the shell reads a pipe byte by byte.
receive() {
  received=
  [ "$1" = 0 ] || IFS= read -r -t "$idle_seconds" -N "$1" received || exit 1
}

# While there were no rules at all, the kernel did not see connections end, which the router itself refused then. It would take
# new ones from the same ports for them.
forget_all() { conntrack -D -p tcp --dst-nat; } >/dev/null 2>&1 </dev/null

apply_rules() {
  case $1 in
    full)
      nft list table ip trireme >/dev/null 2>&1 </dev/null || forget_all
      nft -f <(table_part full "$state/table.new") && nft -f "$run/base.nft"
      ;;
    change) [ -z "$2" ] || nft -f - <<<"$2" ;;
  esac 2>"$run/error"
}

# A zone is read again under one lock of the server: a name that stays is never missing in between.
reload_zone() {
  write_zone "$1" "$state/table" && zone_control -q auth_zone_reload "$2."
}

reload_zones() {
  local domain reverse
  read -r domain reverse <"$run/zones"
  case $1 in forward | both) reload_zone forward "$domain" || return ;; esac
  case $1 in reverse | both) reload_zone reverse "$reverse" || return ;; esac
}

restart_zones() {
  write_zone forward "$state/table" && write_zone reverse "$state/table" && zone_control -q reload
}

# The server may just be starting again by itself: then it is asked again.
apply_zones() {
  local try
  for try in 1 2 3 4 5 6 7 8 9 10; do
    if [ "$1" = full ]; then restart_zones; else reload_zones "$2"; fi >"$run/error" 2>&1 && return
    sleep 0.2
  done
  return 1
}

forget_flows() {
  local address port ip backend_port
  while read -r address port ip backend_port; do
    conntrack -D -p udp --orig-dst "$address" --orig-port-dst "$port" --reply-src "$ip" --reply-port-src "$backend_port" \
      >/dev/null 2>&1 </dev/null
  done <<<"$1"
}

# Connections to pods that have vanished without a word. The kernel would keep them for minutes, and send new connections from
# the same ports there too. Nobody is at an address that has not answered for seconds: it says so, or is asked still or again.
forget_gone() {
  local ip device state asked=' ' before=
  read -r before <"$run/asked"
  while read -r ip _ device state; do
    asked+="$ip "
    [[ $state == FAILED* || " $before " == *" $ip "* ]] || continue
    conntrack -D -p tcp --reply-src "$ip" </dev/null
    ip neigh del "$ip" dev "$device" </dev/null
  done < <(ip neigh show nud failed nud incomplete </dev/null)
  printf '%s\n' "$asked" >"$run/asked"
} >/dev/null 2>&1

apply() {
  local id=$1 verb=$2 zones=$3 table_bytes=$6 change flows trailer
  receive "$4"
  change=$received
  receive "$5"
  flows=$received
  head -c "$table_bytes" >"$state/table.new" 9>&-
  IFS= read -r -t "$idle_seconds" trailer && [ "$trailer" = "end $id" ] || exit 1
  apply_rules "$verb" "$change" && mv "$state/table.new" "$state/table" 2>"$run/error" &&
    { [ "$verb $zones" = 'change none' ] || apply_zones "$verb" "$zones"; } || { answer_error "$id"; return; }
  [ -z "$flows" ] || forget_flows "$flows"
  printf 'ok %s\n' "$id"
  unsealed_nft=yes
  [ "$verb $zones" = 'change none' ] || unsealed_dns=yes
}

# What may come after the answer: the disk, which is slow, and the fingerprints. A burst pays once, at its end.
seal() {
  [ -n "$unsealed_nft" ] || return 0
  seal_nft
  [ -z "$unsealed_dns" ] || seal_dns
  sync "$state/table" && ln -f "$state/table" "$state/table.safe"
  unsealed_nft='' unsealed_dns=''
}

verdict() {
  local sealed=''
  read -r sealed <"$2"
  if [ "$("$1")" = "$sealed" ]; then echo same; else echo drift; fi
} 2>/dev/null

serve() {
  local verb id rest meta
  unsealed_nft='' unsealed_dns=''
  while read -r -t "$idle_seconds" verb id rest; do
    printf '%s %s\n' "$$" "$id" >"$run/agent.heard"
    case $verb in
      ping) printf 'pong %s\n' "$id" ;;
      meta)
        meta=$(is_whole "$state/table" && table_part meta "$state/table" | base64 -w 0)
        printf 'meta %s %s\n' "$id" "${meta:--}"
        ;;
      check)
        seal
        printf 'state %s %s %s\n' "$id" "$(verdict nft_fingerprint "$run/nft.sealed")" "$(verdict dns_fingerprint "$run/dns.sealed")"
        forget_gone
        ;;
      # Word splitting is meant: the header's fields are this function's arguments.
      apply) apply "$id" $rest ;;
      *) exit 1 ;;
    esac
    read -t 0 || seal
  done
}

# The daemon of the agent that holds the lock has said something by the time this returns, or been silent too long.
is_heard() {
  local before now tries
  before=$(<"$run/agent.heard")
  for ((tries = silence_seconds * 4; tries > 0; tries--)); do
    ! flock -w 0.25 9 || return 1
    now=$(<"$run/agent.heard")
    [ "$now" = "$before" ] || return 0
  done
  return 1
} 2>/dev/null

take_lock() {
  local pid holder
  ! flock -n 9 || return 0
  read -r pid holder <"$run/agent.owner"
  if [ "${holder:-}" != "$1" ]; then
    if is_heard; then
      printf 'locked %s\n' "${holder:-}"
      return 1
    fi
    # Opened for both, or nobody's reading it would hold this up.
    printf 'locked %s\n' "$1" 1<>"/proc/$pid/fd/1"
  fi 2>/dev/null
  kill "$pid" 2>/dev/null
  flock -w 5 9 || { printf 'locked %s\n' "${holder:-}"; return 1; }
}

until [ "$(cat "$run/ready" 2>/dev/null)" = "$(boot_id)" ]; do
  waited=$((${waited:-0} + 1))
  [ "$waited" -le 200 ] || { echo 'the router does not become ready' >&2; exit 1; }
  sleep 0.05
done
exec 9>>"$run/agent.lock"
take_lock "$1" || exit 0
printf '%s %s\n' "$$" "$1" >"$run/agent.owner"
echo 'ready 1'
serve
