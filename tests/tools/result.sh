# Read by test scripts: counts the tests and writes each in TAP. A script ends with done_testing,
# whose status, not 0 when a test failed, becomes that of the script.
tests=0 failed=0

result() { # NAME OK [file with what went wrong]
	tests=$((tests + 1))
	if [ "$2" = 0 ]; then
		echo "ok $tests - $1"
	else
		failed=$((failed + 1))
		echo "not ok $tests - $1"
		[ -z "$3" ] || sed 's/^/# /' "$3"
	fi
}

skip() { # NAME WHY
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

done_testing() {
	echo "1..$tests"
	[ $failed = 0 ]
}
