#!/bin/sh
# Answers 200 on every path of PATHS, on every port of PORTS (both separated by spaces or commas), and
# 404 elsewhere. The body is the host name, so a caller can tell one replica from another. A path below
# which another one lies (/api beside /api/v1) is a folder and answers through a redirect to itself plus "/".
# Without any port it just runs. Told to stop, it lets requests that it has begun come to their end.
set -eu

# A root file system that may not be written still has memory of its own.
root=/tmp/www
mkdir -p "$root" 2>/dev/null || root=/dev/shm/www
mkdir -p "$root"
paths=$(echo "$PATHS" | tr ',' ' ')
for path in $paths; do
  mkdir -p "$root${path%/*}"
done
for path in $paths; do
  [ -d "$root$path" ] || hostname > "$root$path"
done
find "$root" -type d | while read -r folder; do hostname > "$folder/index.html"; done

servers=''
finish() {
  kill $servers 2>/dev/null || true
  tries=0
  while pidof httpd > /dev/null && [ "$tries" -lt 50 ]; do
    usleep 20000
    tries=$((tries + 1))
  done
  exit 0
}
trap finish TERM INT
for port in $(echo "$PORTS" | tr ',' ' '); do
  httpd -f -p "$port" -h "$root" &
  servers="$servers $!"
done
if [ -z "$servers" ]; then
  sleep 2147483647 &
fi
wait
