#!/bin/sh
# The command line itself: commands, options, their values, what is said of mistakes.
. "$(dirname "$0")/common.sh"

imgsearch >.out 2>.err; status=$?
grep -q '^usage: imgsearch COMMAND' .err && [ ! -s .out ]
result "no arguments: help on standard error" $?
[ $status = 2 ]
result "... and status 2" $?

for words in "help" "--help" "-h"; do
	imgsearch $words >.out 2>.err </dev/null
	[ $? = 0 ] && grep -q '^  query ' .out && [ ! -s .err ]
	result "imgsearch $words" $?
done

# Every command tells of itself, and names each of its options in one way.
for command in $(imgsearch help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
	imgsearch help $command >.out 2>.err && imgsearch $command --help >.err &&
		cmp -s .out .err && grep -q "^usage: imgsearch $command" .out
	result "help $command is $command --help" $?
done
bad=0
imgsearch help | sed -n 's/^  \([a-z]*\( [a-z]*\)\{0,1\}\)  .*/\1/p' >commands
while read -r command; do
	imgsearch help $command >.err
	{
		grep -o '^  -[^-],' .err
		sed -n 's/^  .\{3\} \(--[a-z0-9-]*\).*/\1/p' .err
	} | sort | uniq -d >.out
	[ ! -s .out ] || { echo "# $command:" $(cat .out); bad=1; }
done <commands
[ $bad = 0 ] && [ "$(wc -l <commands)" -ge 20 ]
result "no command has a letter or a name twice" $?
check "help of a command of two words" 0 imgsearch help root mv <<'END'
usage: imgsearch root mv [OPTION...] OLD NEW

Tells the index that a folder has moved from OLD to NEW. Its pictures keep
their vectors, and nothing is read again. imgsearch info lists the folders.

NEW can be a name and a colon: the index knows the folder by that name from
then on, and each machine tells by --root NAME=DIR where it has it.

	imgsearch root mv /mnt/disk/photos /media/me/disk/photos

Common options:
  -d, --db=FILE           the index (default: $IMGSEARCH_DB, else
                          imgsearch/index.db in the XDG data folder); of
                          shards: repeated, or a text file of their addresses
      --root=NAME=DIR     this machine has the folder NAME of the index at DIR
                          (may be repeated)
      --max-stale=S       index on a server: answer by what is known of it for
                          S seconds
  -h, --help              show this help
  -q, --quiet             no progress, no summaries; errors only
  -v, --verbose           write more about what is done
END

imgsearch --version | grep -qx 'imgsearch [0-9]*\.[0-9]*\.[0-9]*'
result "--version" $?

check "a mistyped command" 2 imgsearch qurey a.jpg <<'END'
! imgsearch: no command "qurey"; did you mean "query"? (see: imgsearch help)
END
check "the beginning of a command" 2 imgsearch inde <<'END'
! imgsearch: no command "inde"; did you mean "index"? (see: imgsearch help)
END
check "a word that is like nothing" 2 imgsearch xyzzy <<'END'
! imgsearch: no command "xyzzy" (see: imgsearch help)
END
check "a short word that is like nothing" 2 imgsearch help foo <<'END'
! imgsearch: no command "foo" (see: imgsearch help)
END
check "half of a command of two words" 2 imgsearch vectors <<'END'
! imgsearch: say what to do with "vectors": imgsearch vectors import, imgsearch vectors export (see: imgsearch help)
END
imgsearch help shard >.out 2>.err && imgsearch shard --help >.err && cmp -s .out .err &&
	{ imgsearch help shard list && echo && imgsearch help shard add && echo &&
		imgsearch help shard move; } | cmp -s .out
result "help of half of a command: that of each" $?
check "a value without its option" 2 imgsearch build graph <<'END'
! imgsearch: build: unexpected argument "graph"; did you mean --searcher graph? (see: imgsearch help build)
END
check "whole bounds in full" 2 imgsearch list --limit 0 <<'END'
! imgsearch: list: --limit: "0" is not a whole number from 1 to 1000000000000000 (see: imgsearch help list)
END
check "... of other numbers, too" 2 imgsearch query --max-chance 0 x <<'END'
! imgsearch: query: --max-chance: "0" is not a number from 1e-12 to 1000000000000 (see: imgsearch help query)
END
check "an unknown option" 2 imgsearch query --serach=graph a.jpg <<'END'
! imgsearch: query: no option --serach; did you mean --searcher? (see: imgsearch help query)
END
check "an unknown letter" 2 imgsearch query -qZ a.jpg <<'END'
! imgsearch: query: no option -Z (see: imgsearch help query)
END
check "a mistyped choice" 2 imgsearch query --searcher grpah a.jpg <<'END'
! imgsearch: query: --searcher: no "grpah"; did you mean "graph"? (one of exact, kdtree, pca, graph, pgvector, scan) (see: imgsearch help query)
END
check "a number below its bound" 2 imgsearch query -k0 a.jpg <<'END'
! imgsearch: query: --k: "0" is not a whole number from 1 to 100000000 (see: imgsearch help query)
END
for k in -1 1e3 0x10 ' 5' 5x '' 100000001 99999999999999999999; do
	check "-k \"$k\" is refused" 2 imgsearch query -k "$k" a.jpg <<-END
	! imgsearch: query: --k: "$k" is not a whole number from 1 to 100000000 (see: imgsearch help query)
	END
done
check "what is no number" 2 imgsearch query --min-score nan a.jpg <<'END'
! imgsearch: query: --min-score: "nan" is not a number (see: imgsearch help query)
END
check "a missing value" 2 imgsearch query a.jpg --under <<'END'
! imgsearch: query: --under needs a value: DIR (see: imgsearch help query)
END
check "an empty value" 2 imgsearch query a.jpg --under= <<'END'
! imgsearch: query: --under: its DIR is empty (see: imgsearch help query)
END
check "a value for a flag" 2 imgsearch query --json=1 a.jpg <<'END'
! imgsearch: query: --json takes no value (see: imgsearch help query)
END
for crop in 1,2,3 1,2,3,4,5 1,2,0,4 -1,0,5,5 1.5,0,5,5 a,b,c,d ,,, 1,2,3,99999999999; do
	check "--crop $crop is refused" 2 imgsearch query --crop "$crop" a.jpg <<-END
	! imgsearch: query: --crop: "$crop" is not X,Y,W,H in pixels, such as 10,20,300,200 (see: imgsearch help query)
	END
done
check "a mean that is none" 2 imgsearch index --mean 1,2 . <<'END'
! imgsearch: index: --mean: "1,2" is not three numbers, such as 0.485,0.456,0.406 (see: imgsearch help index)
END
check "nothing to ask for" 2 imgsearch query <<'END'
! imgsearch: query: no argument: imgsearch query IMG..., or --text TEXT (see: imgsearch help query)
END
check "one operand too many" 2 imgsearch info extra <<'END'
! imgsearch: info: unexpected argument "extra" (see: imgsearch help info)
END
check "one operand too few" 2 imgsearch root mv old <<'END'
! imgsearch: root mv: an argument is missing: imgsearch root mv OLD NEW (see: imgsearch help root mv)
END
check "options of --vectors without it" 2 imgsearch query --ids a.npy a.jpg <<'END'
! imgsearch: query: --ids, --distances and --stats go with --vectors FILE (see: imgsearch help query)
END
check "--vectors and pictures" 2 imgsearch query --vectors a.npy a.jpg <<'END'
! imgsearch: query: --vectors FILE takes its queries from the file alone: no pictures, no texts, no --combine, no --not (see: imgsearch help query)
END
check "--vectors with what is for pictures" 2 imgsearch query --vectors a.npy --views 2 <<'END'
! imgsearch: query: --html, --sheet, --preview, --views and --no-self go with pictures (see: imgsearch help query)
END
check "... as is --no-self" 2 imgsearch query --vectors a.npy --no-self <<'END'
! imgsearch: query: --html, --sheet, --preview, --views and --no-self go with pictures (see: imgsearch help query)
END
check "--max-chance where lists have one length" 2 \
	imgsearch query --vectors a.npy --ids b.npy --max-chance 1 <<'END'
! imgsearch: query: --max-chance does not go with --ids, --distances and --stats (see: imgsearch help query)
END
check "extract without a place to go" 2 imgsearch extract a.jpg <<'END'
! imgsearch: extract: no output: -o FILE.npy (see: imgsearch help extract)
END
for words in "-o m.html" "--json"; do
	check "map --tiles $words, which is no image" 2 imgsearch map --tiles $words <<'END'
! imgsearch: map: --tiles draws an image: -o map.png or -o map.jpg (see: imgsearch help map)
END
done
check "a value is missing before another option" 2 imgsearch check --recall --json <<'END'
! imgsearch: check: --recall needs a value: N, before --json (see: imgsearch help check)
END
check "map FILE" 2 imgsearch map map.html <<'END'
! imgsearch: map: unexpected argument "map.html"; the file to write is named with -o FILE (see: imgsearch help map)
END
for option in -o --output; do
	check "vectors export $option" 2 imgsearch vectors export $option x.npy <<'END'
! imgsearch: vectors export: no option -o; the file is the argument: imgsearch vectors export FILE.npy (see: imgsearch help vectors export)
END
done
check "an option that is near no other" 2 imgsearch check --queries 3 <<'END'
! imgsearch: check: no option --queries (see: imgsearch help check)
END
check "extract into standard output" 3 imgsearch extract a.jpg -o - <<'END'
! imgsearch: -: a file is written, not standard output (a file of that name: ./-)
END
check "a shell without completions" 2 imgsearch complete tcsh <<'END'
! imgsearch: complete: no completions for "tcsh"; there are bash, zsh, fish (see: imgsearch help complete)
END

check "--not before nothing" 2 imgsearch query a.jpg --not <<'END'
! imgsearch: query: --not stands before what it is about, and nothing follows it (see: imgsearch help query)
END
check "--weight before nothing" 2 imgsearch query a.jpg --weight 2 <<'END'
! imgsearch: query: --weight stands before what it is about, and nothing follows it (see: imgsearch help query)
END
check "a weight of nothing" 2 imgsearch query --weight 0 a.jpg <<'END'
! imgsearch: query: --weight: "0" is not a number from 0.001 to 1000 (see: imgsearch help query)
END
check "nothing but --not" 2 imgsearch query --not --text red --not a.jpg <<'END'
! imgsearch: query: nothing to search for: --not only says what to move away from (see: imgsearch help query)
END
check "an empty text" 2 imgsearch query --text "" <<'END'
! imgsearch: query: --text: its TEXT is empty (see: imgsearch help query)
END

# Accepted: each of these gets as far as the index that is not there.
for words in "-k5 a.jpg" "-k 5 a.jpg" "--k=5 a.jpg" "--k 5 a.jpg" "a.jpg -k 5" "-k 5 -- a.jpg" \
	"-- -odd.jpg" "-qj0k5 a.jpg" "--min-score -0.5 a.jpg" "--min-score=-.5 a.jpg" \
	"--crop 0,0,1,1 a.jpg" "--not b.jpg --not=c.jpg -n d.jpg a.jpg" \
	"--text red" "--text red a.jpg --weight 2 --text=car -n --text dog" "--weight .5 a.jpg" \
	"-" "--combine a.jpg b.jpg"; do
	check "query $words" 3 imgsearch query --db none.db $words <<-'END'
	! imgsearch: none.db: there is no index; make one with: imgsearch index --db none.db DIR
	END
done
[ ! -e none.db ]
result "query never makes an index" $?

done_testing
