#!/bin/bash
# The daemon's hand in a router: one long-lived `docker exec -i <router> agent.sh <owner>`.
#
# Only one agent lives in a router; a second one says `locked <owner of the first>` and ends. When standard
# input ends (the daemon is gone), or stays silent for a minute, the agent ends and the lock is free.
#
#   ready 1                                          the first line, once the router serves
#   ping <id>                                     -> pong <id>
#   meta <id>                                     -> meta <id> <base64 of the applied table's meta, or `-`>
#   check <id>                                    -> state <id> <nft: same|drift> <dns: same|drift>
#   apply <id> <full|change> <none|forward|reverse|both> <sha256> <sizes of: change full forward reverse flows meta>
#     followed by those bytes and `end <id>`      -> ok <id>, or error <id> <why>
#
# `change` turns the live rules into the new ones; `full` makes them from nothing, and is what a restarted
# router loads. The word after it says which zones differ. `flows` are UDP flows to forget, one a line:
# <address> <port> <backend ip> <backend port>.
set -u
. "$(dirname "$0")/state.sh"
idle_seconds=60

answer_error() {
  printf 'error %s %s\n' "$1" "$(head -c 2000 "$run/error" | tr '\n' ' ')"
}

receive() {
  if [ "$2" = 0 ]; then : >"$1"; else head -c "$2" >"$1"; fi
}

# Zones are read again under one lock of the server: a name that stays is never missing in between.
reload_zones() {
  local domain reverse
  read -r domain reverse <"$run/zones"
  case $1 in forward | both) zone_control -q auth_zone_reload "$domain." || return 1 ;; esac
  case $1 in reverse | both) zone_control -q auth_zone_reload "$reverse." || return 1 ;; esac
}

# The server may just be starting again by itself; it then reads the current zones, and so does this.
apply_zones() {
  local verb=$1 kind=$2 try
  [ "$verb" = change ] && [ "$kind" = none ] && return 0
  for try in 1 2 3 4 5 6 7 8 9 10; do
    if [ "$verb" = full ]; then zone_control -q reload; else reload_zones "$kind"; fi >"$run/error" 2>&1 && return 0
    sleep 0.2
  done
  return 1
}

apply_rules() {
  if [ "$1" = full ]; then nft -f "$2/full" && nft -f "$run/base.nft"
  elif [ -s "$2/change" ]; then nft -f "$2/change"
  fi >"$run/error" 2>&1
}

forget_flows() {
  local address port ip backend_port
  while read -r address port ip backend_port; do
    conntrack -D -p udp --orig-dst "$address" --orig-port-dst "$port" --reply-src "$ip" --reply-port-src "$backend_port" \
      >/dev/null 2>&1 </dev/null
  done <"$1"
}

apply() {
  local id=$1 verb=$2 zones=$3 sum=$4 next
  if [ "$(readlink "$state/current")" = a ]; then next=b; else next=a; fi
  local dir=$state/$next
  mkdir -p "$dir"
  printf '%s\n' torn >"$dir/sum"
  receive "$dir/change" "$5"
  receive "$dir/full" "$6"
  receive "$dir/forward.zone" "$7"
  receive "$dir/reverse.zone" "$8"
  receive "$dir/flows" "$9"
  receive "$dir/meta" "${10}"
  read -r -t "$idle_seconds" trailer && [ "$trailer" = "end $id" ] || exit 1
  printf '%s\n' "$sum" >"$dir/sum"
  apply_rules "$verb" "$dir" || { answer_error "$id"; return; }
  make_current "$next"
  apply_zones "$verb" "$zones" || { answer_error "$id"; return; }
  [ "$9" = 0 ] || forget_flows "$dir/flows"
  printf 'ok %s\n' "$id"
  # After the answer: the disk is slow, a torn generation is told by its sum, and the other one is whole.
  sync "$dir"/* "$state" 2>/dev/null
  # A burst of changes is fingerprinted once, at its end.
  unsealed_nft=yes
  [ "$verb" = change ] && [ "$zones" = none ] || unsealed_dns=yes
}

seal() {
  [ -z "$unsealed_nft" ] || seal_nft
  [ -z "$unsealed_dns" ] || seal_dns
  unsealed_nft='' unsealed_dns=''
}

verdict() {
  if [ "$("$1")" = "$(cat "$2" 2>/dev/null)" ]; then echo same; else echo drift; fi
}

serve() {
  local verb id rest
  unsealed_nft='' unsealed_dns=''
  while read -r -t "$idle_seconds" verb id rest; do
    case $verb in
      ping) printf 'pong %s\n' "$id" ;;
      meta) printf 'meta %s %s\n' "$id" "$(if [ -s "$state/current/meta" ]; then base64 -w 0 "$state/current/meta"; else echo -; fi)" ;;
      check)
        seal
        printf 'state %s %s %s\n' "$id" "$(verdict nft_fingerprint "$run/nft.sealed")" "$(verdict dns_fingerprint "$run/dns.sealed")"
        ;;
      # Word splitting is meant: the header's fields are this function's arguments.
      apply) apply "$id" $rest ;;
      *) exit 1 ;;
    esac
    read -t 0 || seal
  done
}

until [ "$(cat "$run/ready" 2>/dev/null)" = "$(boot_id)" ]; do
  waited=$((${waited:-0} + 1))
  [ "$waited" -le 200 ] || { echo 'the router does not become ready' >&2; exit 1; }
  sleep 0.05
done
exec 9>>"$run/agent.lock"
flock -n 9 || { printf 'locked %s\n' "$(head -c 256 "$run/agent.owner")"; exit 0; }
printf '%s\n' "$1" >"$run/agent.owner"
echo 'ready 1'
serve
