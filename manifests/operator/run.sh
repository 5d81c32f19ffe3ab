#!/bin/sh
# The same as compose.yaml where there is no Docker Compose.
set -eu
exec docker run --detach --name trireme --restart always --network host --init \
  --volume /var/run/docker.sock:/var/run/docker.sock \
  --volume "${TRIREME_CONFIG_DIR:-/etc/trireme}:/etc/trireme:ro" \
  --volume trireme_data:/var/lib/trireme \
  --read-only --tmpfs /tmp:exec --cap-drop ALL --security-opt no-new-privileges \
  --log-driver local --log-opt max-size=10m --log-opt max-file=3 \
  trireme/trireme:0.1.0 run --config /etc/trireme/trireme.yaml
