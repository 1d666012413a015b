#!/bin/sh
# Pins everything: `make lock` keeps the pins that still fit, `make lock UPGRADE=1` takes the newest that fit.
# The functions' packages are a part of the development environment, so that what is tested is what is deployed;
# MiniStack, which pins botocore's version exactly, has the last word.
set -eu
cd "$(dirname "$0")/.."
compile() {
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        --no-annotate --custom-compile-command "make lock" ${UPGRADE:+--upgrade} "$@"
}
compile requirements/dev.in --output-file requirements/dev.txt
compile --constraints requirements/dev.txt layers/dependencies/requirements.in \
    --output-file layers/dependencies/requirements.txt
compile --no-deps requirements/former_sdk.in --output-file requirements/former_sdk.txt
compile requirements/sam.in --output-file requirements/sam.txt
compile requirements/audit.in --output-file requirements/audit.txt
compile requirements/uv.in --output-file requirements/uv.txt
compile requirements/clients.in --output-file requirements/clients.txt
# Its `.npmrc` keeps the registry out of the lock.
if command -v npm >/dev/null; then
    act=install
    [ -z "${UPGRADE:-}" ] || act=update
    (cd requirements/clients && npm "$act" --package-lock-only --silent)
fi
