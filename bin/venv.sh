# Sourced by bin/serve, bin/test and .ci/run: a virtual environment with the locked dependencies.
VENV=${VENV:-.venv}
# The command that error messages suggest.
INSTALL_COMMAND=${INSTALL_COMMAND:-bin/serve --install}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# Each candidate is run, because a name on the PATH may be a version manager's stub that does not work.
find_python() {
    local candidate
    if [ -n "${PYTHON:-}" ]; then
        is_new_enough "$PYTHON" && echo "$PYTHON" && return
        echo "PYTHON is set to $PYTHON, which does not run or is older than 3.11." >&2
        return 1
    fi
    for candidate in python3.11 python3.13 python3.12 python3; do
        is_new_enough "$candidate" && echo "$candidate" && return
    done
    echo "Candor needs Python 3.11 or newer. On Debian 12, Ubuntu 24.04 or newer, install it with: $INSTALL_COMMAND" \
        "(or apt-get install python3 python3-venv)" >&2
    return 1
}

make_venv() {
    local python
    python=$(find_python) || return 1
    echo "Making a virtual environment in $VENV ($("$python" --version))…"
    rm -rf "$VENV"
    if ! "$python" -m venv "$VENV" >/dev/null 2>&1; then
        rm -rf "$VENV"
        echo "Python cannot make virtual environments. On Debian or Ubuntu, install what is missing with:" \
            "$INSTALL_COMMAND (or apt-get install python3-venv)" >&2
        return 1
    fi
}

# prepare_venv LOCKFILE: makes the environment, and installs LOCKFILE if it changed since the last time.
prepare_venv() {
    local lock=$1 stamp="$VENV/$1.sha256"
    if [ ! -x "$VENV/bin/pip" ] || ! is_new_enough "$VENV/bin/python"; then
        make_venv || return 1
    fi
    if ! sha256sum --check --status "$stamp" 2>/dev/null; then
        echo "Installing dependencies from $lock…"
        if ! "$VENV/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$lock"; then
            echo "Installing dependencies failed (see above). Check that pip can reach the package index, then try again." >&2
            return 1
        fi
        sha256sum "$lock" >"$stamp"
    fi
}
