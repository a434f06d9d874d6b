#!/usr/bin/with-contenv bashio
# Does what only root may, then becomes the daemon, which is not root. Why each line: addon/README.md.
# shellcheck shell=bash
set -euo pipefail

user=voice-relay
shared=/tmp/voice-relay

# What the daemon may read but not change.
install -d -m 0750 -o root -g "${user}" "${shared}"
install -m 0440 -o root -g "${user}" /data/options.json "${shared}/options.json"
share-certificate

# What is the daemon's own.
install -d -m 0700 -o "${user}" -g "${user}" "${VOICE_RELAY__DATA_DIR}"

exec s6-setuidgid "${user}" voice-relay
