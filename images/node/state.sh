# Sourced by router.sh and agent.sh: where a router keeps its state, and what that state is right now.
#
# /var/lib/trireme (volume)
#   table        what the router serves: a line `<sha256> <sizes of full, forward, reverse, meta>`, then those
#                four: nftables commands that make the whole table, two zone files, and the daemon's own copy,
#                opaque here. The sum, of the four, tells a file that a power cut tore.
#   table.safe   an earlier table that is known to be on the disk, for that case
# /run/trireme   sockets, configuration, the zone files in use, and fingerprints of what was last applied

state=/var/lib/trireme
run=/run/trireme

# Tells this start of the container from an earlier one, whose files in /run are still there.
boot_id() {
  local fields
  read -r -a fields </proc/1/stat
  echo "${fields[21]}"
}

# table_part <full|forward|reverse|meta> <file>
table_part() {
  local header sum full forward reverse meta start
  IFS= read -r header <"$2"
  read -r sum full forward reverse meta <<<"$header"
  start=$((${#header} + 2))
  case $1 in
    full) tail -c "+$start" "$2" | head -c "$full" ;;
    forward) tail -c "+$((start + full))" "$2" | head -c "$forward" ;;
    reverse) tail -c "+$((start + full + forward))" "$2" | head -c "$reverse" ;;
    meta) tail -c "$meta" "$2" ;;
  esac
}

is_whole() {
  local sum
  read -r sum _ <"$1" && [ "$(tail -n +2 "$1" | sha256sum)" = "$sum  -" ]
} 2>/dev/null

# write_zone <forward|reverse> <table>: the name server never sees half a file.
write_zone() {
  table_part "$1" "$2" >"$run/$1.zone.new" && mv "$run/$1.zone.new" "$run/$1.zone"
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
  { cat "$run/forward.zone" "$run/reverse.zone"
    zone_control list_auth_zones
    zone_control list_local_zones
    zone_control list_local_data
  } 2>&1 | sha256sum
}

seal_nft() { nft_fingerprint >"$run/nft.sealed"; }
seal_dns() { dns_fingerprint >"$run/dns.sealed"; }
