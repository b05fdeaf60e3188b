#!/bin/sh
# Vectors of one's own: import, export, queries by array file. The files are written and read by
# Perl, so that no NumPy is needed.
. "$(dirname "$0")/common.sh"
export IMGSEARCH_LIBDIR=$W/nothing IMGSEARCH_DB=$W/v.db

npy() { # FILE DESCR SHAPE PACK VALUES...
	perl -e '
		my ($name, $descr, $shape, $pack, @values) = @ARGV;
		my $header = "{\"descr\": \"$descr\", \"fortran_order\": False, \"shape\": $shape, }";
		$header =~ s/"/\x27/g;
		$header .= " " x (-(11 + length $header) % 64) . "\n";
		open my $file, ">", $name or die;
		binmode $file;
		print $file "\x93NUMPY\x01\x00", pack("v", length $header), $header;
		print $file pack("$pack*", @values);' "$@"
}
show() { # FILE PACK: the header's dictionary and the numbers
	perl -e '
		my ($name, $pack) = @ARGV;
		open my $file, "<", $name or die;
		binmode $file;
		local $/;
		my $data = <$file>;
		my $length = unpack "v", substr $data, 8, 2;
		my @values = unpack "$pack*", substr $data, 10 + $length;
		print substr($data, 10, $length) =~ s/\s+$//r, "\n";
		print join(" ", map { /^nan/i ? "nan" : sprintf "%.6g", $_ } @values), "\n";' "$@"
}

npy five.npy '<f4' '(5, 3)' f  1 0 0  0 1 0  0 0 1  1 1 0  0.5 0 0
npy q.npy '<f4' '(2, 3)' f  1 0 0  0 2 0.1
check "import" 0 imgsearch vectors import five.npy --metric l2 <<'END'
! imgsearch: five.npy: vectors (5, 3) imported; for fast queries: imgsearch build
END
check "... with an index by --db: the advice names it" 0 \
	imgsearch vectors import five.npy --db "two words.db" <<'END'
! imgsearch: five.npy: vectors (5, 3) imported; for fast queries: imgsearch build --db 'two words.db'
END
sh -c "$(sed 's/.*: //' .err)" >.out 2>.err
result "... and can be run as it is printed" $? .err
check "another metric than the index's is refused" 3 \
	imgsearch vectors import five.npy --metric cosine <<'END'
! imgsearch: W/v.db: the index has the metric l2; leave --metric out, or name another file with --db FILE
END
check "... ip as well" 3 imgsearch vectors import five.npy --metric ip <<'END'
! imgsearch: W/v.db: the index has the metric l2; leave --metric out, or name another file with --db FILE
END
check "its own is not" 0 imgsearch vectors import five.npy --metric l2 --db same.db -q <<'END'
END
check "... in an index that is there" 0 \
	imgsearch vectors import five.npy --metric l2 --db same.db -q <<'END'
END
check "list: vectors by id, counted on" 0 imgsearch list --db same.db --paths <<'END'
id:0
id:1
id:2
id:3
id:4
id:5
id:6
id:7
id:8
id:9
END
for command in "vectors import five.npy" "index $W" list serve build; do
	check "$command in memory is refused" 3 imgsearch $command --db :memory: <<'END'
! imgsearch: an index in memory would not be kept; name a file with --db FILE
END
done
check "rm of vectors says nothing of files" 0 imgsearch rm --db same.db id:9 <<'END'
id:9
! imgsearch: 1 removed from the index
END
check "pictures into it are refused" 3 imgsearch index . --db same.db <<'END'
! imgsearch: W/same.db: the index is one of the caller's own vectors; index pictures into another file with --db FILE
END
check "query --vectors --ids --distances" 0 \
	imgsearch query --vectors q.npy -k 3 --ids ids.npy --distances d.npy </dev/null
show ids.npy q >.out; show d.npy f >>.out
compare "... rows are numbered from 0, nearest first" 0 0 <<'END'
{'descr': '<i8', 'fortran_order': False, 'shape': (2, 3), }
0 4 3 1 3 4
{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
0 0.5 1 1.00499 1.41774 2.06398
END
for n in 1 2 7; do
	imgsearch query --vectors q.npy -k 3 --ids ids$n.npy --batch $n && cmp -s ids.npy ids$n.npy
	result "--batch $n gives the same" $?
done
imgsearch query --vectors q.npy -k 7 --ids ids.npy --distances d.npy
show ids.npy q >.out
show d.npy f >>.out
compare "fewer than k: -1 and NaN" 0 0 <<'END'
{'descr': '<i8', 'fortran_order': False, 'shape': (2, 7), }
0 4 3 1 2 -1 -1 1 3 4 2 0 -1 -1
{'descr': '<f4', 'fortran_order': False, 'shape': (2, 7), }
0 0.5 1 1.41421 1.41421 nan nan 1.00499 1.41774 2.06398 2.19317 2.2383 nan nan
END
imgsearch query --vectors q.npy -k 2 --stats >.out 2>.err
sed 's/: [0-9.e-]*\([,}]\)/: N\1/g' <.out >o; mv o .out
compare "--stats" 0 $? <<'END'
{"schema": N, "queries": N, "load_s": N, "search_s": N, "rss_mb": N}
END
check "without --ids: results as of pictures" 0 imgsearch query --vectors q.npy -k 1 <<'END'
==> q.npy:0 <==
0.0000	id:0
==> q.npy:1 <==
-1.0050	id:1
END
npy more.npy '<f2' '(2, 3)' v  15360 16384 49664  1 31743 32768
npy moreids.npy '<i8' '(2,)' q  3 9000000000000000000
check "import float16 with ids, one of them known" 0 \
	imgsearch vectors import more.npy --ids moreids.npy <<'END'
! imgsearch: more.npy: vectors (2, 3) imported; for fast queries: imgsearch build
END
check "export" 0 imgsearch vectors export out.npy --ids outids.npy <<'END'
! imgsearch: out.npy: vectors (6, 3)
END
show out.npy f >.out; show outids.npy q >>.out; : >.err
compare "... in order of ids" 0 0 <<'END'
{'descr': '<f4', 'fortran_order': False, 'shape': (6, 3), }
1 0 0 0 1 0 0 0 1 1 2 -3 0.5 0 0 5.96046e-08 65504 -0
{'descr': '<i8', 'fortran_order': False, 'shape': (6,), }
0 1 2 3 4 9e+18
END
imgsearch vectors export -q --f16 half.npy; show half.npy v >.out; : >.err
compare "export --f16" 0 0 <<'END'
{'descr': '<f2', 'fortran_order': False, 'shape': (6, 3), }
15360 0 0 0 15360 0 0 0 15360 15360 16384 49664 14336 0 0 1 31743 32768
END
check "export --json" 0 imgsearch vectors export -q --json half.npy <<'END'
{"schema": 1, "path": "half.npy", "rows": 6, "dim": 3}
END
imgsearch vectors export -q out.fvecs && rm -f w.db &&
	imgsearch vectors import -q --db w.db out.fvecs --ids outids.npy &&
	imgsearch vectors export -q --db w.db again.npy && cmp -s out.npy again.npy
result "through .fvecs and back: the same bytes" $?
imgsearch build -q --stats >.stats 2>.err
status=$?
sed -e 's/\(_s\|_mb\)": [0-9.e-]*/\1": N/g' -e 's/"why": "[^"]*"/"why": W/' <.stats >.out
compare "build --stats" 0 $status <<'END'
{"schema": 1, "searcher": "exact", "why": W, "rows": 6, "build_s": N, "index_mb": N, "rss_mb": N}
END
check "info" 0 sh -c "imgsearch info | grep -e ^vectors" <<'END'
vectors      6 vectors of 3 values, l2
END

# Files that are not as they should be.
bad() { # NAME REASON; the file is bad.npy
	check "$1" 3 imgsearch vectors import bad.npy <<-END
	! imgsearch: bad.npy: $2
	END
}
rm -f bad.npy
bad "no file" "cannot read: No such file or directory"
: >bad.npy
bad "empty" "empty"
echo text and more text >bad.npy
bad "text" "not a .npy file"
head -c 90 five.npy >bad.npy
bad "cut in its header" "its .npy header is damaged"
head -c 170 five.npy >bad.npy
bad "cut in its rows" "truncated: it holds fewer rows than its header says"
npy bad.npy '<f4' '(2147483648, 3)' f 1
bad "a header of 2^31 rows" "truncated: it holds fewer rows than its header says"
npy bad.npy '<f4' '(999999999999999, 1048576)' f 1
bad "a header beyond all memory" "truncated: it holds fewer rows than its header says"
npy bad.npy '<f4' '(1, 99999999)' f 1
bad "a row beyond all memory" "its rows have an impossible dimension"
npy bad.npy '<f4' '(3, 0)' f 1
bad "rows of nothing" "its rows have an impossible dimension"
npy bad.npy '<f4' '(1, 1, 1)' f 1
bad "three dimensions" "it has neither one nor two dimensions"
npy bad.npy '>f4' '(1, 3)' f 1 2 3
bad "big-endian" \
	"its numbers are none of float32, float16, int64 (little-endian); convert it with astype"
npy bad.npy '<i8' '(1, 3)' q 1 2 3
bad "whole numbers" "vectors must be float32 or float16, not integers"
npy bad.npy '<f4' '(1, 2)' f 1 2
bad "another dimension" "from row 0 on: vectors of 2 values; the index has 3"
sed 's/False/True /' five.npy >bad.npy
bad "Fortran order" "its numbers stand in Fortran order; write it with numpy.ascontiguousarray"
{
	head -c 128 five.npy | sed 's/(5, 3)/(1, 3)/'
	perl -e 'print pack("f<3", 1, 2, 9**9**9)'
} >bad.npy
check "an infinite value" 3 imgsearch vectors import bad.npy <<'END'
-
END
grep -q '^imgsearch: bad.npy: .*not finite' .err
result "... is named" $?
npy ids1.npy '<i8' '(1,)' q 1
check "ids of another number" 3 imgsearch vectors import five.npy --ids ids1.npy <<'END'
! imgsearch: ids1.npy: 1 ids for 5 rows
END
npy neg.npy '<i8' '(5,)' q 1 2 3 -4 5
check "a negative id" 3 imgsearch vectors import five.npy --ids neg.npy <<'END'
-
END
check "ids that are none" 3 imgsearch vectors import five.npy --ids five.npy <<'END'
! imgsearch: five.npy: ids must be one column of int64
END
printf '\003\0\0\0abcdefghijkl\002\0\0\0abcdefghijkl' >bad.fvecs
check "rows of several dimensions in .fvecs" 3 imgsearch vectors import bad.fvecs <<'END'
! imgsearch: bad.fvecs: its rows are not of one dimension
END
npy four.npy '<f4' '(1, 4)' f 1 2 3 4
check "queries of another dimension" 3 imgsearch query --vectors four.npy <<'END'
! imgsearch: four.npy: its rows have 4 values, those of the index 3
END
check "ids that cannot be written" 3 imgsearch query --vectors q.npy --ids no/folder.npy <<'END'
! imgsearch: no/folder.npy: cannot write: No such file or directory
END
cp q.npy q.kept && cp five.npy five.kept && ln -s v.db link.npy
check "the queries are not overwritten" 3 imgsearch query --vectors q.npy --ids ./q.npy <<'END'
! imgsearch: ./q.npy: this command reads it; it is not overwritten
END
check "... nor by the distances" 3 imgsearch query --vectors q.npy --distances q.npy <<'END'
! imgsearch: q.npy: this command reads it; it is not overwritten
END
check "the index is not overwritten" 3 imgsearch query --vectors q.npy --ids v.db <<'END'
! imgsearch: v.db: an index or another database; it is not overwritten
END
check "... through a link" 3 imgsearch query --vectors q.npy --distances link.npy <<'END'
! imgsearch: link.npy: an index or another database; it is not overwritten
END
check "... by an export" 3 imgsearch vectors export link.npy <<'END'
! imgsearch: link.npy: an index or another database; it is not overwritten
END
check "... by the ids of an export" 3 imgsearch vectors export new.npy --ids v.db-wal <<'END'
! imgsearch: v.db-wal: an index or another database; it is not overwritten
END
cmp q.npy q.kept && imgsearch check >/dev/null && [ ! -e new.npy ]
result "... all are as before" $?
cp five.npy old.npy && ln -s old.npy to-old.npy
imgsearch query --vectors four.npy --ids old.npy 2>/dev/null
[ $? = 3 ] && cmp old.npy five.kept
result "a failed query leaves an older file as it was" $?
imgsearch query --vectors q.npy --ids to-old.npy && [ -L to-old.npy ] &&
	! cmp -s old.npy five.kept && ! ls | grep -q 'old.npy\.'
result "a link is followed, and nothing else is left" $?
if [ -w /dev/full ]; then
	ln -s /dev/full full.npy
	check "a full disk" 3 imgsearch vectors export full.npy <<'END'
! imgsearch: full.npy: cannot write: No space left on device
END
else
	skip "a full disk" "no /dev/full"
fi
check "pictures into an index of vectors" 3 imgsearch index "$TOP/tests" <<'END'
-
END
imgsearch vectors import -q five.npy --db e.db
imgsearch rm -q --db e.db id:0 id:1 id:2 id:3 id:4 >.out
check "nothing to export" 3 imgsearch vectors export --db e.db none.npy <<'END'
-
END

done_testing
