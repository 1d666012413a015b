#!/bin/sh
# Creates .venv with everything that the local system and the checks need. `make .venv` and every other target run it.
# The SAM CLI is in .venv/sam, because it pins versions of packages that others need newer.
# It does nothing if nothing has changed. PYTHON=... chooses the interpreter.
set -eu
cd "$(dirname "$0")/.."

stop() {
    printf '%s\n' "$@" >&2
    exit 1
}

supported() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null
}

version() {
    "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null
}

# A command may be a version manager's shim without an interpreter behind it, so each is tried.
find_python() {
    for candidate in ${PYTHON:-python3 python3.13 python3.14 python3.12 python3.11}; do
        if supported "$candidate"; then
            # The interpreter behind an activated environment: that may be the one replaced here.
            "$candidate" -c 'import sys; print(sys._base_executable)'
            return
        fi
    done
    return 1
}

pins() {
    cat local/setup.sh requirements/uv.txt requirements/dev.txt requirements/former_sdk.txt requirements/sam.txt
}

stamp=.venv/feedlane-setup
if [ -x .venv/bin/python ] && .venv/bin/python -c '' 2>/dev/null && pins | cmp -s - "$stamp"; then
    exit 0
fi

if ! python=$(find_python); then
    version=$(version "${PYTHON:-python3}" || echo none)
    stop "Feedlane needs Python 3.11, 3.12, 3.13 or 3.14; ${PYTHON:-python3} here is: $version." \
        "Install one of them (on Debian or Ubuntu: apt-get install python3 python3-venv), or choose another interpreter:" \
        "    make ${GOALS:-setup} PYTHON=/path/to/python3.13"
fi
echo "Setting up with Python $(version "$python") ($python):"

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    stop "This Python cannot create virtual environments: its venv module is missing." \
        "On Debian or Ubuntu: apt-get install python3-venv"
fi
rm -rf .venv
"$python" -m venv .venv || stop "Creating .venv failed." "On Debian or Ubuntu: apt-get install python3-venv"

echo "  uv"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/uv.txt ||
    stop "Installing uv failed; pip's message is above. Is the package registry reachable?"
install() {
    .venv/bin/uv pip install --quiet --python "$1/bin/python" --require-hashes --no-deps -r "$2" ${3:+--target "$3"} ||
        stop "Installing the packages of $2 failed; uv's message is above."
}
echo "  packages"
install .venv requirements/dev.txt
# The same package in two versions: a test puts this folder in front of the other.
install .venv requirements/former_sdk.txt .venv/former-sdk
echo "  SAM CLI"
"$python" -m venv --without-pip .venv/sam
install .venv/sam requirements/sam.txt

# Tools and tests import the package from its source.
site=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
printf '%s\n' "$PWD/layers/feedlane" >"$site/feedlane.pth"
pins >"$stamp"
