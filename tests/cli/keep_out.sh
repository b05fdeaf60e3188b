#!/bin/sh
# Pictures that are kept out of the index on purpose, and taken in again.
. "$(dirname "$0")/common.sh"
draw pics 2
cp pics/city-01.jpg pics/twin.jpg
export IMGSEARCH_DB=$W/i.db
imgsearch index -q pics
listed() { imgsearch list --paths "$@" | sed "s|$W/||" | paste -sd' '; }

check "rm --keep-out --dry-run" 0 imgsearch rm --keep-out --dry-run pics/night-01.jpg <<'END'
W/pics/night-01.jpg
! imgsearch: 1 would be kept out of the index
END
[ -z "$(listed --state kept-out)" ]; result "... keeps nothing out" $?
check "rm --keep-out" 0 imgsearch rm --keep-out pics/city-01.jpg pics/night-01.jpg <<'END'
W/pics/city-01.jpg
W/pics/night-01.jpg
! imgsearch: 2 kept out of the index; the files are untouched
END
kept="pics/city-01.jpg pics/night-01.jpg pics/twin.jpg"
[ "$(listed --state kept-out)" = "$kept" ]
result "list --state kept-out has them, and a copy of the same bytes" $?
imgsearch list --json --state kept-out | grep night \
	| grep -q '"state": "kept out", "reason": "kept out on purpose"'
result "... with state and reason" $?
[ "$(listed --state 'kept out')" = "$kept" ]; result "... as JSON spells it" $?
imgsearch list --paths | grep -q 'city-01\|night-01\|twin'; [ $? = 1 ]
result "list without a state has none of them" $?
imgsearch query --paths -k 100 pics/forest-01.jpg >.out && [ "$(wc -l <.out)" = 14 ] \
	&& ! grep -q 'city-01\|night-01\|twin' .out
result "query finds none of them" $? .out
imgsearch query --paths -k 1 pics/city-01.jpg | grep -q 'city-01\|twin'; [ $? = 1 ]
result "... nor the one that is asked for" $?
id=$(imgsearch list --state kept-out --json | sed -n '/city-01.jpg"/s/.*"id": \([0-9]*\).*/\1/p')
imgsearch query "id:$id" 2>.err
[ $? = 3 ] && grep -q "item $id of index .* is kept out on purpose" .err
result "a query by it says so" $? .err
imgsearch info | grep -q "^  kept out *3$"; result "info counts them" $?
imgsearch info --json | grep -q '"kept_out": 3'; result "... in JSON too" $?

cp pics/night-01.jpg pics/again.jpg
check "index takes them in no more, nor a new copy" 0 imgsearch index pics <<'END'
! imgsearch: 18 paths seen: 14 indexed, 4 kept out; 17 unchanged (T s)
END
check "... not even when named" 0 imgsearch index pics/night-01.jpg <<'END'
! imgsearch: 1 path seen: 1 kept out; 1 unchanged (T s)
END
imgsearch index --json -q | grep -q '"kept_out": 4'; result "index --json counts them" $?
[ "$(listed --state kept-out)" = "pics/again.jpg $kept" ]
result "the new copy is kept out as well" $?

check "readmit of one that is in" 3 imgsearch readmit pics/night-01.jpg pics/forest-01.jpg <<'END'
-
END
grep -q 'is not kept out' .err; result "... is refused: $(tidy <.err)" $?
check "readmit of a folder without any" 3 imgsearch readmit pics/none <<'END'
! imgsearch: W/pics/none: neither it nor anything below it is kept out of the index; nothing was taken in
END
[ "$(listed --state kept-out)" = "pics/again.jpg $kept" ]; result "... and nothing is taken in" $?
alone readmit pics/night-01.jpg >.out 2>.err
compare "readmit needs no network" 0 $? <<'END'
W/pics/night-01.jpg
! imgsearch: 1 taken in again
END
[ "$(listed --state kept-out)" = "pics/city-01.jpg pics/twin.jpg" ]
result "... its copy is taken in with it" $?
alone query --paths -k 1 pics/night-01.jpg | grep -q 'night-01\|again'
result "... a query finds it, without a network" $?
id=$(imgsearch list --state kept-out | sed -n 's/\t.*city-01.*//p')
imgsearch readmit --json -q "id:$id" | grep -q '"taken_in": true'
result "readmit by id, as JSON" $?
[ -z "$(listed --state kept-out)" ] && [ "$(imgsearch list | wc -l)" = 18 ]
result "... everything is back" $?

imgsearch rm --keep-out -q pics >.out && [ -z "$(listed)" ]; result "rm --keep-out of a folder" $?
imgsearch readmit --json -q pics | grep -c '"taken_in": true' >.out
[ "$(cat .out)" = 18 ] && [ "$(imgsearch list | wc -l)" = 18 ]
result "readmit of a folder" $? .out
imgsearch rm --keep-out --json -q pics/forest-01.jpg | grep -q '"kept_out": true'
result "rm --keep-out as JSON" $?
imgsearch rm -q pics/forest-01.jpg >.out && [ -z "$(listed --state kept-out)" ]
result "rm forgets what is kept out" $?
check "... and the next run takes it in" 0 imgsearch index pics <<'END'
! imgsearch: 18 paths seen: 16 indexed, 2 duplicates; 1 new, 17 unchanged (T s)
END

done_testing
