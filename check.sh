#!/bin/sh
# Installs rxcalc with its development tools into .venv and runs the tests. Arguments go to pytest.
set -eu
cd "$(dirname "$0")"
. .ci/venv.sh
install '.[dev]'
exec "$python" -m pytest -n 2 -m 'not long' "$@"
