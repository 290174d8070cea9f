# Sourced by bin/serve, bin/test and .ci/run: the Debian packages that Candor and its tests need, and their installer.

# shellcheck disable=SC2034 # used by the scripts that source this file
SERVE_PACKAGES=(python3 python3-venv)
TEST_PACKAGES=("${SERVE_PACKAGES[@]}" redis-server postgresql nginx systemd util-linux openssl fonts-dejavu-core)

is_ubuntu() {
    [ -r /etc/os-release ] && (. /etc/os-release && [ "${ID:-}" = ubuntu ])
}

if is_ubuntu; then
    TEST_PACKAGES+=(chromium-browser)
else
    TEST_PACKAGES+=(chromium)
fi
# Debian's npm conflicts with the Node.js of other sources, which works as well.
command -v npm >/dev/null || TEST_PACKAGES+=(nodejs npm)

# install_packages PACKAGE…: installs those that are missing, as root or with sudo if it needs no password.
install_packages() {
    local package missing=() sudo=()
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        echo "Packages can be installed only on Debian and Ubuntu, with apt-get. Install these programs (named as in" \
            "Debian), then start again without --install: $*" >&2
        return 1
    fi
    for package in "$@"; do
        dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" != 0 ]; then
        if ! sudo -n true 2>/dev/null; then
            echo "Installing packages needs root, or sudo without a password. Run this command, then start again:" \
                "sudo apt-get install ${missing[*]}" >&2
            return 1
        fi
        sudo=(sudo -n)
    fi
    echo "Installing ${missing[*]}…"
    if ! "${sudo[@]}" apt-get -qq update || ! "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null; then
        echo "apt-get could not install these packages (see above): ${missing[*]}" >&2
        return 1
    fi
}
