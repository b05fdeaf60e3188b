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

# ---------------------------------------------------------------------------- ignore files
fresh
place p/a/cache/1.jpg p/b/x/cache/2.jpg p/private/3.jpg
printf '\357\273\277private/\r\n**/x/cache\r\n' >p/.ignore
imgsearch index -q p; comes "an ignore file with a mark and carriage returns" "a/cache/1.jpg "
printf '*.jpg\n' >p/.ignore
imgsearch index -q p; comes "all left out" ""
check "the ignore file above a refreshed folder counts" 0 imgsearch index p/a/cache <<'END'
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
