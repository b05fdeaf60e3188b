#!/bin/sh
# LIBTORCH=DIR: what the Makefile would do for an unpacked libtorch, for one of the old C++ ABI, and
# for one with CUDA. (Nothing is built: that takes minutes.)
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/result.sh
T=$(mktemp -d) && trap 'rm -rf "$T"' EXIT
mkdir -p "$T/include/torch" "$T/lib" "$T/share/cmake/Torch"
touch "$T/include/torch/script.h" "$T/lib/libc10.so"
would() { make -n V=1 LIBTORCH="$T" B="$T/build" CC=cc CXX=c++ "$T/build/imgsearch-shim.so" 2>&1; }

would >"$T/out"
grep -q -- "-isystem $T/include -isystem $T/include/torch/csrc/api/include .*-c shim/network.cc" \
	"$T/out"
result "its headers" $? "$T/out"
grep -q -- "-L$T/lib -Wl,-rpath,$T/lib -ltorch -ltorch_cpu -lc10" "$T/out"
result "its libraries, found at run time, too" $? "$T/out"
! grep -q -- '-ltorch_cuda\|CXX11_ABI' "$T/out"
result "no CUDA, the compiler's own ABI" $? "$T/out"
echo 'set(TORCH_CXX_FLAGS "-D_GLIBCXX_USE_CXX11_ABI=0")' >"$T/share/cmake/Torch/TorchConfig.cmake"
would >"$T/out"
grep -q -- '-D_GLIBCXX_USE_CXX11_ABI=0 .*-c shim/network.cc' "$T/out"
result "the ABI it was built with" $? "$T/out"
touch "$T/lib/libtorch_cuda.so"
would >"$T/out"
grep -q -- '-Wl,--no-as-needed -ltorch_cuda -lc10_cuda' "$T/out"
result "CUDA is linked where it is there" $? "$T/out"
done_testing
