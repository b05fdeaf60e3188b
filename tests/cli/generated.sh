#!/bin/sh
# What is written from the tables of options: man page and completions are those that are kept (make
# golden), are well formed, and complete what they should; docs and README name no option that no
# table has.
. "$(dirname "$0")/common.sh"
G=$TOP/tests/cli/golden

imgsearch help --man >man 2>.err && diff -u "$G/imgsearch.1" man >.diff
result "the man page is the kept one (else: make golden)" $? .diff
for shell in bash zsh fish; do
	imgsearch complete $shell >$shell 2>.err && diff -u "$G/completion.$shell" $shell >.diff
	result "so is the completion for $shell" $? .diff
done
if command -v man >/dev/null; then
	MANWIDTH=80 man --warnings -l man >.out 2>.err
	[ ! -s .err ] && grep -q 'EXIT STATUS' .out
	result "man reads the page without a warning" $? .err
else
	skip "man" "man is not installed"
fi
for shell in bash zsh fish; do
	if command -v $shell >/dev/null; then
		$shell -n $shell 2>.err
		result "$shell takes its completion" $? .err
	else
		skip "$shell takes its completion" "$shell is not installed"
	fi
done

complete() { # WORDS... what bash would offer for the last one
	bash -c '
		. "$1"
		shift
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		_imgsearch
		printf "%s\n" "${COMPREPLY[@]}"
	' - ./bash imgsearch "$@" | tr '\n' ' '
}
if command -v bash >/dev/null; then
	touch picture.jpg 'two words.jpg'
	[ "$(complete query two)" = "two words.jpg " ]
	result "bash: a file with a space" $?
	[ "$(complete que)" = "query " ]
	result "bash: a command" $?
	[ "$(complete root "")" = "mv " ]
	result "bash: the second word" $?
	[ "$(complete query --searcher g)" = "graph " ]
	result "bash: a choice" $?
	[ "$(complete query -s k)" = "kdtree " ]
	result "bash: a choice of a letter" $?
	[ "$(complete query --no-sel)" = "--no-self " ]
	result "bash: an option" $?
	[ "$(complete query pict)" = "picture.jpg " ]
	result "bash: a file" $?
	[ "$(complete complete f)" = "fish " ]
	result "bash: a word" $?
	[ "$(complete query -k 5)" = " " ]
	result "bash: nothing for a number" $?
fi

# Every --option of docs and README, wherever it stands behind the word imgsearch or in an option
# list of ours.
{
	grep -o -e '--[a-z][a-z0-9-]*' man
	sed -n 's/\\-/-/g; s/.*\\fB--\([a-z0-9-]*\)\\fR.*/--\1/p' man
	imgsearch help | grep -o -e '--[a-z-]*'
} | sort -u >known
sed 's/\\-/-/g' man | grep -o -e '--[a-z][a-z0-9-]*' | sort -u >>known
bad=0 looked=0
for page in "$TOP"/README.md "$TOP"/docs/*.md; do
	for option in $(grep -e imgsearch "$page" | sed 's/.*imgsearch//' |
		grep -o -e '[ `[]--[a-z][a-z0-9-]*' | sed 's/^.//' | sort -u); do
		looked=$((looked + 1))
		grep -qx -e "$option" known || { echo "# ${page##*/}: no command has $option"; bad=1; }
	done
done
[ $looked -gt 10 ] && [ $bad = 0 ]
result "docs and README name no option that no table has ($looked named)" $?

done_testing
