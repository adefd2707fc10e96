#!/usr/bin/env bash
# Installs Interleave, a Jupyter kernel for Rust, and JupyterLab to use it in. See --help.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv=$root/.venv
rust_needed=1.95
jupyterlab=jupyterlab==4.6.6
steps=5

usage() {
    cat <<'TEXT'
usage: ./install.sh [--lab] [--prefix DIRECTORY | --sys-prefix] [--uninstall] [--help]

Without options: builds the kernel, installs it for the current user, and makes
a virtual environment .venv with JupyterLab. A second run does only what is missing.

  --lab               then open JupyterLab on notebooks/
  --prefix DIRECTORY  install the kernel below DIRECTORY instead
  --sys-prefix        install the kernel into .venv instead
  --uninstall         remove the kernel, its history and cache, and .venv
  --help              this text
TEXT
}

say() { printf '%s\n' "$*"; }
step() { say "[$1/$steps] $2"; }
fail() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}

lab=false
uninstall=false
prefix=
while [ $# -gt 0 ]; do
    case $1 in
        --lab) lab=true ;;
        --uninstall) uninstall=true ;;
        --sys-prefix) prefix=$venv ;;
        --prefix)
            [ $# -ge 2 ] || fail "--prefix needs a directory"
            prefix=$2
            shift
            ;;
        --help | -h)
            usage
            exit 0
            ;;
        *)
            usage >&2
            fail "unknown option: $1"
            ;;
    esac
    shift
done

# The program, built for release, with the place that was chosen.
interleave() {
    local command=$1
    if [ -n "$prefix" ]; then
        "$root/target/release/interleave" "$command" --prefix "$prefix"
    else
        "$root/target/release/interleave" "$command"
    fi
}

at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

check_system() {
    [ "$(uname -s)" = Linux ] || fail "Interleave runs on Linux only so far"
}

check_rust() {
    # rustup writes this file; a shell that was open during its installation has not read it.
    local environment=${CARGO_HOME:-${HOME:-}/.cargo}/env
    if ! command -v cargo >/dev/null && [ -f "$environment" ]; then
        # shellcheck disable=SC1090
        . "$environment"
    fi
    command -v cargo >/dev/null && command -v rustc >/dev/null ||
        fail "Rust is missing: install it from https://rustup.rs"
    local version
    version=$(cd "$root" && rustc --version | cut -d ' ' -f 2) ||
        fail "rustc does not run, see its words above; if no toolchain is chosen, run: rustup default stable"
    if ! at_least "$rust_needed" "$version"; then
        ! command -v rustup >/dev/null ||
            fail "Rust $version is too old, $rust_needed is needed: run: rustup update stable"
        fail "Rust $version is too old, $rust_needed is needed: install it from https://rustup.rs"
    fi
    local library
    library=$(cd "$root" && rustc --print sysroot)/lib/rustlib/src/rust/library
    if [ ! -d "$library" ]; then
        command -v rustup >/dev/null ||
            fail "the source of Rust's standard library is missing: install the package rust-src of Rust $version"
        say "adding the component rust-src"
        (cd "$root" && rustup component add rust-src) ||
            fail "rust-src cannot be added: run: rustup component add rust-src"
    fi
}

check_linker() {
    local advice="on Debian or Ubuntu run: apt install gcc libc6-dev"
    command -v cc >/dev/null || fail "a C linker is missing: $advice"
    # SQLite is compiled, too, which needs the headers.
    printf '#include <stdlib.h>\nint main(void) { return 0; }\n' | cc -x c -o /dev/null - ||
        fail "cc cannot make a program, see its words above; $advice"
}

# Prints the first Python that is new enough and can make virtual environments.
find_python() {
    local python
    for python in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
        if command -v "$python" >/dev/null &&
            "$python" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            printf '%s\n' "$python"
            return
        fi
    done
    fail "Python 3.10 or newer with venv is missing: on Debian or Ubuntu run: apt install python3 python3-venv"
}

make_venv() {
    local made=$venv/interleave-made
    if [ -f "$made" ] && [ "$(cat "$made")" = "$jupyterlab" ]; then
        say "JupyterLab is in place"
        return
    fi
    "$python" -m venv "$venv" || fail "$python cannot make $venv: see its words above"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$jupyterlab" ||
        fail "JupyterLab cannot be installed into $venv: see pip's words above; it needs the network"
    # Last, so that a run that was cut short is not taken for a whole one.
    printf '%s\n' "$jupyterlab" >"$made"
}

if $uninstall; then
    if [ -x "$root/target/release/interleave" ]; then
        interleave uninstall
    else
        fail "target/release/interleave is missing, which knows what to remove: run ./install.sh first"
    fi
    rm -rf "$venv"
    exit 0
fi

step 1 "checking Rust, a C linker and Python"
check_system
check_rust
check_linker
python=$(find_python)

step 2 "building the kernel (about ten minutes the first time)"
(cd "$root" && cargo build --release --locked -p interleave-kernel -p interleave-host -p interleave-compiler \
    -p interleave-forkserver) ||
    fail "the kernel cannot be built: see cargo's words above; the first time it needs the network"

step 3 "making .venv with JupyterLab"
make_venv

step 4 "installing the kernel"
interleave install

step 5 "checking the installation"
interleave doctor

say
if $lab; then
    say "Opening JupyterLab. In notebooks/, open 01-implementing-concurrency.ipynb and press Shift+Enter."
    options=()
    [ "$(id -u)" != 0 ] || options+=(--allow-root)
    if [ -n "$prefix" ] && [ "$prefix" != "$venv" ]; then
        export JUPYTER_PATH=$prefix/share/jupyter${JUPYTER_PATH:+:$JUPYTER_PATH}
    fi
    exec "$venv/bin/jupyter" lab "${options[@]}" --ServerApp.root_dir="$root/notebooks"
fi
say "Interleave is installed. To open JupyterLab: ./install.sh --lab"
