#!/bin/sh
# What comes in of real folders: patterns of options, ignore files, system folders.
. "$(dirname "$0")/common.sh"
draw pics 2

# Folders NAME with one picture each, all different.
number=0
place() { # PATH...
	for path; do
		number=$((number + 1))
		mkdir -p "$(dirname "$path")"
		cp "$(ls pics/*.jpg | sed -n ${number}p)" "$path"
	done
}
in_index() { imgsearch list --paths | sed "s|^$W/p/||" | sort | tr '\n' ' '; }
comes() { # NAME EXPECTED
	[ "$(in_index)" = "$2" ]
	got=$?
	in_index >.got
	result "$1" $got .got
}
fresh() { rm -rf i.db* p; number=0; }
export IMGSEARCH_DB=$W/i.db

# ------------------------------------------------------------------------------- --exclude
place p/a.jpg p/private/1.jpg p/b/private/2.jpg p/private.jpg
imgsearch index -q -x private/ p
comes "-x private/: every folder of that name" "a.jpg private.jpg "
rm i.db*; imgsearch index -q -x private p; comes "-x private" "a.jpg private.jpg "
rm i.db*; imgsearch index -q -x ./private p
comes "-x ./private: one folder" "a.jpg b/private/2.jpg private.jpg "
rm i.db*; imgsearch index -q -x "$W/p/private" p
comes "-x /…/private: one folder" "a.jpg b/private/2.jpg private.jpg "
rm i.db*; imgsearch index -q -x "$W/p/b/private//" p
comes "-x /…/private//" "a.jpg private.jpg private/1.jpg "
rm i.db*; ln -s p link; imgsearch index -q -x "$W/link/private" p
comes "an absolute path through a link" "a.jpg b/private/2.jpg private.jpg "
rm i.db* link; imgsearch index -q -x p/private p
comes "a path from the current folder" "a.jpg b/private/2.jpg private.jpg "
rm i.db*; imgsearch index -q -x 'p/priv*' p
comes "a pattern from the current folder" "a.jpg b/private/2.jpg "
for x in ../private ../../p/private ./../private/ "$W/p/b/../private" '../priv*/'; do
	rm i.db*; (cd p/b && imgsearch index -q -x "$x" ..)
	comes "-x $(echo "$x" | tidy), in another folder" "a.jpg b/private/2.jpg private.jpg "
done
rm i.db*; imgsearch index -q -x b/../private p
comes "-x b/../private" "a.jpg b/private/2.jpg private.jpg "
rm i.db*; imgsearch index -q -x 'p/priv*/' p
comes "a pattern of folders from the current folder" "a.jpg b/private/2.jpg private.jpg "
rm i.db*; (cd p && imgsearch index -q -x 'b*/1*' -x 'b*/2.jpg' .)
comes "... which is the indexed one: stars match slashes" "a.jpg private.jpg private/1.jpg "
rm i.db*; imgsearch index -q -x b/private p
comes "a path from the indexed folder" "a.jpg private.jpg private/1.jpg "
rm i.db*; imgsearch index -q -x '**/private' p
comes "-x **/private" "a.jpg private.jpg "
rm i.db*
check "an absolute path outside" 3 imgsearch index -x /nowhere/private p <<'END'
! imgsearch: pattern /nowhere/private: outside of every indexed folder; "./" is that folder
END
check "... also a folder whose name begins alike" 3 imgsearch index -x "$W/pp/private" p <<'END'
-
END
check "the indexed folder itself" 3 imgsearch index -x "$W/p/" p <<'END'
! imgsearch: pattern W/p/: that folder is indexed by itself, so it cannot be left out
END
rm -f i.db*
check "what matched nothing is said" 0 \
	imgsearch index -x nothing/ -x private/ -x './*.png' p <<'END'
! imgsearch: 4 paths seen: 2 indexed, 2 excluded; 4 new (T s)
! imgsearch: matched nothing: nothing/, ./*.png
END
check "... and not of earlier runs" 0 imgsearch index <<'END'
! imgsearch: 4 paths seen: 2 indexed, 2 excluded; 4 unchanged (T s)
END
imgsearch index --json -q -x none | grep -q '"unmatched": \["none"\]'
result "--json says it too" $?

# ------------------------------------------------------------------------ remembered patterns
fresh
place p/a.jpg p/private/1.jpg p/private/2.jpg p/cache/3.jpg p/cache/4.jpg
imgsearch index -q p; comes "without a pattern all come" \
	"a.jpg cache/3.jpg cache/4.jpg private/1.jpg private/2.jpg "
imgsearch index -q -x private/ p
comes "what is left out goes, though it is most of the folder" "a.jpg cache/3.jpg cache/4.jpg "
imgsearch index -q; comes "a later run leaves it out" "a.jpg cache/3.jpg cache/4.jpg "
imgsearch index -q p/private; comes "... also by its name" "a.jpg cache/3.jpg cache/4.jpg "
check "... which is told" 0 imgsearch index p/private <<'END'
! imgsearch: warning: W/p/private: left out: excluded by pattern
! imgsearch: 1 path seen: 1 excluded; 1 unchanged (T s)
END
imgsearch index -q -x "$W/p/cache" p; comes "another pattern adds to it" "a.jpg "
check "info lists both" 0 sh -c "imgsearch info | grep -A9 '^root'" <<'END'
root         W/p
  exclude    private/
  exclude    ./cache
END
imgsearch info --json | grep -q '"exclude": \["private/", "./cache"\], "include": \[\]'
result "... --json too" $?
imgsearch index -q --no-exclude -x cache
comes "--no-exclude forgets; a pattern beside it counts" "a.jpg private/1.jpg private/2.jpg "
imgsearch index -q --no-exclude
comes "--no-exclude alone" "a.jpg cache/3.jpg cache/4.jpg private/1.jpg private/2.jpg "
mkdir q; cp "$(ls pics/*.jpg | sed -n 9p)" q/z.jpg
imgsearch index -q -x cache q; imgsearch index -q
[ "$(imgsearch list --paths | grep -c cache)" = 2 ]
result "patterns belong to the folder that they were given for" $?
rm -r q

# ------------------------------------------------------------------------------- --include
fresh
place p/a.jpg p/b/c.jpg p/b/d.jpeg p/e.JPG
imgsearch index -q -i '*.jpeg' p; comes "-i" "b/d.jpeg "
imgsearch index -q; comes "is remembered" "b/d.jpeg "
imgsearch index -q -i '?.jpg' p; comes "another one replaces it" "a.jpg b/c.jpg "
imgsearch index -q -i b/ p; comes "-i b/: what lies in the folder" "b/c.jpg b/d.jpeg "
imgsearch index -q -i ./b p; comes "-i ./b: the same" "b/c.jpg b/d.jpeg "
imgsearch index -q -i "$W/p/a.jpg" p; comes "-i /…/a.jpg" "a.jpg "
imgsearch index -q --no-include; comes "--no-include" "a.jpg b/c.jpg b/d.jpeg e.JPG "

check "-i that matches nothing changes nothing" 3 imgsearch index -i '*.jpgg' p <<'END'
! imgsearch: include: none of 4 files matches *.jpgg; nothing is changed
END
comes "... all is there" "a.jpg b/c.jpg b/d.jpeg e.JPG "
imgsearch info | grep -c include >.out; : >.err
compare "... and nothing is remembered" 0 0 <<'END'
0
END
check "one of two matches" 0 imgsearch index -i '*.jpgg' -i '*.jpeg' p <<'END'
! imgsearch: 4 paths seen: 1 indexed, 3 excluded; 1 unchanged, 3 removed (T s)
! imgsearch: matched nothing: *.jpgg
END
rm p/b/d.jpeg
check "what is remembered leaves out all" 0 imgsearch index p <<'END'
! imgsearch: warning: W/p: patterns or ignore files leave out every file
! imgsearch: 3 paths seen: 3 excluded; 3 unchanged, 1 removed (T s)
END
mkdir empty; imgsearch index -q -i '*.jpg' empty
result "a folder without files may have them later" $?
imgsearch index -q --no-include
cp "$(ls pics/*.jpg | sed -n 9p)" p/a.jpg
check "a file that changed is counted" 0 imgsearch index p <<'END'
! imgsearch: 3 paths seen: 3 indexed; 1 changed, 2 unchanged (T s)
END
imgsearch index --json -q -x e.JPG p |
	grep -q '"changed": 0, "unchanged": 2, "moved": 0, "removed": 1,'
result "one that is left out is counted as removed" $?

# ---------------------------------------------------------------------------- parts of a root
fresh
place p/a.jpg p/private/1.jpg p/sub/private/2.jpg p/sub/b.jpg p/sub/deep/private/3.jpg
imgsearch index -q p
imgsearch index -q -x private/ p/sub
comes "a pattern of a run over a part belongs to that part" "a.jpg private/1.jpg sub/b.jpg "
check "info lists it so" 0 sh -c "imgsearch info | grep 'exclude '" <<'END'
  exclude    ./sub/**/private/
END
imgsearch index -q; comes "... later, too" "a.jpg private/1.jpg sub/b.jpg "
check "what matched nothing there is said" 0 imgsearch index -x a.jpg -x b.jpg p/sub <<'END'
! imgsearch: warning: W/p/sub: patterns or ignore files leave out every file
! imgsearch: 3 paths seen: 3 excluded; 2 unchanged, 1 removed (T s)
! imgsearch: matched nothing: a.jpg
END
imgsearch index -q --no-exclude p/private
comes "--no-exclude of another part" "a.jpg private/1.jpg "
imgsearch index -q --no-exclude -x ./private p/sub
comes "... of this one; ./private is in it" \
	"a.jpg private/1.jpg sub/b.jpg sub/deep/private/3.jpg "
imgsearch index -q -x '*.png' p; imgsearch index -q --no-exclude p/sub; imgsearch info >.got
grep -q 'exclude    [*].png' .got && ! grep -q private .got
result "... what is of the whole folder stays" $? .got
imgsearch index -q -i b.jpg p/sub
comes "--include of a part counts for that run" "a.jpg private/1.jpg sub/b.jpg "
imgsearch index -q; comes "... alone" \
	"a.jpg private/1.jpg sub/b.jpg sub/deep/private/3.jpg sub/private/2.jpg "

# patterns of a folder that becomes a part, with brackets in names
fresh
place p/a.jpg 'p/s[1]/x[1].jpg' 'p/s[1]/x1.jpg' 'p/s[1]/y.jpg' 'p/s[1]/d/x[1].jpg' 'p/s1/x[1].jpg' \
	'p/s[1]/b[1]/z.jpg'
imgsearch index -q -x 'x[1].jpg' -x 'b[1]/z.jpg' 'p/s[1]'
comes "brackets in a name" "s[1]/y.jpg "
imgsearch index -q p
comes "... after its folder became a part of another one" "a.jpg s1/x[1].jpg s[1]/y.jpg "

# single files that their folder leaves out
fresh
place p/.h.jpg p/a.jpg 'p/#recycle/b.jpg'
listed() { imgsearch list --state all --json | grep -o '"path".*"state": "[a-z]*"' | wc -l; }
for order in "p/.h.jpg p" "p p/.h.jpg"; do
	rm -f i.db*
	for one in $order; do imgsearch index -q $one; done
	[ "$(listed)" = 3 ]
	result "$order: a hidden file that was named is listed once" $?
	comes "... and is indexed" ".h.jpg a.jpg "
	imgsearch index -q; comes "... with the next run, too" ".h.jpg a.jpg "
	[ "$(listed)" = 3 ]; result "... and listed once" $?
done
rm -f i.db*
check "both in one run" 0 imgsearch index p p/.h.jpg <<'END'
! imgsearch: 3 paths seen: 2 indexed, 1 excluded; 3 new (T s)
END
[ "$(listed)" = 3 ]; result "... are listed once" $?
imgsearch index -q 'p/#recycle/b.jpg'; imgsearch index -q --no-default-excludes
comes "a file of a system folder" "#recycle/b.jpg .h.jpg a.jpg "
[ "$(listed)" = 3 ]; result "... is listed once, also where that comes in" $?
rm p/.h.jpg; imgsearch index -q --prune; comes "it went" "#recycle/b.jpg a.jpg "

# ---------------------------------------------------------------------------- ignore files
fresh
place p/a/cache/1.jpg p/b/x/cache/2.jpg p/private/3.jpg
printf '\357\273\277private/\r\n**/x/cache\r\n' >p/.ignore
imgsearch index -q p; comes "an ignore file with a mark and carriage returns" "a/cache/1.jpg "
printf '*.jpg\n' >p/.ignore
imgsearch index -q p; comes "all left out" ""
check "the ignore file above a refreshed folder counts" 0 imgsearch index p/a/cache <<'END'
! imgsearch: warning: W/p/a/cache: patterns or ignore files leave out every file
! imgsearch: 1 path seen: 1 excluded; 1 unchanged (T s)
END
printf '/a\n' >p/.ignore
imgsearch index -q; comes "an anchored one" "b/x/cache/2.jpg private/3.jpg "
check "a refreshed folder below one that is left out" 0 imgsearch index p/a/cache <<'END'
! imgsearch: warning: W/p/a: left out: excluded by an ignore file
! imgsearch: 1 path seen: 1 excluded; 1 unchanged (T s)
END

# -------------------------------------------------------------------------- system folders
fresh
place p/a.jpg 'p/#recycle/1.jpg' p/@Recycle/2.jpg p/.Trash-1000/3.jpg 'p/b/$Recycle.bin/4.jpg' \
	p/found.012/5.jpg p/FOUND.1/6.jpg p/__MACOSX/7.jpg p/lost+found/8.jpg p/@tmp/9.jpg \
	'p/#snapshot/10.jpg' p/recycle/11.jpg p/tmp/12.jpg 'p/System Volume Information/13.jpg'
imgsearch index -q p
comes "system folders stay out" "FOUND.1/6.jpg a.jpg recycle/11.jpg tmp/12.jpg "
imgsearch list --state excluded --json | grep '"reason": "system folder"' | wc -l >.got
[ "$(cat .got)" = 10 ]; result "... and why" $? .got
imgsearch index -q --no-default-excludes p
[ "$(imgsearch list --paths | wc -l)" = 13 ] && [ -z "$(imgsearch list --paths | grep Trash)" ]
result "--no-default-excludes takes them in, but for hidden ones" $?
imgsearch index -q; comes "... in that run alone" "FOUND.1/6.jpg a.jpg recycle/11.jpg tmp/12.jpg "
rm i.db*; imgsearch index -q 'p/#recycle' p/.Trash-1000
comes "a system folder that was named is indexed" "#recycle/1.jpg .Trash-1000/3.jpg "

done_testing
