# Voice Relay. `make run` and `make test` are all that a newcomer needs; both fetch what they lack.

PROFILE ?= release
PROGRAM := target/$(PROFILE)/voice-relay
WEB_SOURCES := $(shell find web/src web/public web/index.html web/*.ts docs/cards.md -type f)

# Debian's names of what the build, and the tests besides, need from the system.
BUILD_PACKAGES := cmake make gcc g++ pkg-config libasound2-dev
TEST_PACKAGES := chromium firefox-esr ffmpeg mpg123 sox espeak-ng pulseaudio pulseaudio-utils mosquitto iproute2 nftables \
	gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-nice \
	gir1.2-gst-plugins-bad-1.0 python3-gi curl openssl libnss3-tools
APP_PACKAGES := shellcheck apparmor git
BUILD_TOOLS := cmake gcc g++ pkg-config pc:alsa
TEST_TOOLS := chromium firefox-esr ffmpeg mpg123 sox espeak-ng pulseaudio parec mosquitto ip nft gst-launch-1.0 gi:GstWebRTC curl openssl certutil
APP_TOOLS := shellcheck apparmor_parser git

.PHONY: run build web card test check lint lint-app test-programs unit openapi browser-test clients files-long home-assistant home-assistant-current screenshots app-root bench instructions compare fuzz docs clean build-tools test-tools app-tools

run: build
	$(PROGRAM)

build: build-tools web/dist/index.html
	cargo build --locked --profile $(PROFILE) --bin voice-relay

web: web/dist/index.html

web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	cd web && npm run build

## The dashboard cards, as a repository for HACS.
card: web/dist/index.html
	@tools/require zip zip
	tools/card

web/node_modules/.package-lock.json: web/package-lock.json
	cd web && npm ci
	touch $@

tests/browser/node_modules/.package-lock.json: tests/browser/package-lock.json
	cd tests/browser && npm ci
	touch $@

## Everything that CI runs. While the release is linked, which takes one processor for minutes, the other one lints and
## builds the tests.
##
## What is built here is built once: incremental compilation would only take gigabytes, which a small disk lacks.
test: export CARGO_INCREMENTAL = 0
test: test-tools app-tools web/dist/index.html
	$(MAKE) --jobs=2 build lint test-programs
	$(MAKE) unit openapi browser-test clients

## What most changes need: nothing but Rust and a C compiler, and three minutes once it was built.
check: build-tools
	cargo fmt --check
	cargo clippy --locked --lib --tests -- -D warnings
	cargo test --locked --lib --test layers $(patsubst tests/%.rs,--test %,$(wildcard tests/relay_*.rs))

lint: build-tools web/dist/index.html lint-app
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --document-private-items
	tools/deny
	cd web && npm run typecheck && npm run lint

## What Home Assistant's Supervisor, and its store, would say of the app.
lint-app: app-tools web/dist/index.html
	cargo test --locked --test app_manifest --test app_image

test-programs: build-tools web/dist/index.html
	cargo test --locked --no-run

unit: test-tools app-tools build
	cd web && npm test
	cargo test --locked
	VOICE_RELAY=$(CURDIR)/$(PROGRAM) cargo test --locked --test survival -- --ignored

## The daemon's answers, held against docs/openapi.yaml.
openapi: build
	@tools/require 'python3 py:ensurepip curl' 'python3 python3-venv curl'
	tests/openapi/run $(PROGRAM)

browser-test: test-tools build tests/browser/node_modules/.package-lock.json
	cargo build --locked --example stand-in-core
	cd tests/browser && VOICE_RELAY=$(CURDIR)/$(PROGRAM) npm test

## Clients of others, from npm and PyPI, in both directions: docs/testing.md.
clients: test-tools build tests/browser/node_modules/.package-lock.json tests/clients/node_modules/.package-lock.json target/clients/installed
	cd tests/clients && VOICE_RELAY=$(CURDIR)/$(PROGRAM) npm test

tests/clients/node_modules/.package-lock.json: tests/clients/package-lock.json
	cd tests/clients && npm ci
	touch $@

target/clients/installed: tests/clients/requirements.txt
	@tools/require 'python3 py:ensurepip' 'python3 python3-venv'
	python3 -m venv --clear target/clients
	target/clients/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

## Half a gigabyte to Chromium through a network that loses one datagram of twenty. Takes twenty minutes and root.
files-long: test-tools build tests/browser/node_modules/.package-lock.json
	cd tests/browser && VOICE_RELAY=$(CURDIR)/$(PROGRAM) LONG=1 node --test --test-name-pattern='comes whole through it' files.test.mjs

## The cards in the real Home Assistant (its core and its frontend, from PyPI). Takes a few minutes; target/screenshots.
home-assistant: test-tools build tests/browser/node_modules/.package-lock.json target/home-assistant/bin/hass
	cd tests/browser && VOICE_RELAY=$(CURDIR)/$(PROGRAM) HOME_ASSISTANT=$(CURDIR)/target/home-assistant/bin/hass \
		node --test home-assistant.test.mjs

target/home-assistant/bin/hass: tests/browser/home-assistant.requirements.txt
	python3 -m venv target/home-assistant
	target/home-assistant/bin/pip install --quiet --requirement $<
	touch $@

## The link, players, speech and automations with the newest Home Assistant, in a Debian of its own. Takes three minutes the
## first time, and root.
home-assistant-current: test-tools build tests/browser/node_modules/.package-lock.json
	@tools/require 'debootstrap mosquitto' 'debootstrap mosquitto'
	tests/home-assistant/run $(PROGRAM)

## Builds the app's image by its Dockerfile, without Docker, and runs what is in it. Takes ten minutes and root.
app-root:
	@tools/require 'debootstrap unshare ip python3' 'debootstrap util-linux iproute2 python3'
	tests/packaging/build-root

## Every page and card in every state, to look at: target/screenshots.
screenshots: test-tools build tests/browser/node_modules/.package-lock.json
	cargo build --locked --example stand-in-core
	cd tests/browser && VOICE_RELAY=$(CURDIR)/$(PROGRAM) node screenshots.mjs

## The parts of the way of a packet in one table; with bench-all also everything that takes sockets, and minutes.
bench: build-tools web/dist/index.html
	cargo bench --locked --bench parts

bench-all: build-tools web/dist/index.html
	cargo bench --locked

## What the core spends on a packet, in instructions: a change is to be seen in the diff.
instructions: build-tools web/dist/index.html
	@tools/require valgrind valgrind
	cargo bench --locked --bench instructions | grep '^ *[0-9r]' > benches/instructions.new
	mv benches/instructions.new benches/instructions.txt
	cat benches/instructions.txt

## The daemon beside a plain str0m relay, with more and more receivers: docs/performance.md.
compare: build-tools web/dist/index.html
	tools/compare --repeats 3

## Every parser fed with anything, for so many seconds each: docs/survival.md.
SECONDS_EACH ?= 60
fuzz: build-tools web/dist/index.html
	SECONDS_EACH=$(SECONDS_EACH) tools/fuzz

## What is generated from the source.
docs: build
	$(PROGRAM) generate-docs > docs/configuration.md

clean:
	cargo clean
	rm -rf web/dist web/node_modules tests/browser/node_modules tests/clients/node_modules

build-tools:
	@tools/require '$(BUILD_TOOLS)' '$(BUILD_PACKAGES)'

app-tools: build-tools
	@tools/require '$(APP_TOOLS)' '$(APP_PACKAGES)'

test-tools: build-tools
	@tools/require '$(TEST_TOOLS)' '$(TEST_PACKAGES)'
