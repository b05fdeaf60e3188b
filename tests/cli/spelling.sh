#!/bin/sh
# Names with accents, spelt in one code point (NFC) and in two (NFD): with libutf8proc and without.
. "$(dirname "$0")/common.sh"
draw pics 1
export IMGSEARCH_DB=$W/i.db
nfc=$(printf 'caf\303\251') nfd=$(printf 'cafe\314\201') latin=$(printf 'caf\351')
mkdir p p/"$nfd"
cp pics/city-01.jpg p/"$nfc.jpg"
cp pics/flower-01.jpg p/"$nfd"/a.jpg
cp pics/night-01.jpg p/cafe.jpg
cp pics/balloons-01.jpg p/"$latin.jpg"
printf 'file,title\n%s.jpg,Coffee\n%s/a.jpg,Flower\n' "$nfd" "$nfc" >a.csv
mkdir broken
: >broken/libutf8proc.so.2
: >broken/libutf8proc.so.3
without() { LD_LIBRARY_PATH=$W/broken "$@"; } # a loader that meets them looks no further
in_index() { imgsearch list --paths | sed "s|^$W/p/||" | sort | tr '\n' ' '; }
left() { # NAME EXPECTED
	[ "$(in_index)" = "$2" ]
	got=$?
	in_index >.got
	result "$1" $got .got
}

without imgsearch index -q p
without imgsearch info >.out
grep -q '^names  *compared by bytes: libutf8proc is not there$' .out
result "info says that the library is not there" $? .out
without imgsearch info --json | grep -q '"names": "bytes"'
result "... --json too" $?
without imgsearch index -q --csv a.csv
imgsearch list | grep -q 'Coffee\|Flower'
[ $? = 1 ]
result "without it, the keys of a CSV are bytes" $?
without imgsearch index -q -x "$nfc/" -x 'caf?.jpg'
left "... and patterns; ? is one character" "$(printf '%s/a.jpg ' "$nfd")"
imgsearch index -q --no-exclude

imgsearch info >.out
if grep -q '^names  *spelt in NFC or NFD: the same$' .out; then
	imgsearch info --json | grep -q '"names": "NFC"'
	result "info says that the library is there" $?
	imgsearch index -q --csv a.csv
	[ "$(imgsearch list | grep -c 'Coffee\|Flower')" = 2 ]
	result "both spellings match in the keys of a CSV" $?
	imgsearch index -q -x "./$nfc/"
	left "... in the pattern of a folder" "$(printf 'cafe.jpg %s.jpg %s.jpg ' "$nfc" "$latin")"
	imgsearch index -q --no-exclude -x "$nfd.jpg"
	left "... in that of a file" "$(printf 'cafe.jpg %s/a.jpg %s.jpg ' "$nfd" "$latin")"
	imgsearch index -q --no-exclude -i "caf?/"
	left "... and ? is a letter with its accent" "$(printf '%s/a.jpg ' "$nfd")"
	imgsearch index -q --no-exclude --no-include -x "p/$nfc"
	left "... a path from the current folder" "$(printf 'cafe.jpg %s.jpg %s.jpg ' "$nfc" "$latin")"
	imgsearch index -q --no-exclude -x "$W/p/$nfc"
	left "... an absolute path" "$(printf 'cafe.jpg %s.jpg %s.jpg ' "$nfc" "$latin")"
	imgsearch index -q --no-exclude
	check "query -u" 0 imgsearch query -k 9 --paths -u "p/$nfc" pics/city-01.jpg <<-END
	W/p/$nfd/a.jpg
	END
	check "... of the spelling on the disk" 0 \
		imgsearch query -k 9 --paths -u "p/$nfd" pics/city-01.jpg <<-END
	W/p/$nfd/a.jpg
	END
	check "... and no other folder" 1 imgsearch query -k 9 --paths -u p/cafe pics/city-01.jpg <<-END
	! imgsearch: warning: nothing of the index lies below W/p/cafe
	! imgsearch: nothing found
	END
	cp "p/$nfd/a.jpg" "p/$nfd/b.jpg"
	cp "p/$nfd/a.jpg" p/c.jpg
	imgsearch index -q
	check "dups -u" 0 imgsearch dups -q --kind bytes -u "p/$nfc/" <<-END
	bytes	1	W/p/$nfd/a.jpg
	bytes	1	W/p/$nfd/b.jpg
	END
	imgsearch map --json --pca -u "p/$nfc" >.out
	[ "$(tr -cd '[' <.out | wc -c)" -ge 2 ] && ! grep -q '"points": \[\]' .out
	result "map -u" $? .out
	rm "p/$nfd/b.jpg" p/c.jpg; imgsearch index -q --prune
	mv p "$nfd.root" && imgsearch index -q --db r.db "$nfd.root"
	imgsearch index -q --db r.db "$nfd.root" -x "$W/$nfc.root/$nfc"
	[ -z "$(imgsearch list --db r.db --paths | grep -a a.jpg)" ]
	result "an absolute path of a root in another spelling" $?
	for x in "$nfc.root/$nfd" "../${PWD##*/}/$nfc.root/$nfc" "$nfc.root/caf*/"; do
		imgsearch index -q --db r.db --no-exclude "$nfd.root" -x "$x"
		[ -z "$(imgsearch list --db r.db --paths | grep -a a.jpg)" ]
		result "... and one from the current folder: $x" $?
	done
	mv "$nfd.root" p
else
	skip "both spellings match" "libutf8proc is not there"
fi

# The host's locale makes no difference.
imgsearch index -q --no-exclude --no-include
for locale in C C.UTF-8 POSIX; do
	LC_ALL=$locale imgsearch index -q -i 'caf?.jpg'
	left "-i 'caf?.jpg' in the locale $locale" \
		"$(printf 'cafe.jpg %s.jpg %s.jpg ' "$nfc" "$latin")"
done

done_testing
