#!/usr/bin/env bash
# Creates or refreshes the virtual environment: exactly what requirements.lock names, checked by
# hash, and this project itself, editable. Does nothing when the lock has not changed.
#
#   deploy/setup.sh [VENV]        VENV defaults to .venv; PYTHON chooses the interpreter
#
# uv is fetched first, by its own hash from the same lock, because it installs in two seconds what
# takes pip half a minute; where uv cannot reach an index that pip can, pip does the work.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=${1:-.venv}
lock=requirements.lock
stamp=$venv/.installed-$(cat "$lock" pyproject.toml "$0" | sha256sum | cut -c1-16)
[ -e "$stamp" ] && [ -x "$venv/bin/python" ] && exit 0

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }

find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  echo "No Python 3.11 or newer was found. Install one (Debian: apt-get install python3)," \
    "or name it: PYTHON=/path/to/python make setup" >&2
  return 2
}

# One package's lines of the lock: `name==version \` and the hashes that follow.
locked() {
  awk -v name="$1==" 'index($0, name) == 1 || (on && /^ /) {on = 1; print; next} {on = 0}' "$lock"
}
locked_version() { locked "$1" | sed -n "s/^$1==\([^ ]*\).*/\1/p"; }

if ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
  python=$(find_python)
  say "Creating $venv with $("$python" --version)"
  rm -rf "$venv"
  if ! "$python" -m venv "$venv"; then
    rm -rf "$venv"
    echo "Python's venv module is missing. Debian: apt-get install python3-venv" >&2
    exit 2
  fi
fi

export PIP_DISABLE_PIP_VERSION_CHECK=1
pip=("$venv/bin/python" -m pip)
if ! "$venv/bin/uv" --version 2>/dev/null | grep -q "^uv $(locked_version uv)\b"; then
  say "Fetching the installer"
  locked uv >"$venv/uv.lock"
  "${pip[@]}" install --quiet --require-hashes --no-deps -r "$venv/uv.lock"
fi

# Whatever mirror and certificates pip was told to use, uv uses too.
index=${UV_DEFAULT_INDEX:-${PIP_INDEX_URL:-}}
[ -n "$index" ] || index=$("${pip[@]}" config get global.index-url 2>/dev/null || true)
[ -z "$index" ] || export UV_DEFAULT_INDEX=$index
[ -z "${PIP_CERT:-}" ] || export SSL_CERT_FILE=${SSL_CERT_FILE:-$PIP_CERT}
export VIRTUAL_ENV=$PWD/$venv
case $venv in /*) VIRTUAL_ENV=$venv ;; esac

say "Installing $(grep -c '==' "$lock") locked packages"
if ! "$venv/bin/uv" pip install --require-hashes --no-deps -r "$lock"; then
  say "uv could not; trying pip"
  "${pip[@]}" install --require-hashes --no-deps -r "$lock"
fi
say "Installing the exchange itself (editable)"
"${pip[@]}" install --quiet --no-deps --no-build-isolation --no-index --editable .

# Compiled once here: every command starts a process, and where Python is told not to write bytecode
# each would compile all of it again, a second of CPU a command.
say "Compiling"
"$venv/bin/python" -m compileall -q -j 0 "$VIRTUAL_ENV/lib" exchange keys policies adapters || true

rm -f "$venv"/.installed-*
: >"$stamp"
