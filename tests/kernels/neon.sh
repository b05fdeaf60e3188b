#!/bin/sh
# The tests of kernels on 64-bit Arm: cross-compiled and run by qemu-user where both are installed.
cd "$(dirname "$0")/../.." || exit 1
cc=aarch64-linux-gnu-gcc
flags="-std=c11 -D_GNU_SOURCE -O2 -static -pthread"
flags="$flags -Itests/kernels/cross -Itests -Iinclude -Ilib"
run=$(command -v qemu-aarch64 || command -v qemu-aarch64-static)
set -- tests/kernels/test_*.c
echo "1..$(($# * 2))"
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0
for test; do
	name=$(basename "$test" .c)
	for level in neon scalar; do
		n=$((n + 1))
		if ! command -v $cc > /dev/null || [ -z "$run" ]; then
			echo "ok $n - $name, $level # SKIP no aarch64-linux-gnu-gcc or no qemu-aarch64"
		elif $cc $flags "$test" lib/kernels/*.c lib/base/alloc.c lib/base/hash.c -lm \
			-o "$dir/$name" 2> "$dir/log" &&
			IMGSEARCH_KERNELS=$level "$run" "$dir/$name" 2>> "$dir/log"; then
			echo "ok $n - $name, $level"
		else
			echo "not ok $n - $name, $level"
			sed 's/^/# /' "$dir/log"
		fi
	done
done
