#!/bin/sh
# Libraries of formats: none is loaded, and no helper started, where no file of the kind is. Where
# one is missing or of another version, its files are left out and the run goes on; the next run
# that has it takes them in.
. "$(dirname "$0")/../cli/common.sh"
export IMGSEARCH_DB=$W/i.db
seeds=$TOP/tests/fuzz/seeds
names='libwebp\.so|libheif\.so|libjxl\.so|libtiff\.so'
in_index() { imgsearch list --paths --state indexed | sed "s|^$W/photos/||" | sort | tr '\n' ' '; }

# The loader writes a file for each process, with what it loads.
mkdir photos debug
for kind in jpeg png bmp gif; do cp "$seeds/$kind"/* photos; done
LD_DEBUG=files LD_DEBUG_OUTPUT=$W/debug/ld imgsearch index -q --formats +tiff photos
if ls debug/ld.* >/dev/null 2>&1; then
	[ "$(ls debug | wc -l)" = 1 ]
	result "no helper without a file of its format" $? debug/ld.*
	grep -E "$names" debug/ld.* >.out
	[ ! -s .out ]
	result "... and no library" $? .out
else
	echo "# this loader does not tell what it loads"
fi
before=$(in_index)

# One of each format, where its library is not there: a loader that meets these looks no further.
mkdir broken other
for library in libwebp.so.7 libheif.so.1 libtiff.so.6 libjxl.so.0.7 libjxl.so.0.11; do
	: >broken/$library
done
cp "$seeds"/webp/lossy-RGB.webp "$seeds"/heif/rgb.heic "$seeds"/heif/rgb.avif \
	"$seeds"/jxl/lossy-RGB.jxl "$seeds"/tiff/RGB.tif photos
left_out() { # FOLDER NAME: what a run says with the libraries of this folder, and what it has
	LD_LIBRARY_PATH=$W/$1 imgsearch index --formats +tiff photos >.out 2>.err
	[ $? = 0 ] && [ "$(grep -c 'which is missing (.*lib' .err)" = 5 ] &&
		[ "$(in_index)" = "$before" ]
	result "$2" $? .err
}
left_out broken "each format that is left out is said, with its package"
imgsearch failed --json >.out
[ "$(grep -c '"state": "unsupported"' .out)" = 5 ] && ! grep -q '"damaged"' .out
result "... and none is damaged" $? .out
if echo 'int nothing;' | ${CC:-cc} -shared -fPIC -x c - -o other/libwebp.so.7 2>.err; then
	for library in broken/*; do cp -n other/libwebp.so.7 "other/${library#*/}"; done
	left_out other "libraries of another version, which lack functions"
	rm other/*
	grep -o '"WebP[A-Za-z]*"' "$TOP/lib/codec/webp.c" | tr -d '"' | sort -u |
		sed 's/.*/int &(void);\nint &(void) { return 0; }/' |
		${CC:-cc} -shared -fPIC -x c - -o other/libwebp.so.7
	LD_LIBRARY_PATH=$W/other imgsearch index photos >.out 2>.err
	grep -q 'decoder of WebP cannot be started: it does not decode a sample' .err &&
		[ "$(imgsearch list --state damaged --paths | wc -l)" = 0 ]
	result "a library that does not decode is no fault of the file" $? .err
else
	echo "# no compiler"
fi
imgsearch index -q photos 2>.err
new=$(($(in_index | wc -w) - $(echo "$before" | wc -w)))
missing=$(imgsearch failed --json | grep -c 'which is missing')
[ $((new + missing)) = 5 ]
result "the next run takes in those whose library is there ($new)" $? .err
done_testing
