#!/bin/sh
# Print where a Chromium is; nothing where there is none. GANFORGE_CHROMIUM overrules.
if [ -n "${GANFORGE_CHROMIUM:-}" ]; then
    echo "$GANFORGE_CHROMIUM"
    exit 0
fi
for name in chromium chromium-browser google-chrome chrome \
    "/Applications/Chromium.app/Contents/MacOS/Chromium" \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
    if command -v "$name"; then
        exit 0
    fi
done
