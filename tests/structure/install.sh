#!/bin/sh
# make install puts down what a program needs, uninstall takes all of it away, and the installed
# command runs.
cd "$(dirname "$0")/../.." || exit 1
: "${B:=$PWD/build}" "${CC:=gcc}"
. tests/tools/result.sh
W=$(mktemp -d) && trap 'rm -rf "$W"' EXIT
case ${B##*/} in
build) sanitize= ;;
build-*) sanitize=$(echo "${B##*/build-}" | tr - ,) ;;
esac
make="make -s --no-print-directory SANITIZE=$sanitize"

$make install DESTDIR="$W/root" PREFIX=/opt/x >"$W/log" 2>&1
result "make install DESTDIR=... PREFIX=..." $? "$W/log"
grep -q 'ldconfig.* -Wl,-rpath,/opt/x/lib$' "$W/log"
result "... says how programs find the library" $? "$W/log"
R=$W/root/opt/x
for file in bin/imgsearch include/imgsearch.h lib/libimgsearch.a lib/libimgsearch.so \
	lib/pkgconfig/imgsearch.pc share/man/man1/imgsearch.1 share/man/man1/imgsearch-model-pull.1 \
	share/man/man3/libimgsearch.3 \
	share/bash-completion/completions/imgsearch share/zsh/site-functions/_imgsearch \
	share/fish/vendor_completions.d/imgsearch.fish; do
	[ -s "$R/$file" ]
	result "$file" $? "$W/log"
done
env -i PATH=/usr/bin:/bin "$R/bin/imgsearch" --version >"$W/log" 2>&1
result "the installed command finds its library" $? "$W/log"
pc=$R/lib/pkgconfig/imgsearch.pc
grep -q '^prefix=/opt/x$' "$pc" && grep -q '^libdir=/opt/x/lib$' "$pc"
result "imgsearch.pc names the prefix" $? "$W/log"

# A program is built with what pkg-config says, and with the static library.
cat >"$W/a.c" <<'END'
#include <imgsearch/eval.h>
#include <imgsearch/train.h>
#include <stdio.h>
int main(void)
{
	imgsearch *s;
	imgsearch_error err;
	float v[2] = { 1, 0 };
	imgsearch_options o = IMGSEARCH_INIT(imgsearch_options);
	o.dim = 2;
	if (imgsearch_open(":memory:", &o, NULL, &s, &err)
		|| imgsearch_vectors_add(s, v, 1, 2, NULL, NULL, NULL, &err))
		return puts(err.message), 1;
	imgsearch_close(s);
	return puts(imgsearch_version_text()) < 0;
}
END
san=${sanitize:+-fsanitize=$sanitize}
if command -v pkg-config >/dev/null; then
	flags=$(PKG_CONFIG_PATH="$R/lib/pkgconfig" pkg-config --define-variable=prefix="$R" \
		--define-variable=libdir="$R/lib" --cflags --libs imgsearch)
else
	flags="-I$R/include -L$R/lib -limgsearch"
fi
$CC $san "$W/a.c" -o "$W/a" $flags -Wl,-rpath,"$R/lib" 2>"$W/log" && "$W/a" >"$W/log" 2>&1
result "a program with the shared library" $? "$W/log"
private=$(sed -n 's/^Libs.private: //p' "$pc")
$CC $san "$W/a.c" -o "$W/b" -I"$R/include" "$R/lib/libimgsearch.a" $private 2>"$W/log" &&
	"$W/b" >"$W/log" 2>&1
result "a program with the static library" $? "$W/log"

$make uninstall DESTDIR="$W/root" PREFIX=/opt/x >"$W/log" 2>&1
result "make uninstall" $? "$W/log"
find "$W/root" -type f -o -type l >"$W/log"
[ ! -s "$W/log" ]
result "... leaves nothing" $? "$W/log"
done_testing
