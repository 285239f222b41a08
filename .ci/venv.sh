# Read by try.sh and check.sh in the repository's folder: makes .venv and names its interpreter in $python.
# PYTHON=/path/to/python3.12 chooses another interpreter for it.

stop() {
	echo "$1" >&2
	exit 2
}

base=${PYTHON:-python3}
python=.venv/bin/python
command -v "$base" >/dev/null 2>&1 || stop "rxcalc needs Python 3.11 or newer; there is no '$base' here. Set PYTHON to one."
"$base" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
	stop "rxcalc needs Python 3.11 or newer; '$base' is $("$base" --version 2>&1). Set PYTHON to a newer one."
[ -x "$python" ] || "$base" -m venv .venv ||
	stop "Could not make .venv. Some systems keep Python's venv module in a package of its own (python3-venv)."

install() {
	echo "Installing into .venv .." >&2
	"$python" -m pip install --quiet --disable-pip-version-check --no-input -e "$1" ||
		stop "The installation failed; pip's message stands above."
}
