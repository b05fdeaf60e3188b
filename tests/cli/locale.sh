#!/bin/sh
# The command writes and reads decimal points, whatever the locale of the user.
. "$(dirname "$0")/common.sh"
mkdir -p "$W/locales"
if [ -z "$(LC_ALL=de_DE.UTF-8 locale -k LC_NUMERIC 2>/dev/null | grep 'decimal_point=","')" ]; then
	if ! localedef -i de_DE -f UTF-8 "$W/locales/de_DE.UTF-8" 2>"$W/.err"; then
		skip "a German user" "no de_DE.UTF-8, and localedef cannot make it"
		done_testing
		exit
	fi
	export LOCPATH="$W/locales"
fi
export LC_ALL=de_DE.UTF-8 IMGSEARCH_DB="$W/i.db"
[ "$(/usr/bin/printf %.1f 1,5 2>&1)" = 1,5 ]
result "the locale has a decimal comma" $?

draw pics 2
check "index" 0 imgsearch index -q pics </dev/null
imgsearch query --json --min-score 0.25 pics/city-01.jpg >out.json 2>err.txt
result "query --json" $? err.txt
grep -qE '"score": ?-?[01]\.[0-9]' out.json
result "scores have decimal points" $? out.json
! grep -qE '"score": ?-?[0-9]+,[0-9]' out.json
result "and no decimal commas" $? out.json
done_testing
