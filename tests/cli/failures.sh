#!/bin/sh
# What can go wrong around the command: indexes that are none, disks, readers that go away, signals,
# two at once.
. "$(dirname "$0")/common.sh"
draw pics 2
imgsearch index -q --db good.db pics

echo "this is a text, and not a database at all, however long it may be" >text.db
: >empty.db
head -c 5000 good.db >cut.db
cp good.db newer.db && printf '\377' | dd of=newer.db bs=1 seek=63 conv=notrunc 2>/dev/null
head -c 70000 /dev/zero >zero.db
mkdir folder.db
for db in text cut newer zero folder; do
	check "query of an index that is none: $db" 3 \
		imgsearch query --db $db.db pics/city-01.jpg <<'END'
-
END
	grep -q "$db.db" .err
	result "... names it: $(tidy <.err)" $?
	cp -r $db.db before
	check "index into it" 3 imgsearch index --db $db.db pics <<'END'
-
END
	[ -d before ] || cmp -s before $db.db
	result "... leaves it alone" $?
	rm -rf before
done
grep -q newer .err || imgsearch query --db newer.db x.jpg 2>&1 | grep -qi 'newer\|version'
result "a newer version is called so" $?
check "an index in a folder that is not there" 3 imgsearch index --db no/such/i.db pics <<'END'
-
END
grep -q 'no/such/i.db: ' .err
result "... names it: $(tidy <.err)" $?

check "index by a model that is none" 3 imgsearch index --db first.db --model nosuch pics <<'END'
! imgsearch: unknown network "nosuch" and no weights file of that name; `imgsearch model list` lists what there is
END
check "index of a folder that is not there" 3 imgsearch index --db first.db pics nowhere <<'END'
! imgsearch: nowhere: No such file or directory
END
check "index of an empty path" 2 imgsearch index --db first.db "" <<'END'
! imgsearch: index: a path is empty (see: imgsearch help index)
END
[ ! -e first.db ]
result "... and no index is left behind" $?
check "rm of an id that is none" 2 imgsearch rm --db good.db id:abc <<'END'
! imgsearch: rm: id:abc: not the id of a picture, such as id:7 (a file of that name: ./id:abc) (see: imgsearch help rm)
END

# Read-only. Root may write everywhere: then it is done as nobody.
if [ "$(id -u)" = 0 ]; then
	as() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
	command -v setpriv >/dev/null || as() { return 99; }
	chmod 755 "$W"
else
	as() { "$@"; }
fi
mkdir ro && cp good.db ro/i.db && chmod 444 ro/i.db && chmod 555 ro
as test -x "$B/imgsearch" && as test -r "$W/pics/city-01.jpg"
if [ $? = 0 ]; then
	as imgsearch query --db ro/i.db -k 1 --paths pics/city-01.jpg >.out 2>.err
	compare "query of a read-only index in a read-only folder" 0 $? <<'END'
W/pics/city-01.jpg
END
	as imgsearch index --db ro/i.db pics >.out 2>.err
	compare "index into it" 3 $? <<'END'
! imgsearch: index W/ro/i.db cannot be written: Permission denied
END
	mkdir pics/shut
	cp pics/city-01.jpg pics/shut
	chmod 000 pics/night-01.jpg pics/shut
	mkdir -m 777 out
	as imgsearch index --db out/i.db pics >.out 2>.err
	compare "an unreadable file and folder: status 4, the rest is done" 4 $? <<'END'
-
END
	as imgsearch failed --db out/i.db | sed "s|$W|W|" |
		grep -q '^unreadable	W/pics/night-01.jpg	..*'
	result "... and named" $?
	as imgsearch failed --db out/i.db | grep -q "pics/shut	"
	result "... the folder too" $?
	chmod 755 pics/shut
	chmod 644 pics/night-01.jpg
	rm -r pics/shut
else
	skip "read-only" "nobody cannot run the command here"
fi

if [ -w /dev/full ]; then
	imgsearch query --db good.db pics/city-01.jpg >/dev/full 2>.err; status=$?; : >.out
	compare "a full disk behind standard output" 3 $status <<'END'
! imgsearch: standard output: cannot write: No space left on device
END
	imgsearch list --db good.db --json >/dev/full 2>.err
	[ $? = 3 ]
	result "... also for list" $?
	imgsearch help --man >/dev/full 2>.err; status=$?
	compare "... of which only the beginning was tried" 3 $status <<'END'
! imgsearch: standard output: cannot write: No space left on device
END
fi
imgsearch list --db good.db >&- 2>.err
[ $? = 3 ]
result "a closed standard output" $?
(imgsearch list --db good.db 2>.err; echo $? >.status) | true
[ ! -s .err ]
result "a reader that went away: nothing is said" $?
(imgsearch query -q --db good.db pics/*.jpg 2>.err; echo $? >.status) | true
[ ! -s .err ]
result "... also between two results" $? .err
check "nothing to write: closed standard output is no matter" 0 \
	sh -c "imgsearch index -q --db good.db pics >&-" </dev/null

# Two at once: while one is in its network, the other is told; then the first one ends its work.
draw many 40
whole() { imgsearch index -q --db "$1" many && [ "$(imgsearch list --db "$1" | wc -l)" = 320 ]; }
stopped() { [ "$(sed 's/.*) \(.\).*/\1/' "/proc/$1/stat")" = T ]; }
FAKE_RUN=3 FAKE_SIGNAL=19 imgsearch index -q --db two.db many 2>.first & one=$!
tries=6000
until stopped $one || [ $tries = 0 ]; do tries=$((tries - 1)); sleep 0.01; done
stopped $one
result "an indexer is stopped in its network" $?
check "another one beside it is refused" 3 imgsearch index -q --db two.db many <<'END'
! imgsearch: index W/two.db: another program is writing to it; try again when it is done
END
kill -CONT $one
wait $one
result "the first one ends" $? .first
[ "$(imgsearch list --db two.db | wc -l)" = 320 ]
result "... and has indexed all" $?

# A full disk: a small one in a mount namespace of its own.
cat >full.sh <<'END'
mkdir disk && mount -t tmpfs -o size=600k none disk || exit 99
imgsearch index -q --db disk/i.db many
status=$?
[ $status = 99 ] && status=98
imgsearch info --db disk/i.db >/dev/null || echo "info fails"
exit $status
END
unshare -m sh full.sh >.out 2>.err; status=$?
if [ $status = 99 ] || ! [ -d disk ]; then
	skip "a full disk" "no mount namespaces here"
else
	[ $status = 3 ] && grep -q 'disk/i.db' .err
	result "a full disk: status 3 ($(tidy <.err | tr '\n' ' '))" $? .err
	! grep -q . .out
	result "... and the index still opens" $? .out
fi

# Interrupted in the network: what was done is kept, the status is 130.
FAKE_RUN=5 FAKE_SIGNAL=2 imgsearch index -q --db int.db many 2>.err; status=$?
[ $status = 130 ]
result "SIGINT: status 130 (got $status)" $? .err
done=$(imgsearch list --db int.db | wc -l)
[ "$done" -gt 0 ] && [ "$done" -lt 320 ]
result "... what was done is kept ($done of 320)" $?
whole int.db
result "... and the next run completes it" $?
rm -f kill.db*
bad=0
for run in 1 2 3 10 30 60; do
	FAKE_RUN=$run FAKE_SIGNAL=9 imgsearch index -q --db kill.db many 2>.err; status=$?
	[ $status = 137 ] || { bad=1; echo "# status $status, not 137"; }
	imgsearch info --db kill.db >.out 2>.err || { bad=1; sed 's/^/# /' .err; }
done
result "kill -9: the index opens" $bad
whole kill.db
result "... and the next run completes it" $?

# A network that is not there, or not the right one.
for data in "$W/xdg" ''; do
	XDG_DATA_HOME=$data alone index pics --db no.db --model resnet50 >.out 2>.err
	files='resnet50.safetensors, .pth or .pt'
	places="$W/nothing, $W/.alone, $W/.alone/imgsearch, $W/lib/imgsearch"
	grep -q "no $files is in $places, ${data:-$W/.local/share}/imgsearch/models" .err
	result "weights that are nowhere: each place is named (XDG_DATA_HOME '$data')" $? .err
done
alone index --db new.db pics >.out 2>.err
compare "no network at all" 3 $? <<'END'
-
END
grep -q 'model' .err
result "... says what to do: $(tidy <.err)" $?
check "an unknown network" 3 imgsearch index --db new.db --model resnet51 pics <<'END'
-
END
grep -q 'resnet51' .err
result "... is named: $(tidy <.err)" $?
check "weights that are not there" 3 \
	imgsearch index --db new.db --model resnet18 --weights none.pth pics <<'END'
-
END
grep -q 'none.pth: ' .err
result "... are named: $(tidy <.err)" $?
check "weights that are none" 3 \
	imgsearch index --db new.db --model resnet18 --weights pics/city-01.jpg pics <<'END'
-
END
grep -q 'city-01.jpg: ' .err
result "... are named: $(tidy <.err)" $?
cp -r "$IMGSEARCH_LIBDIR" lib
IMGSEARCH_LIBDIR=$W/lib FAKE_REFUSES=1 imgsearch index --db first.db pics >.out 2>.err
compare "a network that cannot be loaded" 3 $? <<'END'
! imgsearch: W/lib/default.safetensors: the network cannot be loaded: the weights belong to another network
END
IMGSEARCH_LIBDIR=$W/lib FAKE_REFUSES=silently imgsearch index --db first.db pics >.out 2>.err
compare "... and says nothing of it" 3 $? <<'END'
! imgsearch: W/lib/default.safetensors: the network cannot be loaded: libtorch does not say why
END
IMGSEARCH_LIBDIR=$W/lib imgsearch index --db first.db --device cuda:99 pics >.out 2>.err
compare "a device that is not there" 3 $? <<'END'
! imgsearch: W/lib/default.safetensors: the network cannot be loaded: device cuda:99: not there; choose another with --device
END
mkdir nothing && cp lib/default.* nothing
alone index --db first.db pics >.out 2>.err
grep -q 'no network can run: no imgsearch-shim.so in .*; build it with: make setup shim' .err
result "no shim: what to do is said" $? .err
check "weights without a card, for a network that is none" 3 \
	imgsearch index --db first.db --model nosuch --weights lib/imgsearch-shim.so pics <<'END'
! imgsearch: lib/imgsearch-shim.so: not a weights file: a program or a library
END
[ ! -e first.db ]
result "... and no index is left behind" $?
# An archive of two empty entries: the second one makes it TorchScript.
perl -e 'for my $name ("m/data.pkl", "m/constants.pkl") {
	my $entry = pack("Vv5V3v2", 0x04034b50, (0) x 8, length $name, 0) . $name;
	$end .= pack("Vv6V3v5V2", 0x02014b50, (0) x 9, length $name, (0) x 5, $at) . $name;
	$at += length $entry;
	print $entry;
}
print $end, pack("Vv4V2v", 0x06054b50, 0, 0, 2, 2, length $end, $at, 0);' >program.pth
check "a program where weights are expected" 3 \
	imgsearch index --db new.db --model resnet18 --weights program.pth pics <<'END'
! imgsearch: program.pth: a TorchScript program, whose code would run; one is read only from a name that ends in .pt, or as the model "script"; if you trust it: --model script --weights FILE, or a name in .pt
END
check "a query by another network than the index's" 3 imgsearch query --db good.db \
	--model resnet18 --weights none.pth many/city-30.jpg <<'END'
-
END
echo "# $(tidy <.err)"

done_testing
