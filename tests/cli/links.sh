#!/bin/sh
# One file under several names is no copy of itself: links, mounts, and what is said of them.
. "$(dirname "$0")/common.sh"
draw pics 1
export IMGSEARCH_DB=$W/i.db
mkdir p p/best p/holiday
cp pics/city-01.jpg p/holiday/1.jpg
cp pics/night-01.jpg p/holiday/2.jpg
cp pics/forest-01.jpg p/holiday/3.jpg
cp pics/sunset-01.jpg p/holiday/4.jpg
ln -s ../holiday/1.jpg p/best/1.jpg
ln -s ../holiday/2.jpg p/best/2.jpg
ln p/holiday/3.jpg p/best/3.jpg
cp p/holiday/4.jpg p/best/4.jpg

check "links are counted" 0 imgsearch index -L p <<'END'
! imgsearch: 8 paths seen: 4 indexed, 1 duplicate, 3 links; 8 new (T s)
END
check "dups: the copy alone" 0 imgsearch dups --kind bytes <<'END'
bytes	1	W/p/best/4.jpg
bytes	1	W/p/holiday/4.jpg
! imgsearch: same bytes: 1 group of 2 pictures
END
cp -a p kept
imgsearch dups -q --kind bytes | awk -F'\t' 'seen[$2]++ {print $3}' | xargs rm
for i in 1 2 3 4; do
	[ -s p/best/$i.jpg ] || [ -s p/holiday/$i.jpg ] || echo "$i is lost"
done >lost
[ ! -s lost ] && [ "$(find -L p -name '*.jpg' -type f | wc -l)" = 7 ]
result "to keep the first of each group loses nothing" $? lost
rm -r p && mv kept p

check "list: the real file is the picture" 0 imgsearch list p/best <<'END'
7	W/p/best/1.jpg		same file: W/p/holiday/1.jpg
8	W/p/best/2.jpg		same file: W/p/holiday/2.jpg
1	W/p/best/3.jpg
2	W/p/best/4.jpg
END
check "list of links" 0 imgsearch list --paths --state link <<'END'
W/p/best/1.jpg
W/p/best/2.jpg
W/p/holiday/3.jpg
END
imgsearch list --json --state link |
	grep -q '/best/1.jpg", "state": "link", "same_as": 3, "same_file": 3,'
result "list --json" $?
check "query: the other paths are marked" 0 imgsearch query -k 1 p/best/4.jpg p/best/1.jpg <<'END'
==> W/p/best/4.jpg <==
1.0000	W/p/best/4.jpg		copy: W/p/holiday/4.jpg
==> W/p/holiday/1.jpg <==
1.0000	W/p/holiday/1.jpg		same file: W/p/best/1.jpg
END
check "query --under: the path there" 0 imgsearch query -k 1 --under p/best p/holiday/1.jpg <<'END'
1.0000	W/p/best/1.jpg		same file: W/p/holiday/1.jpg
END
check "... also of a copy" 0 imgsearch query -k 1 --under p/holiday p/best/4.jpg --paths <<'END'
W/p/holiday/4.jpg
END
imgsearch query -k 1 --json p/best/4.jpg >.out
grep -q '"also": \[{"path": "[^"]*/holiday/4.jpg", "link": false}\]' .out
result "query --json" $? .out
imgsearch map --json --under p/best | grep -q '"points": \[\[1,.*\[2,.*\[3,.*\[4,'
result "map --under" $?

mkdir -p f/one/x f/two/y f/two/z
cp pics/city-01.jpg f/one/x/1.jpg && cp pics/night-01.jpg f/one/x/2.jpg
cp pics/city-01.jpg f/two/y && cp pics/night-01.jpg f/two/z && cp pics/forest-01.jpg f/two/z
imgsearch index -q --db f.db f
imgsearch map --json --pca --db f.db -u f/two | sed "s|$W|W|g" >.out
grep -qF '"folders": ["y", "z"]' .out
result "map --under colours by the folders there" $? .out
imgsearch map --json --pca --db f.db -u f/one | sed "s|$W|W|g" >.out
grep -qF '"folders": ["x"]' .out
result "... where there is one" $? .out
imgsearch map --json --pca --db f.db | sed "s|$W|W|g" >.out
grep -qF '"folders": ["one/x", "two/z"]' .out
result "... without it by the picture's own" $? .out

# another name of a copy is no further copy
mkdir n n/a n/b
cp pics/city-01.jpg n/a/1.jpg && cp pics/city-01.jpg n/b/2.jpg && ln n/b/2.jpg n/b/3.jpg
imgsearch index -q --db n.db n
check "query: another name of a copy" 0 imgsearch query --db n.db -k 1 n/a/1.jpg <<'END'
1.0000	W/n/a/1.jpg		copy: W/n/b/2.jpg	copy: W/n/b/3.jpg	same file as: W/n/b/2.jpg
END
imgsearch query --db n.db -k 1 --json n/a/1.jpg | sed "s|$W|W|g" >.out
grep -qF '"also": [{"path": "W/n/b/2.jpg", "link": false}, {"path": "W/n/b/3.jpg", ' .out &&
	grep -qF '"link": false, "same_file": "W/n/b/2.jpg"}]' .out
result "... in JSON" $? .out
check "... of the file shown" 0 imgsearch query --db n.db -k 1 --under n/b n/a/1.jpg <<'END'
1.0000	W/n/b/2.jpg		copy: W/n/a/1.jpg	same file: W/n/b/3.jpg
END

# copies that changed or went since the run
mkdir s s/a s/b
cp pics/city-01.jpg s/a/1.jpg && cp pics/city-01.jpg s/b/1.jpg
cp pics/night-01.jpg s/a/2.jpg && cp pics/night-01.jpg s/b/2.jpg
imgsearch index -q --db s.db s
cp pics/forest-01.jpg s/b/1.jpg
rm s/b/2.jpg
check "dups: what changed or went is no copy" 1 imgsearch dups --db s.db <<'END'
! imgsearch: warning: 2 files changed or went since the last index run
! imgsearch: no near-duplicates
! imgsearch: `imgsearch index` reads what changed
END
cp pics/night-01.jpg s/b/2.jpg
check "... what is equal again is one" 0 imgsearch dups --db s.db --kind bytes <<'END'
bytes	1	W/s/a/2.jpg
bytes	1	W/s/b/2.jpg
! imgsearch: warning: 1 file changed or went since the last index run
! imgsearch: same bytes: 1 group of 2 pictures
! imgsearch: `imgsearch index` reads what changed
END

check "rm of a link takes out the link" 0 imgsearch rm --dry-run p/best/1.jpg <<'END'
W/p/best/1.jpg
! imgsearch: 1 would be removed from the index
END
ln -s holiday/2.jpg p/new.jpg
check "... of one that is not known, what it leads to" 0 imgsearch rm --dry-run p/new.jpg <<'END'
W/p/holiday/2.jpg
! imgsearch: 1 would be removed from the index
END
rm p/new.jpg

# what became one file, or ceased to be one, since the run
ln -f p/best/4.jpg p/holiday/4.jpg
check "dups looks at the files" 1 imgsearch dups --kind bytes <<'END'
! imgsearch: no near-duplicates
END
rm p/best/1.jpg && cp p/holiday/1.jpg p/best/1.jpg
check "... a true copy is one" 0 imgsearch dups --kind bytes <<'END'
bytes	1	W/p/best/1.jpg
bytes	1	W/p/holiday/1.jpg
! imgsearch: same bytes: 1 group of 2 pictures
END
ln p/best/1.jpg p/best/again.jpg
check "the next run says the same" 0 imgsearch index -L -q p <<'END'
END
check "... with all names" 0 imgsearch dups --kind bytes <<'END'
bytes	1	W/p/best/1.jpg	same file: W/p/best/again.jpg
bytes	1	W/p/holiday/1.jpg
! imgsearch: same bytes: 1 group of 2 pictures
END
imgsearch dups --kind bytes --json 2>/dev/null |
	grep -q '"also": \[{"path": "[^"]*/best/again.jpg", "link": true}\]'
result "dups --json" $?
imgsearch dups --kind bytes -0 2>/dev/null | tr '\0' '\n' >.out; : >.err
compare "dups -0 has paths alone" 0 0 <<'END'
W/p/best/1.jpg
W/p/holiday/1.jpg

END
imgsearch list --paths --state link >.out
compare "the names now" 0 0 <<'END'
W/p/best/2.jpg
W/p/best/again.jpg
W/p/holiday/3.jpg
W/p/holiday/4.jpg
END
check "the picture goes, its name stays" 0 imgsearch rm p/best/3.jpg <<'END'
W/p/best/3.jpg
! imgsearch: 1 removed from the index; the files are untouched
END
imgsearch list --json --state indexed | grep -q '/holiday/3.jpg'
result "... as the picture" $?
imgsearch check -q >.out
result "the index is sound" $?

# the best picture of a group comes first
rm -rf o; mkdir o o/links
cp pics/city-01.jpg o/z.jpg
if python3 -c 'import PIL' 2>/dev/null; then
	python3 - <<'END'
from PIL import Image
im = Image.open('o/z.jpg')
w, h = im.size
im.resize((w // 2, h // 2)).save('o/a.jpg', quality=95)
im.save('o/b.jpg', quality=40)
im.save('o/c.png')
END
	ln -s ../c.png o/links/a.png
	imgsearch index -q -L --db o.db o
	check "dups: what to keep comes first" 0 imgsearch dups -q --kind picture --db o.db <<'END'
picture	1	W/o/c.png	same file: W/o/links/a.png
picture	1	W/o/z.jpg
picture	1	W/o/b.jpg
picture	1	W/o/a.jpg
END
	imgsearch dups -q --kind picture --json --db o.db | grep -o '"path": "[^"]*"' | head -1 |
		grep -q o/c.png
	result "... in JSON" $?
	# a file that only a link leads to, in a folder that was not indexed
	mkdir e; mv o/c.png e; rm o/links/a.png; ln -s ../../e/c.png o/links/a.png
	imgsearch index -q --db o.db o --prune
	imgsearch dups -q --kind picture --db o.db | tail -1 | cut -f3 | sed "s|$W|W|" >.out; : >.err
	compare "... no link before a real file" 0 0 <<'END'
W/o/links/a.png
END
else
	skip "dups: what to keep comes first" "python3-pil is missing"
fi
imgsearch query -0 -k 1 p/best/4.jpg | tr '\0' '\n' | cut -f2 | sed "s|$W|W|" >.out; : >.err
compare "query -0: tabs between fields, NUL behind" 0 0 <<'END'
W/p/best/4.jpg
END

# a mount that shows one folder twice
rm -f i.db*
mkdir m m/a m/b
cp pics/city-01.jpg m/b
if unshare -rm mount --bind m/b m/a 2>/dev/null; then
	unshare -rm sh -c 'mount --bind m/b m/a && imgsearch index -q m && imgsearch dups -q
		imgsearch list' >.out 2>.err
	compare "a bind mount" 0 0 <<'END'
1	W/m/a/city-01.jpg
2	W/m/b/city-01.jpg		same file: W/m/a/city-01.jpg
END
else
	skip "a bind mount" "no user namespaces"
fi
done_testing
