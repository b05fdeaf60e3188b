#!/bin/sh
# extract, models: features as an array file.
. "$(dirname "$0")/common.sh"
draw pics 1
header() { # FILE DIM: the header's dictionary and the length of each row
	perl -e '
		my ($name, $dim) = @ARGV;
		open my $file, "<", $name or die;
		binmode $file;
		local $/;
		my $data = <$file>;
		my $length = unpack "v", substr $data, 8, 2;
		print substr($data, 10, $length) =~ s/\s+$//r, "\n";
		my @values = unpack "f*", substr $data, 10 + $length;
		while (@values) {
			my $sum = 0;
			$sum += $_ * $_ for splice @values, 0, $dim;
			print $sum =~ /nan/i ? "nan\n" : sprintf "%.3f\n", sqrt $sum;
		}' "$@"
}

check "extract without an index" 0 \
	imgsearch extract pics/city-01.jpg pics/flower-01.jpg -o f.npy <<'END'
! imgsearch: f.npy: features (2, 48)
END
header f.npy 48 >.out; : >.err
compare "... rows of length 1" 0 0 <<'END'
{'descr': '<f4', 'fortran_order': False, 'shape': (2, 48), }
1.000
1.000
END
echo text >text.jpg
check "a picture that fails" 4 \
	imgsearch extract pics/city-01.jpg text.jpg none.jpg pics/flower-01.jpg -o g.npy <<'END'
! imgsearch: text.jpg: not a picture of a known format
! imgsearch: none.jpg: No such file or directory
! imgsearch: g.npy: features (4, 48); rows of NaN for what failed
END
header g.npy 48 >.out; : >.err
compare "... gives a row of NaN in its place" 0 0 <<'END'
{'descr': '<f4', 'fortran_order': False, 'shape': (4, 48), }
1.000
nan
nan
1.000
END
check "--json" 4 imgsearch extract -q --json pics/city-01.jpg text.jpg -o g.npy <<'END'
{"schema": 1, "path": "g.npy", "rows": 2, "dim": 48, "failed": 1}
! imgsearch: text.jpg: not a picture of a known format
END
check "all fail" 3 imgsearch extract text.jpg -o h.npy <<'END'
-
END
imgsearch extract -q - -o i.npy <pics/city-01.jpg &&
	[ "$(tail -c 192 i.npy | cksum)" = "$(tail -c 384 f.npy | head -c 192 | cksum)" ]
result "a picture on standard input: the same feature" $?
imgsearch extract -q --raw pics/city-01.jpg -o raw.npy && ! cmp -s raw.npy i.npy
result "--raw" $?
set --
for i in 1 2 3 4 5 6 7 8 9; do set -- "$@" pics/*.jpg; done
imgsearch extract -q "$@" -o many.npy && [ "$(header many.npy 48 | grep -c '^1.000$')" = 72 ]
result "more than one block" $?
rm -f d.npy
check "a folder" 3 imgsearch extract pics/city-01.jpg pics -o d.npy <<'END'
! imgsearch: pics is a folder: name the pictures in it
END
[ ! -e d.npy ]
result "... and nothing is written" $?
cp pics/city-01.jpg mine.jpg && cp mine.jpg kept.jpg
check "the picture itself as the output" 3 imgsearch extract mine.jpg -o ./mine.jpg <<'END'
! imgsearch: ./mine.jpg: this command reads it; it is not overwritten
END
cmp mine.jpg kept.jpg
result "... it is as before" $?
check "a place that cannot be written" 3 imgsearch extract pics/city-01.jpg -o no/f.npy <<'END'
! imgsearch: no/f.npy: cannot write: No such file or directory
END
alone extract pics/city-01.jpg -o j.npy >.out 2>.err
[ $? = 3 ] && grep -q model .err && [ ! -e j.npy ]
result "no network: $(tidy <.err)" $?
for recipe in "--resize 40" "--resize 64 --crop 40" "--mean 0,0,0 --std 1,1,1" \
	"--interpolation bicubic" "--squash" "--crops 5" "--full-decode"; do
	imgsearch extract -q $recipe pics/city-01.jpg -o k.npy 2>.err
	result "$recipe" $? .err
	[ "$recipe" = --full-decode ] || ! cmp -s i.npy k.npy
	result "... makes a difference" $?
done
check "--squash, and a resize that is not the crop" 3 imgsearch extract --squash --resize 64 \
	--crop 40 pics/city-01.jpg -o k.npy <<'END'
! imgsearch: recipe: squash resizes to the crop, 40, not to the resize, 64
END
check "--crops that there are not" 3 imgsearch extract --crops 3 pics/city-01.jpg -o k.npy <<'END'
! imgsearch: recipe: crops is 3, neither 1 nor 5
END
check "--mean without --std" 2 imgsearch extract --mean 0,0,0 pics/city-01.jpg -o k.npy <<'END'
! imgsearch: extract: --mean and --std are given together or not at all (see: imgsearch help extract)
END

done_testing
