#!/bin/sh
# Draws the PNG icons of public/ from its SVG ones, with Chromium, in few colours (ffmpeg). To be run after a
# change of those.
set -eu
cd "$(dirname "$0")/../public"
drawn=$(mktemp --suffix=.png)
trap 'rm -f "$drawn"' EXIT

# draw <SVG> <PNG> <pixels>
draw() {
    "${CHROMIUM:-chromium}" --headless --no-sandbox --disable-gpu --hide-scrollbars --default-background-color=00000000 \
        --window-size="$3,$3" --screenshot="$drawn" "file://$PWD/$1" 2>/dev/null
    ffmpeg -loglevel error -y -i "$drawn" -vf 'split[a][b];[a]palettegen=max_colors=32[p];[b][p]paletteuse=dither=none' "$2"
}

draw icon.svg icon-192.png 192
draw icon.svg icon-512.png 512
draw icon-maskable.svg icon-maskable-512.png 512
# iOS rounds the corners itself.
draw icon-maskable.svg apple-touch-icon.png 180
