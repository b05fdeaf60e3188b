#!/bin/sh
# Text does not depend on the locale: lib/ and shim/ format and parse numbers with a fraction, match
# patterns and compare letters by base/c_locale.h alone, and the command never sets a locale.
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/result.sh
W=$(mktemp -d) && trap 'rm -rf "$W"' EXIT

# Calls that obey the locale: those of these names, and printf's where a format has %f, %e or %g.
cat >"$W/find.pl" <<'PERL'
local $/;
for my $file (@ARGV) {
	open my $f, '<', $file or die;
	(my $text = <$f>) =~ s|/\*.*?\*/||gs;
	while ($text =~ /\b(strto(?:f|d|ld)|ato[fl]|strn?casecmp|strcasestr|fnmatch|strerror|strcoll|setlocale
			|uselocale|is(?:alpha|alnum|digit|space|upper|lower|punct|print)|to(?:upper|lower))\s*\(/gx) {
		print "$file: $1\n";
	}
	while ($text =~ /\b(\w*printf|sscanf)\s*\(([^;]*);/g) {
		my ($call, $rest) = ($1, $2);
		print "$file: $call with a fraction\n" if $rest =~ /%[-+ #0-9.*]*l?[feg]\b/i;
	}
	print "$file: $1\n" while $text =~ /\b(std::(?:to_string\(\s*[\w.]*(?:rate|loss|score)|sto[fd]|o?stringstream))/g;
}
PERL
found() { perl "$W/find.pl" $(find "$@" \( -name '*.c' -o -name '*.h' -o -name '*.cc' \) \
	-not -path '*/base/c_locale.c'); }

found lib shim >"$W/found"
[ ! -s "$W/found" ]
result "lib and shim use base/c_locale.h" $? "$W/found"
grep -rnE '(set|use)locale *\(|std::locale' cli >"$W/found"
[ ! -s "$W/found" ]
result "the command keeps the C locale" $? "$W/found"

mkdir -p "$W/tree"
cat >"$W/tree/a.c" <<'END'
/* strtod(x) */
void f(void) { snprintf(a, 9, "%d %s",
	b, "100 % good"); }
void g(void) { snprintf(a, 9, "%d"
	" %.3f", b); }
int h(void) { return isalpha(c); }
END
found "$W/tree" >"$W/found"
[ "$(wc -l <"$W/found")" = 2 ]
result "a call that obeys the locale is found" $? "$W/found"
done_testing
