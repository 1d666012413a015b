#!/bin/sh
# Looks up every pinned package in the advisories of the package index: `make audit`. It needs the network, so it is not
# a part of `make lint`, and CI can run it on a schedule.
set -eu
cd "$(dirname "$0")/.."
environment=build/audit
if ! cmp -s requirements/audit.txt "$environment/installed"; then
    .venv/bin/python -m venv --clear "$environment"
    .venv/bin/uv pip install --quiet --python "$environment/bin/python" --require-hashes --no-deps -r requirements/audit.txt
    cp requirements/audit.txt "$environment/installed"
fi
status=0
for file in layers/dependencies/requirements.txt requirements/dev.txt requirements/former_sdk.txt requirements/sam.txt requirements/uv.txt \
    requirements/clients.txt; do
    echo "$file"
    "$environment/bin/pip-audit" --progress-spinner off --strict --disable-pip --require-hashes -r "$file" || status=1
done
exit $status
