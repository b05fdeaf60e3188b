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
: "${B:=$PWD/build}"
I=$B/imgsearch
W=$(mktemp -d) || exit 1
W=$(cd "$W" && pwd -P)
trap 'chmod -R u+rwX "$W" 2>/dev/null; rm -rf "$W"' EXIT
trap 'exit 1' INT TERM
TOP=$PWD
unset IMGSEARCH_DB NO_COLOR
export IMGSEARCH_LIBDIR="$B/tests/lib" HOME="$W" XDG_DATA_HOME="$W/data" XDG_RUNTIME_DIR="$W" LC_ALL=C TERM=dumb
PATH=$B:$PATH
export PATH
cd "$W" || exit 1
tests=0

result() { # NAME OK [file with what went wrong]
	tests=$((tests + 1))
	if [ "$2" = 0 ]; then
		echo "ok $tests - $1"
	else
		echo "not ok $tests - $1"
		[ -z "$3" ] || sed 's/^/# /' "$3"
	fi
}

skip() { # NAME WHY
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

tidy() { sed -e "s|$W|W|g" -e "s|$TOP|TOP|g" -e 's/([0-9.]* s)/(T s)/' -e 's/, [0-9.]* s;/, T s;/'; }

check() { # NAME STATUS COMMAND...
	name=$1 wanted=$2
	shift 2
	"$@" >"$W/.out" 2>"$W/.err" </dev/null
	compare "$name" "$wanted" $?
}

compare() { # NAME WANTED-STATUS STATUS; .out and .err were written, the expected text is on standard input
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

done_testing() { echo "1..$tests"; }

# The command as it is where neither network nor model files are: away from those that lie beside
# the library.
alone() {
	[ -d "$W/.alone" ] || { mkdir "$W/.alone" && cp "$B/imgsearch" "$B"/libimgsearch.so.[0-9]* "$W/.alone"; }
	IMGSEARCH_LIBDIR=$W/nothing "$W/.alone/imgsearch" "$@"
}

draw() { # DIR [N]
	"$B/tools/draw" "$@"
}
