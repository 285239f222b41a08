#!/bin/sh
# Installs rxcalc into .venv and explains a bill of 10,000 yuan at a county hospital.
set -eu
cd "$(dirname "$0")"
. .ci/venv.sh
install .
exec .venv/bin/rxcalc explain docs/bills/qin-county.yaml -r qin
