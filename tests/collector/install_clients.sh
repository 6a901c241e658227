#!/bin/sh
# Install what the client tests need and a machine may lack: the npm SDKs, and Chromium where we are root.
# KAIROS_NODE_CLIENTS names another folder for the packages; without it they go beside package.json.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${KAIROS_NODE_CLIENTS:-$here/node}

if ! command -v chromium >/dev/null && ! command -v google-chrome >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
  else
    echo "no Chromium: install it, or the browser tests are skipped" >&2
  fi
fi

if ! command -v npm >/dev/null; then
  echo "no npm: install Node.js 20 or later, or the tests of npm clients are skipped" >&2
  exit 0
fi

mkdir -p "$target"
if [ "$target" != "$here/node" ]; then
  cp "$here/node/package.json" "$here/node/package-lock.json" "$target/"
fi
if ! cmp -s "$target/package-lock.json" "$target/node_modules/.kairos-installed"; then
  # not `npm ci`: it refuses the lock where the registry lacks optional binaries for other platforms
  (cd "$target" && npm install --no-save --no-audit --no-fund --ignore-scripts --loglevel=error)
  cp "$target/package-lock.json" "$target/node_modules/.kairos-installed"
fi
