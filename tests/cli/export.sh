#!/bin/sh
# What an index holds, as files for other programs. Perl reads them, so that no NumPy is needed.
. "$(dirname "$0")/common.sh"
draw pics 1
printf 'file,place\ncity-01.jpg,Ulm "Süd"\n' >about.csv
imgsearch index -q --db i.db pics --csv about.csv 2>.err
export IMGSEARCH_DB=$W/i.db
imgsearch list --json -q >list

numbers() { # FILE HEADER-BYTES PACK: the numbers behind a header; 0: that of .npy
	perl -e '
		my ($name, $skip, $pack) = @ARGV;
		open my $file, "<", $name or die;
		binmode $file;
		local $/;
		my $data = <$file>;
		$skip = 10 + unpack "v", substr $data, 8, 2 if !$skip;
		print join("\n", unpack "$pack*", substr $data, $skip), "\n";' "$@"
}
json() { # FILE KEY: the rest of the first line behind a key
	sed -n "1s/.*\"$2\": //p" "$1"
}

check "export .npy" 0 imgsearch export v.npy <<'END'
! imgsearch: v.npy: vectors (8, 48), described in v.json
END
imgsearch vectors export -q old.npy --ids old-ids.npy
cmp -s v.npy old.npy && cmp -s v.ids.npy old-ids.npy
result "... with the vectors and ids of vectors export" $?
hash=$(imgsearch info --json | sed 's/.*"weights_hash": //; s/[,}].*//')
tr -d ' "' <v.json >about; hash=$(echo "$hash" | tr -d '"')
grep -q "vectors:v.npy,ids:v.ids.npy,rows:8,dim:48,metric:cosine,model:default" about &&
	grep -q "weights_hash:$hash,compared:false" about
result "... and what they are" $? v.json

check "export .fbin" 0 imgsearch export v.fbin <<'END'
! imgsearch: v.fbin: vectors (8, 48), described in v.json
END
[ "$(numbers v.fbin 0 V 2>&1 | head -1)" ] && [ "$(od -An -tu4 -N8 v.fbin | xargs)" = "8 48" ]
result "... with the numbers of rows and values" $?
numbers v.fbin 8 f >a; numbers v.npy 0 f | cmp -s - a
result "... and the same rows" $?
imgsearch vectors import -q --db again.db v.fbin --ids v.ids.npy
imgsearch export -q --db again.db w.npy; cmp -s v.npy w.npy
result "... which can be imported" $?
grep -q '"model": null, "weights_hash": null' w.json
result "vectors of one's own have no model" $? w.json

check "export .jsonl" 0 imgsearch export v.jsonl <<'END'
! imgsearch: v.jsonl: vectors (8, 48), described in v.json
END
[ "$(wc -l <v.jsonl)" = 8 ]; result "... a line each" $?
perl -ne 'print "$1\n" if /"vector": \[([^\]]*)\]/' v.jsonl | tr -d ' ' | tr ',' '\n' >b
perl -e '
	open A, "<", "a"; open B, "<", "b"; my @a = <A>; my @b = <B>;
	exit 1 if @a != @b || @a != 8 * 48;
	for (0 .. $#a) { exit 1 if unpack("V", pack "f", $a[$_]) != unpack("V", pack "f", $b[$_]) }'
result "... with the same vectors, to the last bit" $?
grep -q '"path": "'"$W"'/pics/city-01.jpg".*"columns": {.*"place": "Ulm \\"Süd\\""' v.jsonl
result "... paths and columns" $? v.jsonl
sed 's/.*"id": \([0-9]*\).*/\1/' v.jsonl >ids; numbers v.ids.npy 0 q | cmp -s - ids
result "... and ids, in the same order" $?
! grep -q '"ids"' v.json; result "... which need no file" $? v.json

# With --compared the products are the scores of a query.
draw more 12
imgsearch index -q more
imgsearch export -q --compared c.npy
grep -q '"compared": true, "mean": \[' c.json
result "--compared says so, and has the mean" $? c.json
numbers c.npy 0 f >rows; numbers c.ids.npy 0 q >ids
imgsearch query --searcher exact -k 10 --json id:3 >answer 2>.err
perl -e '
	open R, "<", "rows"; my @v = <R>; open I, "<", "ids"; chomp(my @id = <I>);
	open Q, "<", "answer"; my $text = join "", <Q>;
	my ($q) = grep { $id[$_] == 3 } 0 .. $#id;
	my %score;
	for my $i (0 .. $#id) { $score{$id[$i]} += $v[$q * 48 + $_] * $v[$i * 48 + $_] for 0 .. 47 }
	my @best = sort { $score{$b} <=> $score{$a} } @id;
	my @told = $text =~ /"rank": \d+, "id": (\d+)/g;
	my @scores = $text =~ /"score": ([0-9.e-]+)/g;
	print "@best[0 .. 9]\n@told\n";
	exit 1 if @told != 10;
	for (0 .. 9) { exit 1 if abs($scores[$_] - $score{$told[$_]}) > 1e-5 }' >.out 2>&1
result "the products of rows are the scores of a query" $? .out

check "another ending" 2 imgsearch export v.txt <<'END'
-
END
check "an index without vectors" 3 imgsearch export --db "$W/none/x.db" n.npy <<'END'
-
END
: >empty; mkdir void; imgsearch index -q --db e.db void
check "... or with none in it" 3 imgsearch export --db e.db n.npy <<'END'
! imgsearch: n.npy: the index holds no vectors; nothing was written
END
ls n.* >.out 2>&1; [ $? != 0 ]; result "... writes nothing" $? .out
cp i.db i.npy; cp i.npy keep
check "the index is not overwritten" 3 imgsearch export --db i.npy i.npy <<'END'
-
END
cmp -s i.npy keep; result "... and stays" $?

# No room: what was there stays.
imgsearch export -q v.jsonl; cp v.jsonl keep; cp v.json keep.json
(ulimit -f 100; exec imgsearch export v.jsonl) >.out 2>.err
[ $? = 3 ] && grep -q "v.jsonl: cannot write" .err && cmp -s v.jsonl keep && cmp -s v.json keep.json
result "a full disk: the old files stay" $? .err
ls v.jsonl.* >.out 2>&1; [ $? != 0 ]; result "... and no other" $? .out

done_testing
