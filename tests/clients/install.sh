#!/bin/sh
# Makes the environment of the clients in build/clients from the pinned files. It needs the network and node, and does
# nothing if nothing has changed.
set -eu
cd "$(dirname "$0")/../.."
environment=build/clients
pins() {
    cat tests/clients/install.sh requirements/clients.txt requirements/clients/package-lock.json
}
if pins | cmp -s - "$environment/installed"; then
    exit 0
fi
if ! command -v npm >/dev/null; then
    echo "make clients needs Node 20 or later with npm, for Xero's own Node client." >&2
    exit 1
fi
rm -rf "$environment"
mkdir -p "$environment/node"
.venv/bin/python -m venv --without-pip "$environment/python"
.venv/bin/uv pip install --quiet --python "$environment/python/bin/python" --require-hashes --no-deps \
    -r requirements/clients.txt
cp requirements/clients/package.json requirements/clients/package-lock.json requirements/clients/.npmrc \
    "$environment/node/"
npm ci --silent --prefix "$environment/node"
pins >"$environment/installed"
