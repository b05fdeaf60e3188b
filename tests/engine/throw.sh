#!/bin/sh
# What unwinds the stack out of a callback aborts the process with a sentence, at once: a C++
# exception, caught by the caller or not, and the end of the thread.
. "$(dirname "$0")/../cli/common.sh"
${CXX:-g++} -std=c++17 -I"$TOP/include" "$TOP/tests/engine/throw.cc" -o "$W/throw" \
	-L"$B" -limgsearch -Wl,-rpath,"$B" -pthread ${SANITIZE:+-fsanitize=$SANITIZE} 2>.err ||
	{
		result "the program is built" 1 .err
		done_testing
		exit 1
	}
draw pics 1
imgsearch index -q --db damaged.db pics && sqlite3 damaged.db \
	"DELETE FROM vector WHERE id = (SELECT min(id) FROM vector)" 2>.err || skip_problem=1
echo text >no.png
export XDG_DATA_HOME="$W/data"
imgsearch model add -q --name pets --network resnet18 "$B/tests/lib/default.safetensors" 2>.err
result "a model is added" $? .err

aborts() { # KIND HOW SENTENCE
	ulimit -c 0
	(timeout 5 "$W/throw" "$1" "$2" >.out 2>.err) 2>/dev/null
	[ $? = 134 ] && grep -qx "imgsearch: $3; the process is aborted" .err && [ ! -s .out ]
	result "$1, $2" $? .err
}
for kind in progress log filter filter-of-a-batch item model problem vectors export verify; do
	if [ $kind = problem ] && [ -n "$skip_problem" ]; then
		skip "$kind" "sqlite3 is missing"
		continue
	fi
	aborts $kind caught 'an exception left a callback'
	aborts $kind uncaught 'an exception left a callback'
done
aborts filter ends 'a callback ended its thread inside a call'
aborts progress ends 'a callback ended its thread inside a call'
aborts vectors cancelled 'a callback ended its thread inside a call'
done_testing
