#!/bin/sh
# Set up a clone, one part a call; the Makefile calls it and stamps what is done.
#
#   package   .venv with pip, PyTorch and ganforge itself (editable); on bare Linux also what Skia needs
#   dev       the tools of the dev group
#   notebook  JupyterLab
#   browser   a Chromium for the tests of pages, where it can be had
#
# PYTHON names the interpreter for the environment; otherwise the first of 3.10 … 3.13 that works is taken.
set -eu
cd "$(dirname "$0")/.."

TORCH='torch>=2.6,<2.14'   # as in pyproject.toml
TESTED='torch==2.13.0'     # the release we test with

say() { printf '\n== %s\n' "$*"; }

# --- Python ---

usable() { # usable PYTHON [MODULES]: is it of a version that we support, and can it import these?
    "$1" -c "import sys; assert (3, 10) <= sys.version_info[:2] <= (3, 13); import ${2:-sys}" >/dev/null 2>&1
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        usable "$PYTHON" "${1:-sys}" && echo "$PYTHON"
        return
    fi
    for candidate in python3 python3.13 python3.12 python3.11 python3.10 python; do
        if usable "$candidate" "${1:-sys}"; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

make_environment() {
    if usable .venv/bin/python pip; then
        return
    fi
    if ! python="$(find_python venv,ensurepip)"; then
        if ! find_python >/dev/null; then
            echo "ganforge needs Python 3.10, 3.11, 3.12 or 3.13; ${PYTHON:-none was found}${PYTHON:+ is none of them}." >&2
            echo "Install one, or name it: make test PYTHON=/path/to/python3" >&2
            exit 1
        fi
        install_packages python3-venv || true   # Debian splits it off
        if ! python="$(find_python venv,ensurepip)"; then
            echo "Your Python has no venv module. On Debian and Ubuntu: sudo apt-get install python3-venv" >&2
            exit 1
        fi
    fi
    say "Environment: .venv, $("$python" --version)"
    rm -rf .venv
    "$python" -m venv .venv
}

# --- the system ---

install_packages() { # by apt-get where it is there and we may; fails otherwise
    command -v apt-get >/dev/null 2>&1 || return 1
    if [ "$(id -u)" = 0 ]; then
        as_root=''
    elif sudo -n true 2>/dev/null; then
        as_root='sudo -n'
    else
        return 1
    fi
    say "System packages: $*"
    export DEBIAN_FRONTEND=noninteractive
    $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# --- the parts ---

pip() { .venv/bin/python -m pip --disable-pip-version-check "$@"; }

reachable() {
    .venv/bin/python -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1], timeout=5)' "$1" >/dev/null 2>&1
}

install_torch() {
    if [ "$(uname -s)" = Linux ] && ! command -v nvidia-smi >/dev/null 2>&1; then
        # The default Linux build brings gigabytes of CUDA, useless here; PyTorch's own index has one without.
        cpu=https://download.pytorch.org/whl/cpu
        if reachable "$cpu/" && pip install -q "$TORCH" --extra-index-url "$cpu"; then
            return
        fi
        if pip install -q "$TESTED"; then
            return
        fi
    fi
    pip install -q "$TORCH"
}

package() {
    make_environment
    pip install -q --upgrade 'pip>=25.1'   # for --group
    say "PyTorch"
    install_torch
    say "ganforge and what it needs"
    pip install -q --editable .
    if ! .venv/bin/python -c 'import skia' 2>/dev/null; then
        install_packages libegl1 libgl1 || true
        .venv/bin/python -c 'import skia' || {
            echo "Skia, which draws the avatars, finds no OpenGL. On Debian and Ubuntu: sudo apt-get install libegl1 libgl1" >&2
            exit 1
        }
    fi
}

dev() {
    say "Tools for tests and checks"
    pip install -q --group dev
}

notebook() {
    say "JupyterLab"
    pip install -q --editable '.[notebook]'
}

browser() {
    if [ -z "$(sh scripts/browser.sh)" ]; then
        install_packages chromium || echo "No Chromium was found or could be installed; the tests of pages will be skipped."
    fi
}

"$1"
