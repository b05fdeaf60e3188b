#!/bin/sh
# Followed links: remembered, away for a while, named by themselves; what they must not bring in.
. "$(dirname "$0")/common.sh"
draw pics 1
in_index() { imgsearch list --paths --state all | sed "s|^$W/||" | sort | tr '\n' ' '; }
comes() { # NAME EXPECTED
	[ "$(in_index)" = "$2" ]
	got=$?
	in_index >.got
	result "$1" $got .got
}
fresh() {
	rm -rf i.db* p disk
	mkdir p disk disk/sub
	cp pics/city-01.jpg p/a.jpg
	cp pics/night-01.jpg disk/b.jpg
	cp pics/forest-01.jpg disk/sub/c.jpg
	ln -s ../disk p/usb
}
export IMGSEARCH_DB=$W/i.db
all="p/a.jpg p/usb/b.jpg p/usb/sub/c.jpg "

# ------------------------------------------------------------------------------- remembered
fresh
imgsearch index -q -L p; comes "-L" "$all"
imgsearch index -q; comes "is remembered" "$all"
imgsearch index -q p; comes "... with the folder named" "$all"
check "info says it" 0 sh -c "imgsearch info | grep -A9 '^root'" <<'END'
root         W/p
  links in   .
END
imgsearch info --json | grep -q '"follow_links": \["."\]'
result "... --json too" $?
imgsearch index -q --no-follow-links
comes "--no-follow-links: what lies behind goes, though it is most of it" "p/a.jpg p/usb "
imgsearch index -q; comes "... and stays out" "p/a.jpg p/usb "
imgsearch index -q -L p/usb; comes "-L of a link that is named" "$all"
rm i.db* p/usb; mkdir p/in; ln -s ../../disk p/in/usb; ln -s ../disk p/out
imgsearch index -q p; imgsearch index -q -L p/in
comes "-L of a folder" "p/a.jpg p/in/usb/b.jpg p/in/usb/sub/c.jpg p/out "
imgsearch index -q; comes "... is remembered for that folder" \
	"p/a.jpg p/in/usb/b.jpg p/in/usb/sub/c.jpg p/out "
check "info says which" 0 sh -c "imgsearch info | grep 'links in'" <<'END'
  links in   in
END
imgsearch index -q -L p/in/usb/b.jpg; imgsearch info | grep -c 'links in' >.out; : >.err
compare "a file that is no link needs none" 0 0 <<'END'
1
END
imgsearch index -q -L
check "a part of what follows links cannot be without" 3 \
	imgsearch index --no-follow-links p/in <<'END'
! imgsearch: in: links are followed in all of W/p, and not off for a part of it
END
check "both options" 2 imgsearch index -L --no-follow-links p <<'END'
! imgsearch: index: -L and --no-follow-links exclude each other (see: imgsearch help index)
END

# -------------------------------------------------------------------------------- away
fresh
imgsearch index -q -L p
mv disk away
check "the linked folder is not there" 0 imgsearch index <<'END'
! imgsearch: warning: W/p: folders in it or behind links are absent or empty; offline, files are kept (2)
! imgsearch: 1 path seen: 1 indexed; 1 unchanged, 2 offline (T s)
! imgsearch: if a folder lies elsewhere now: imgsearch root mv OLD NEW
END
comes "what lies behind stays" "$all"
imgsearch info --json | grep -q '"offline": 2}'
result "info counts it" $?
imgsearch list --json | grep -c '"offline": true' >.out; : >.err
compare "list says it" 0 0 <<'END'
2
END
imgsearch query -q -k 1 --paths pics/night-01.jpg >.out
compare "it is found" 0 0 <<'END'
W/p/usb/b.jpg
END
mkdir disk
imgsearch index -q; comes "an empty folder is the place of a disk" "$all"
imgsearch dups -q >.out 2>.err; compare "dups says nothing of missing files" 0 0 <<'END'
END
rmdir disk; mv away disk
check "it is back" 0 imgsearch index <<'END'
! imgsearch: 3 paths seen: 3 indexed; 3 unchanged (T s)
END
rm disk/b.jpg
check "a file that went behind a link goes" 0 imgsearch index <<'END'
! imgsearch: 2 paths seen: 2 indexed; 2 unchanged, 1 removed (T s)
END
mv disk away; imgsearch index -q --prune; comes "--prune: what is away goes" "p/a.jpg p/usb "
mv away disk
fresh
imgsearch index -q -L p
rm p/usb; imgsearch index -q --prune; comes "a link that went takes all with it" "p/a.jpg "

# links of single files
fresh
rm p/usb
ln -s ../disk/b.jpg p/l.jpg
imgsearch index -q -L p; comes "a link to a file" "p/a.jpg p/l.jpg "
mv disk away
imgsearch index -q
[ "$(imgsearch list --paths | grep -c l.jpg)" = 1 ]
result "its folder is away: it stays" $?
mkdir disk; imgsearch index -q p/l.jpg 2>/dev/null
[ "$(imgsearch list --paths | grep -c l.jpg)" = 1 ]
result "... also when it is named, and with an empty folder" $?
touch disk/other; imgsearch index -q
[ "$(imgsearch list --paths | grep -c l.jpg)" = 0 ]
result "the folder is there, the file went: it is unreadable" $?

# --------------------------------------------------------------- behind links, by their names
fresh
imgsearch index -q -L p
cp pics/sunset-01.jpg disk/sub/new.jpg
imgsearch index -q p/usb/sub
comes "a folder behind a link is refreshed" "${all}p/usb/sub/new.jpg "
cp pics/flower-01.jpg disk/sub/one.jpg
imgsearch index -q p/usb/sub/one.jpg
new="p/usb/sub/new.jpg p/usb/sub/one.jpg "
comes "... and a file" "$all$new"
(cd p/usb/sub && imgsearch index -q .)
comes "... the real folder, where that is named, is a root" \
	"disk/sub/c.jpg disk/sub/new.jpg disk/sub/one.jpg $all$new"
fresh
imgsearch index -q -L p p/usb
comes "with its root" "$all"
check "query --under" 0 imgsearch query -k 5 --paths -u p/usb/sub pics/city-01.jpg <<'END'
W/p/usb/sub/c.jpg
END
check "list" 0 imgsearch list --paths p/usb/b.jpg <<'END'
W/p/usb/b.jpg
END
check "rm" 0 imgsearch rm --dry-run p/usb/sub/c.jpg <<'END'
W/p/usb/sub/c.jpg
! imgsearch: 1 would be removed from the index
END

# ------------------------------------------------------------------------ what is left out
fresh
rm p/usb
mkdir -p p/private/deep p/x/.hidden
cp pics/night-01.jpg p/private/b.jpg
cp pics/forest-01.jpg p/private/deep/c.jpg
cp pics/sunset-01.jpg p/x/.hidden/d.jpg
ln -s private p/link
ln -s private/deep p/deep
ln -s ../private/b.jpg p/x/b.jpg
ln -s .hidden/d.jpg p/x/d.jpg
imgsearch index -q -L -x private/ p
comes "an excluded folder stays out under other names" \
	"p/a.jpg p/deep p/link p/private p/x/.hidden p/x/b.jpg p/x/d.jpg "
imgsearch list --json --state excluded | grep -c 'excluded by pattern' >.out; : >.err
compare "... with the reason" 0 0 <<'END'
4
END
imgsearch list --paths | grep -c x/d.jpg >.out
compare "a file in a hidden folder comes in by a link (git-annex)" 0 0 <<'END'
1
END
imgsearch index -q --no-exclude
[ "$(imgsearch list --paths --state indexed | wc -l)" = 4 ]
result "nothing is excluded any more" $?
echo /private >p/.ignore
imgsearch index -q p/x
[ -z "$(imgsearch list --paths | grep x/b.jpg)" ]
result "an ignore file, above a folder that is refreshed" $?
imgsearch index -q; imgsearch list --state excluded --json | grep -c 'an ignore file' >.out
compare "... of all" 0 0 <<'END'
4
END
imgsearch check -q >.out; result "the index is sound" $?
# ------------------------------------------------------------------- a disk that is mounted
rm -rf i.db* p disk
mkdir -p p/usb disk/sub
cp pics/city-01.jpg p/a.jpg
cp pics/night-01.jpg disk/b.jpg
cp pics/forest-01.jpg disk/sub/c.jpg
if unshare -rm mount --bind disk p/usb 2>/dev/null; then
	mounted() { # COMMAND...
		unshare -rm sh -c 'mount --bind disk p/usb && "$@"' sh "$@"
	}
	mounted imgsearch index -q p; comes "a disk that is mounted in the folder" "$all"
	imgsearch index 2>.err >.out; comes "... stays while it is not there" "$all"
	imgsearch info --json | grep -q '"offline": 2}'
	result "... info counts it" $?
	rmdir p/usb; imgsearch index -q p; comes "... and without its mount point" "$all"
	mkdir p/usb; rm disk/b.jpg; mounted imgsearch index -q p
	comes "a file on it that went goes" "p/a.jpg p/usb/sub/c.jpg "
	imgsearch index -q --prune; comes "--prune: what is away goes" "p/a.jpg "
	mounted imgsearch index -q p/usb/sub
	imgsearch index -q; comes "a folder on it that is named" "p/a.jpg p/usb/sub/c.jpg "
	rm -rf i.db* p/usb/*; cp disk/sub/c.jpg p/usb; imgsearch index -q p
	rm p/usb/c.jpg; imgsearch index -q; comes "a mere folder is no disk" "p/a.jpg "
else
	skip "a disk that is mounted" "no user namespaces"
fi
done_testing
