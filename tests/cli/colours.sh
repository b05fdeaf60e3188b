#!/bin/sh
# Colour profiles where Little CMS is absent: they are ignored, which is said; rows that were made
# with it stay; those made without it are made anew once it is there. Damaged profiles are said.
. "$(dirname "$0")/common.sh"
export IMGSEARCH_DB=$W/i.db
mkdir p broken
: >broken/liblcms2.so.2

# Pictures of 64 x 64 pixels: plain, of linear light, of sRGB by numbers, with a damaged profile.
python3 - <<'END'
import struct
import zlib


def chunk(kind, data):
    crc = zlib.crc32(kind + data)
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', crc)


def write(name, extra, step):
    rows = b''.join(b'\0' + bytes((x * 3 + y * step) % 256 for x in range(192)) for y in range(64))
    head = chunk(b'IHDR', struct.pack('>IIBBBBB', 64, 64, 8, 2, 0, 0, 0))
    with open(name, 'wb') as f:
        f.write(b'\x89PNG\r\n\x1a\n' + head + extra)
        f.write(chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))


gamma = lambda g: chunk(b'gAMA', struct.pack('>I', g))
write('p/plain.png', b'', 1)
write('p/linear.png', gamma(100000), 2)
write('p/srgb.png', gamma(45455), 3)
write('new.png', gamma(100000), 5)
write('bad.png', chunk(b'iCCP', b'name\0\0' + zlib.compress(bytes(500))), 7)
END
without() { LD_LIBRARY_PATH=$W/broken "$@"; } # a loader that meets it looks no further
vectors() { imgsearch vectors export -q v.npy && cksum <v.npy; }
colours() { imgsearch info | grep '^colours\|^unconverted'; }

imgsearch index -q p
if colours >/dev/null; then
	skip "colours without Little CMS" "Little CMS is not there"
	done_testing
	exit
fi
vectors >with
check "without Little CMS its rows stay" 0 without imgsearch index <<'END'
! imgsearch: 3 paths seen: 3 indexed; 3 unchanged (T s)
END
without imgsearch info | grep ^colours >.out; : >.err
compare "... info says that profiles are ignored" 0 0 <<'END'
colours      profiles are ignored: Little CMS is absent (liblcms2-2)
END
cp new.png bad.png p
check "a run says of how many" 0 without imgsearch index <<'END'
! imgsearch: warning: pictures taken without their colour profiles, since Little CMS is absent (liblcms2-2): 2
! imgsearch: 5 paths seen: 5 indexed; 2 new, 3 unchanged (T s)
END
colours >.out; : >.err
compare "info counts them" 0 0 <<'END'
unconverted  2 pictures: the colour profile was ignored; imgsearch index reads them again
END
vectors >before
check "with it they are made anew; a damaged profile is said" 0 imgsearch index <<'END'
! imgsearch: warning: pictures decoded anew, since this version may make other pixels of them: 2; colours are converted to sRGB
! imgsearch: warning: pictures taken as they are, since their colour profile is damaged or for other pixels: 1, first W/p/bad.png
! imgsearch: 5 paths seen: 5 indexed; 5 unchanged, 2 decoded anew (T s)
END
vectors >after
! cmp -s before after; result "... with other features" $?
colours >.out; : >.err
compare "... once" 0 0 <<'END'
END
check "then nothing is due" 0 imgsearch index <<'END'
! imgsearch: 5 paths seen: 5 indexed; 5 unchanged (T s)
END
imgsearch rm -q p/new.png p/bad.png >.out; vectors >again
cmp -s with again; result "the rows of before are as they were" $?
done_testing
