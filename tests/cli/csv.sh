#!/bin/sh
# Titles and columns from a CSV.
. "$(dirname "$0")/common.sh"
draw pics 1
export IMGSEARCH_DB=$W/i.db
{
	printf '\357\273\277file,title,artist,"note, long"\r\n'
	printf 'city-01.jpg,"The ""City"", at noon",Ann,"two\nlines"\r\n'
	printf 'flower-01.jpg,,Bob,\r\n'
	printf 'none.jpg,Lost,Cid,x\r\n'
} >a.csv
check "index --csv" 0 imgsearch index pics --csv a.csv <<'END'
-
END
check "query shows the title" 0 sh -c "imgsearch query -k 1 pics/city-01.jpg | cut -f 2-" <<'END'
W/pics/city-01.jpg	The "City", at noon
END
check "list shows the title" 0 sh -c "imgsearch list | grep -e city -e flower | cut -f 2-" <<'END'
W/pics/city-01.jpg	The "City", at noon
W/pics/flower-01.jpg
END
check "JSON has all columns" 0 \
	sh -c "imgsearch query --json -k 1 pics/city-01.jpg | grep -o '\"columns\".*'" <<'END'
"columns": {"file": "city-01.jpg", "title": "The \"City\", at noon", "artist": "Ann", "note, long": "two\nlines"}}]}
END
printf 'path,name\n%s/pics/night-01.jpg,"Line\nbreak\tand tab"\n' "$W" >b.csv
check "--key and --title" 0 imgsearch index pics --csv b.csv --key path --title name <<'END'
-
END
check "a title stays on one line" 0 \
	sh -c "imgsearch query -k 1 pics/night-01.jpg | cut -f 2-" <<'END'
W/pics/night-01.jpg	Line break and tab
END
check "a missing key column" 3 imgsearch index pics --csv b.csv <<'END'
-
END
grep -q 'b.csv: .*file' .err
result "... is named: $(tidy <.err)" $?
check "a missing title column" 3 imgsearch index pics --csv b.csv --key path --title nope <<'END'
-
END
grep -q 'nope' .err
result "... is named: $(tidy <.err)" $?
check "a CSV that is not there" 3 imgsearch index pics --csv none.csv <<'END'
-
END
grep -q '^imgsearch: none.csv: ' .err
result "... is named: $(tidy <.err)" $?
printf 'file,title\n"city-01.jpg,open quote\n' >c.csv
check "an open quote" 3 imgsearch index pics --csv c.csv <<'END'
-
END
grep -q '^imgsearch: c.csv: ' .err
result "... is named: $(tidy <.err)" $?
printf 'file,title\ncity-01.jpg,one\ncity-01.jpg,two\n' >d.csv
imgsearch index -q pics --csv d.csv
imgsearch query -k 1 pics/city-01.jpg | cut -f 3 >.out
[ "$(cat .out)" = two ]
result "of lines with the same key the last one counts" $? .out
: >e.csv
imgsearch index pics --csv e.csv >.out 2>.err
[ $? = 3 ] && grep -q '^imgsearch: e.csv: ' .err
result "an empty CSV: $(tidy <.err)" $?

cat >f.csv <<'END'
file,date,rating,zone
city-01.jpg,last summer,4,A3
night-01.jpg,,five,
no.jpg,never,,
END
check "values that are none" 0 imgsearch index pics --csv f.csv <<'END'
! imgsearch: warning: f.csv: 2 of 3 rows name a picture of the index
! imgsearch: warning: f.csv: line 2: "last summer" is no date, and others like it; where the picture itself has a value, that counts
! imgsearch: 8 paths seen: 8 indexed; 8 unchanged (T s)
END

# Of pictures with the same bytes, the row of the indexed one counts, in whatever order they come.
mkdir same && cp pics/city-01.jpg same/a.jpg && cp same/a.jpg same/b.jpg
printf 'file,title\na.jpg,A\nb.jpg,B\n' >g.csv
printf 'file,title\nb.jpg,B\na.jpg,A\n' >h.csv
printf 'file,title\nb.jpg,B\n' >i.csv
for of in g.csv/A h.csv/A i.csv/B; do
	rm -f same.db*
	imgsearch index -q --db same.db same --csv "${of%/*}"
	imgsearch query --db same.db -k 1 same/a.jpg | cut -f 3 >.out
	[ "$(cat .out)" = "${of#*/}" ]
	result "columns of a picture and its copy: ${of%/*}" $? .out
done

done_testing
