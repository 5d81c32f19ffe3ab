#!/bin/sh
# Answers 200 on every path of PATHS, on every port of PORTS (both separated by spaces or commas), and
# 404 elsewhere. The body is the host name, so a caller can tell one replica from another. A path below
# which another one lies (/api beside /api/v1) is a folder and answers through a redirect to itself plus "/".
set -eu

root=/tmp/www
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
trap 'kill $servers 2>/dev/null; exit 0' TERM INT
for port in $(echo "$PORTS" | tr ',' ' '); do
  httpd -f -p "$port" -h "$root" &
  servers="$servers $!"
done
wait
