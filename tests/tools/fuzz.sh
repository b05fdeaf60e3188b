#!/bin/sh
# usage: [FUZZ_ARGS=...] fuzz.sh SECONDS PROGRAM...
#
# Runs each fuzz target for so long, starting from tests/fuzz/seeds/<what> and
# build-fuzz/corpus/<what>; what crashes is kept in build-fuzz/crash-<what>-*. Exit status 1 when
# one did. FUZZ_ARGS="-seed=1 -runs=N" makes a run that can be repeated.
seconds=$1
shift
status=0
for program; do
	what=${program##*/fuzz_}
	seeds=tests/fuzz/seeds/$what
	corpus=build-fuzz/corpus/$what
	mkdir -p "$corpus"
	[ -d "$seeds" ] || seeds=
	if "$program" -max_total_time="$seconds" $FUZZ_ARGS -timeout=10 -rss_limit_mb=2560 \
		-max_len=65536 -print_final_stats=0 -verbosity=0 \
		-artifact_prefix="build-fuzz/crash-$what-" "$corpus" $seeds \
		>"build-fuzz/$what.log" 2>&1; then
		echo "fuzz $what: no failure"
	else
		echo "fuzz $what: FAILED, see build-fuzz/$what.log"
		tail -n 40 "build-fuzz/$what.log"
		status=1
	fi
done
exit $status
