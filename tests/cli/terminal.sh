#!/bin/sh
# On a terminal: a bar that comes and goes, names that cannot harm the screen. `script` plays the
# terminal.
. "$(dirname "$0")/common.sh"
if ! script -qec true /dev/null >/dev/null 2>&1; then
	echo "1..0 # SKIP script (of util-linux) is not here"
	exit 0
fi
terminal() { # COMMAND: what a terminal shows
	script -qec "$1" /dev/null </dev/null | tr -d '\r'
}
esc=$(printf '\033')
draw pics 12
cp pics/city-01.jpg "pics/a${esc}[31mred.jpg"

TERM=xterm terminal "imgsearch index --db a.db pics" >.out
grep -q "index  [0-9]*/[0-9]*.*=" .out
result "a bar" $?
grep -q "$esc\[32m" .out
result "... in colour" $?
grep -q "[0-9] %" .out
result "... with a share" $?
NO_COLOR=1 TERM=xterm terminal "imgsearch index --db b.db pics" >.out
! grep -q "$esc\[3" .out && grep -q "index  [0-9]*/" .out
result "NO_COLOR: a bar without" $?
TERM=dumb terminal "imgsearch index --db c.db pics" >.out
! grep -q "$esc" .out && grep -q "paths seen" .out
result "TERM=dumb: no bar" $?
TERM=xterm terminal "imgsearch index -q --db d.db pics" >.out
[ ! -s .out ]
result "-q: nothing" $? .out
imgsearch index --db e.db pics >.out 2>.err
[ "$(wc -l <.err)" -le 1 ]
result "no terminal: no bar" $? .err
TERM=xterm terminal "imgsearch list --paths --db a.db" >.out
! grep -q "$esc" .out && grep -q 'a\\x1b\[31mred.jpg' .out
result "control characters in names are escaped" $?
imgsearch list --paths --db a.db | grep -q "a$esc\[31mred.jpg"
result "... but not in a pipe" $?

TERM=xterm-256color terminal "imgsearch query --preview -k 1 --db a.db pics/city-02.jpg" >.out
grep -q "$esc\[38;" .out && grep -q "city-02.jpg" .out
result "--preview: blocks in colour" $? .out
TERM=foot terminal "imgsearch query --preview -k 1 --db a.db pics/city-02.jpg" >.out
LC_ALL=C grep -q "${esc}P.*q" .out
result "... sixels where they are known" $?
TERM=dumb terminal "imgsearch query --preview -k 1 --db a.db pics/city-02.jpg" >.out
! grep -q "$esc" .out && grep -q "needs a terminal" .out
result "... not on a terminal that shows none" $? .out
check "... not in a pipe" 2 imgsearch query --preview --db a.db pics/city-01.jpg <<'END'
! imgsearch: query: --preview needs a terminal that can show pictures (see: imgsearch help query)
END

done_testing
