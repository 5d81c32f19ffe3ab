# Sourced by router.sh and agent.sh: where a router keeps its state, and what that state is right now.
#
# /var/lib/trireme (volume)   a/ and b/, two generations of the table; `current` names the one that serves.
#   full                      nftables commands that make the whole table
#   forward.zone reverse.zone what the name server serves
#   meta                      the daemon's own copy of the table, opaque here
#   sum                       SHA-256 of those four, in that order: tells a torn generation after a power cut
# /run/trireme                sockets, generated configuration and the fingerprints of what was last applied

state=/var/lib/trireme
run=/run/trireme

# Tells this start of the container from an earlier one, whose files in /run are still there.
boot_id() {
  local fields
  read -r -a fields </proc/1/stat
  echo "${fields[21]}"
}

is_whole() {
  [ -s "$1/sum" ] && [ "$(cat "$1/full" "$1/forward.zone" "$1/reverse.zone" "$1/meta" 2>/dev/null | sha256sum)" = "$(cat "$1/sum")  -" ]
}

make_current() {
  ln -sfn "$1" "$state/current.new" && mv -T "$state/current.new" "$state/current"
}

zone_control() {
  unbound-control -c "$run/zone.conf" "$@"
}

# Every rule of this network namespace, without counters and without the clients in affinity sets.
nft_fingerprint() {
  nft -s list ruleset 2>/dev/null | sed -e '/^\tset aff-/,/^\t}/{/elements = {/,/}/d;}' | sha256sum
}

# What is on disk, what is loaded (the serial follows from the content), and whatever was put over it by hand.
dns_fingerprint() {
  { cat "$state/current/forward.zone" "$state/current/reverse.zone"
    zone_control list_auth_zones
    zone_control list_local_zones
    zone_control list_local_data
  } 2>&1 | sha256sum
}

seal_nft() { nft_fingerprint >"$run/nft.sealed"; }
seal_dns() { dns_fingerprint >"$run/dns.sealed"; }
