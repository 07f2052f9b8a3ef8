#!/usr/bin/env bash
# Builds the Debian package and tests it: installs, inspects, removes and purges it.
#
#   tests/package.sh          build it from the debug build and test it (as root, on a machine without vigie)
#   tests/package.sh build    build it from the release build, for publication; prints its path
#
# Needs cargo-deb, which tests/run installs into target/tools.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
PATH=$target/tools/bin:$PATH
for tool in dpkg-deb dpkg-shlibdeps; do
    if ! command -v "$tool" >/dev/null; then
        echo "skipped: the package ($tool is missing; on Debian: apt-get install dpkg-dev)"
        exit
    fi
done
command -v cargo-deb >/dev/null || { echo "tests/package.sh: cargo-deb is missing: run tests/run once" >&2; exit 1; }

# pack PROFILE FOLDER OPTION...: builds the package from an existing binary; prints its path.
pack() {
    local made=$target/$2/package
    rm -rf "$made"
    "$target/$2/vigie" generate man "$made/man"
    gzip -9n "$made"/man/*.1
    "$target/$2/vigie" generate completions "$made/completions"
    cargo-deb --quiet --no-build --profile "$1" "${@:3}" --output "$target/debian/"
}

if [ "${1:-}" = build ]; then
    cargo build --quiet --locked --release --features package
    pack release release
    exit
fi

# The same build as the tests: another one would compile half of the dependencies again, with other features.
cargo test --quiet --locked --no-run --features package --test check_config
deb=$(pack dev debug --fast)
echo "$deb: $(stat -c %s "$deb") bytes"

fail() {
    echo "tests/package.sh: $1" >&2
    exit 1
}

# Checks without installing.
contents=$(dpkg-deb --contents "$deb" | awk '{ print $1, $6 }')
has() {
    grep -qF -- "$1" <<<"$contents" || fail "the package lacks: $1"
}
has "-rwxr-xr-x ./usr/bin/vigie"
for file in etc/vigie/vigie.toml etc/vigie/rules.toml usr/share/vigie/models/default/manifest.json \
    usr/share/vigie/models/default/model.safetensors usr/share/vigie/airline.csv usr/share/vigie/LICENSE-airline \
    lib/systemd/system/vigie.service lib/systemd/system/vigie-replay@.service usr/lib/sysusers.d/vigie.conf \
    usr/share/man/man1/vigie.1.gz usr/share/man/man1/vigie-check-config.1.gz usr/share/doc/vigie/copyright \
    usr/share/bash-completion/completions/vigie usr/share/zsh/vendor-completions/_vigie \
    usr/share/fish/vendor_completions.d/vigie.fish; do
    has "-rw-r--r-- ./$file"
done
conffiles=$(dpkg-deb --ctrl-tarfile "$deb" | tar -xO ./conffiles)
[ "$conffiles" = "/etc/vigie/vigie.toml
/etc/vigie/rules.toml" ] || fail "unexpected conffiles: $conffiles"

if [ "$(id -u)" -ne 0 ]; then
    echo "skipped: installing the package (this is not root)"
    exit
fi
if ! command -v systemd-sysusers >/dev/null; then
    echo "skipped: installing the package (systemd-sysusers, which it depends on, is missing)"
    exit
fi
if dpkg-query --status vigie >/dev/null 2>&1 || getent passwd vigie >/dev/null || [ -e /etc/vigie ] ||
    [ -e /var/lib/vigie ]; then
    echo "skipped: installing the package (vigie is already installed on this machine)"
    exit
fi
trap 'dpkg --purge vigie >/dev/null 2>&1 || true' EXIT
dpkg --install "$deb" >/dev/null

[ "$(command -v vigie)" = /usr/bin/vigie ] || fail "another vigie comes first in PATH"
[ "$(vigie --version)" = "vigie $(dpkg-query --show --showformat '${Version}' vigie | sed 's/-[0-9]*$//')" ] ||
    fail "the binary and the package are of different versions"
getent passwd vigie >/dev/null || fail "user vigie not found"
# From a directory without a configuration.
(cd / && vigie check-config) >"$target/package-check.txt" || { cat "$target/package-check.txt"; fail "check-config"; }
grep -q "^model *usr/share/vigie/models/default$\|^model */usr/share/vigie/models/default$" "$target/package-check.txt" ||
    fail "the packaged configuration names another model"
(cd / && vigie classify "what a lovely flight") | grep -q '^positive' || fail "the packaged model does not read"
if command -v man >/dev/null; then
    for page in vigie vigie-check-config vigie-replay; do
        warnings=$(man --warnings -E UTF-8 -l -Tutf8 "/usr/share/man/man1/$page.1.gz" 2>&1 >/dev/null)
        [ -z "$warnings" ] || fail "the page $page does not render: $warnings"
    done
fi
bash -n /usr/share/bash-completion/completions/vigie
if command -v systemd-analyze >/dev/null; then
    problems=$(systemd-analyze verify --man=no vigie.service "vigie-replay@usr-share-vigie-airline.csv.service" 2>&1)
    [ -z "$problems" ] || fail "systemd-analyze verify: $problems"
fi

install -d -o vigie -g vigie -m 700 /var/lib/vigie
dpkg --remove vigie >/dev/null
[ -e /etc/vigie/vigie.toml ] || fail "removing took the configuration"
[ -d /var/lib/vigie ] || fail "removing took the state"
dpkg --purge vigie >/dev/null
left=$(find / -xdev \( -path /proc -o -path "$PWD" -o -path "$target" -o -path /tmp \) -prune -o \
    \( -path '*/vigie/*' -o -name 'vigie.*' -o -name 'vigie-*' \) \( -path '/etc/*' -o -path '/usr/*' -o -path '/lib/*' -o -path '/var/lib/*' \) -print)
[ -z "$left" ] || fail "left behind: $left"
! getent passwd vigie >/dev/null || fail "the user is left behind"
! getent group vigie >/dev/null || fail "the group is left behind"
echo "the package was installed, tested, removed and purged"
