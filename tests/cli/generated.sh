#!/bin/sh
# What is written from the tables of options: man pages and completions are those that are kept
# (make golden), are well formed, and complete what they should; docs and README name no option that
# no table has.
. "$(dirname "$0")/common.sh"
G=$TOP/tests/cli/golden

mkdir pages
imgsearch help --man-pages pages 2>.err && diff -ru "$G/man" pages >.diff
result "the man pages are the kept ones (else: make golden)" $? .diff
imgsearch help --man query >.out && diff -u pages/imgsearch-query.1 .out >.diff &&
	imgsearch help --man >.out && diff -u pages/imgsearch.1 .out >.diff
result "one of them" $? .diff
imgsearch help --man-pages none 2>.err
[ $? = 3 ] && grep -q 'none/imgsearch.1: cannot be written' .err
result "no folder for them" $? .err
cat pages/*.1 >man
for shell in bash zsh fish; do
	imgsearch complete $shell >$shell 2>.err && diff -u "$G/completion.$shell" $shell >.diff
	result "so is the completion for $shell" $? .diff
done
if command -v man >/dev/null; then
	for page in pages/*.1; do
		MANWIDTH=80 man --warnings -l "$page" 2>>.lint | grep -q 'EXIT STATUS' ||
			echo "$page" >>.lint
	done
	[ ! -s .lint ]
	result "man reads each page without a warning" $? .lint
else
	skip "man" "man is not installed"
fi
if command -v mandoc >/dev/null; then
	mandoc -Tlint pages/*.1 >.lint 2>&1
	[ ! -s .lint ]
	result "mandoc finds nothing" $? .lint
else
	skip "mandoc" "mandoc is not installed"
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
