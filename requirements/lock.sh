#!/bin/sh
# Pins everything again: `make lock`. The functions' packages are a part of the development environment, so that
# what is tested is what is deployed; MiniStack and the SAM CLI, which pin boto3's versions exactly, have the last word.
set -eu
cd "$(dirname "$0")/.."
compile() {
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        --no-annotate --custom-compile-command "make lock" "$@"
}
compile requirements/dev.in --output-file requirements/dev.txt
compile --constraints requirements/dev.txt layers/dependencies/requirements.in \
    --output-file layers/dependencies/requirements.txt
compile requirements/uv.in --output-file requirements/uv.txt
