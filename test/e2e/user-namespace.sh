#!/bin/sh
# Runs a command beside a Docker Engine of its own, in a user namespace:
#
#   sudo test/e2e/user-namespace.sh node_modules/.bin/node test/e2e/applications.ts --allow privileged DIR
#
# There all capabilities are, whatever the machine withholds from its root: without that Docker starts no privileged
# container. The engine has the images of this machine's engine that are named trireme/…, and is gone with the command.
set -eu

if [ "${1-}" = --inside ]; then
  dir=$2
  shift 2
  mount --make-rprivate /
  # The socket is where everybody looks for it; nothing of the machine's own engine is.
  mount -t tmpfs tmpfs /run
  ip link set lo up
  dockerd --data-root "$dir/data" --exec-root "$dir/exec" >"$dir/dockerd.log" 2>&1 &
  engine=$!
  until docker version >/dev/null 2>&1; do
    kill -0 "$engine" 2>/dev/null || { cat "$dir/dockerd.log" >&2; exit 1; }
    sleep 0.1
  done
  docker load --quiet --input "$dir/images.tar" >/dev/null
  status=0
  "$@" || status=$?
  kill "$engine"
  wait "$engine" || true
  exit "$status"
fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# shellcheck disable=SC2046 # names are words
docker save --output "$dir/images.tar" $(docker images --format '{{.Repository}}:{{.Tag}}' 'trireme/*')
mkfifo "$dir/mapped"
# shellcheck disable=SC2016 # for the shell inside
unshare --user --mount --net --cgroup sh -c 'read -r _ <"$1/mapped"; exec setpriv --reuid 0 --regid 0 --clear-groups "$0" --inside "$@"' \
  "$0" "$dir" "$@" &
inside=$!
until [ "$(readlink "/proc/$inside/ns/user")" != "$(readlink /proc/self/ns/user)" ]; do sleep 0.1; done
# A million of them, each as itself: where all are mapped, programs take it for the first namespace, and ask for too much.
for map in uid_map gid_map; do echo '0 0 1000000' >"/proc/$inside/$map"; done
echo >"$dir/mapped"
wait "$inside"
