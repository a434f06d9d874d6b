# Voice Relay as an app of Home Assistant, which is the last stage. `make app-root` runs these very steps without Docker.

FROM node:24.21.0-trixie-slim AS web
WORKDIR /build/web
COPY web ./
COPY docs/cards.md ../docs/cards.md
RUN npm ci && npm run build

FROM rust:1.95.0-slim-trixie AS daemon
WORKDIR /build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends cmake g++ libasound2-dev make pkg-config
COPY Cargo.toml Cargo.lock build.rs ./
COPY benches benches
COPY src src
COPY --from=web /build/web/dist web/dist
RUN cargo build --locked --release --bin voice-relay

# Without Home Assistant, by `docker build --target standalone`: docs/docker.md.
FROM debian:13.2-slim AS standalone
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libasound2t64 tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 800 voice-relay \
    && useradd --system --uid 800 --gid voice-relay --home-dir /data --no-create-home voice-relay \
    && install --directory --mode 0700 --owner voice-relay --group voice-relay /data
COPY --from=daemon /build/target/release/voice-relay /usr/local/bin/voice-relay
ENV VOICE_RELAY__DATA_DIR=/data
USER voice-relay
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --start-interval=1s CMD ["voice-relay", "health"]
CMD ["voice-relay"]

FROM ghcr.io/home-assistant/base-debian:trixie-2026.08.0
# The user's number is fixed: what it wrote to /data must stay its own after an update.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libasound2t64 tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 800 voice-relay \
    && useradd --system --uid 800 --gid voice-relay --home-dir /data/relay --no-create-home voice-relay
COPY --from=daemon /build/target/release/voice-relay /usr/local/bin/voice-relay
COPY addon/rootfs /
COPY run.sh /run.sh
# The daemon, and the health check besides it, find the same options and the same folder.
ENV VOICE_RELAY_OPTIONS=/tmp/voice-relay/options.json \
    VOICE_RELAY__DATA_DIR=/data/relay \
    VOICE_RELAY__TLS__CERTIFICATE=/tmp/voice-relay/fullchain.pem \
    VOICE_RELAY__TLS__KEY=/tmp/voice-relay/privkey.pem \
    PULSE_SERVER=unix:/run/audio/pulse.sock
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --start-interval=1s \
    CMD ["/command/s6-setuidgid", "voice-relay", "voice-relay", "health"]
CMD ["/run.sh"]
