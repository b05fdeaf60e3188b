# Read by the scripts of this folder: a folder of its own, some drawn pictures, and `check`.
#
#	check NAME STATUS COMMAND... <<'END'
#	what is expected on standard output
#	! and, behind exclamation marks, on standard error
#	END
#
# The folder's name is replaced by W, and times like (0.1 s) by (T s), before comparing. With `-`
# for the expected text nothing is compared but the status. Ends with `done_testing`.
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/result.sh
: "${B:=$PWD/build}"
I=$B/imgsearch
W=$(mktemp -d) || exit 1
W=$(cd "$W" && pwd -P)
trap 'chmod -R u+rwX "$W" 2>/dev/null; rm -rf "$W"' EXIT
trap 'exit 1' INT TERM
TOP=$PWD
unset IMGSEARCH_DB NO_COLOR
export IMGSEARCH_LIBDIR="$B/tests/lib" LC_ALL=C TERM=dumb
export HOME="$W" XDG_DATA_HOME="$W/data" XDG_RUNTIME_DIR="$W"
PATH=$B:$PATH
export PATH
cd "$W" || exit 1

tidy() {
	sed -e "s|$W|W|g" -e "s|$TOP|TOP|g" -e 's/([0-9.]* s)/(T s)/' -e 's/, [0-9.]* s;/, T s;/'
}

check() { # NAME STATUS COMMAND...
	name=$1 wanted=$2
	shift 2
	"$@" >"$W/.out" 2>"$W/.err" </dev/null
	compare "$name" "$wanted" $?
}

# .out and .err were written, the expected text is on standard input.
compare() { # NAME WANTED-STATUS STATUS
	{ tidy <"$W/.out"; tidy <"$W/.err" | sed 's/^/! /'; } >"$W/.got"
	cat >"$W/.wanted"
	if [ "$(cat "$W/.wanted")" = - ]; then cp "$W/.got" "$W/.wanted"; fi
	diff -u --label wanted --label got "$W/.wanted" "$W/.got" >"$W/.diff"
	same=$?
	if [ "$3" != "$2" ]; then
		same=1
		echo "status $3, not $2" >>"$W/.diff"
		cat "$W/.err" >>"$W/.diff"
	fi
	result "$1" $same "$W/.diff"
}

# The command as it is where neither network nor model files are: away from those that lie beside
# the library.
alone() {
	if [ ! -d "$W/.alone" ]; then
		mkdir "$W/.alone" && cp "$B/imgsearch" "$B"/libimgsearch.so.[0-9]* "$W/.alone"
	fi
	IMGSEARCH_LIBDIR=$W/nothing "$W/.alone/imgsearch" "$@"
}

draw() { # DIR [N]
	"$B/tools/draw" "$@"
}
