# imgsearch: build, test, install. `make help` lists the targets.

PREFIX   ?= /usr/local
LIBDIR   ?= $(PREFIX)/lib
CC       ?= gcc
CXX      ?= g++
CFLAGS   ?= -O2 -g
CXXFLAGS ?= -O2 -g
SANITIZE ?=
LIBTORCH ?=
VERSION  := 0.1.0
SOVERSION := 0

comma := ,
B := build$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))
WARN := -Wall -Wextra -Wpedantic
SAN  := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
CPPFLAGS += -Iinclude -Ilib -Icli -I. -D_GNU_SOURCE
ALL_CFLAGS   = -std=c11 $(WARN) -Wvla -fPIC -fvisibility=hidden -pthread $(CFLAGS) $(SAN)
ALL_CXXFLAGS = -std=c++17 $(WARN) -fPIC -fvisibility=hidden -pthread $(CXXFLAGS) $(SAN)

LIB_SRC  := $(wildcard lib/*/*.c)
LIB_OBJ  := $(LIB_SRC:%.c=$(B)/%.o)
CLI_SRC  := $(wildcard cli/*.c cli/serve/*.c)
CLI_OBJ  := $(CLI_SRC:%.c=$(B)/%.o)
SHIM_SRC := $(wildcard shim/*.cc)
SHIM_OBJ := $(SHIM_SRC:%.cc=$(B)/%.o)
LIBS     := -ljpeg -lpng -lsqlite3 -ldl -lm -pthread
CLI_LIBS := -lmicrohttpd -ljansson -lchafa

# libtorch: LIBTORCH=DIR, or the system's.
ifneq ($(LIBTORCH),)
TORCH_INC := -isystem $(LIBTORCH)/include -isystem $(LIBTORCH)/include/torch/csrc/api/include
TORCH_LIB := -L$(LIBTORCH)/lib -Wl,-rpath,$(abspath $(LIBTORCH)/lib)
else
TORCH_INC := -isystem /usr/include/torch/csrc/api/include
TORCH_LIB :=
endif
HAVE_TORCH := $(wildcard $(or $(LIBTORCH:%=%/include/torch/script.h),/usr/include/torch/script.h))


# Tests: a C program for each tests/<room>/*.c (cmocka, TAP), and each tests/**/*.sh and *.py that is executable.
# Files named common*.c, fake_shim.c and fuzz_*.c are no tests by themselves.
TEST_SRC := $(filter-out %/fake_shim.c,$(wildcard tests/[a-z]*/test_*.c))
TEST_BIN := $(TEST_SRC:%.c=$(B)/%)
EXAMPLE_SRC := $(wildcard examples/*.c) $(wildcard examples/*.cpp)
EXAMPLE_BIN := $(patsubst %.cpp,$(B)/%,$(patsubst %.c,$(B)/%,$(EXAMPLE_SRC)))
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_BIN := $(FUZZ_SRC:%.c=build-fuzz/%)
MODEL_FILES := $(patsubst lib/model/%,$(B)/%,$(wildcard lib/model/default.*.safetensors lib/model/default.safetensors lib/model/default.json))

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all setup test bench demo fuzz install uninstall clean help lib shim cli examples

all: lib cli $(MODEL_FILES) $(B)/imgsearch.pc $(if $(HAVE_TORCH),shim,no-shim)
lib: $(B)/libimgsearch.a $(B)/libimgsearch.so
cli: $(B)/imgsearch
shim: $(B)/imgsearch-shim.so
examples: $(EXAMPLE_BIN)

.PHONY: no-shim
no-shim:
	@echo "libtorch was not found: built everything but the network (make setup, or LIBTORCH=DIR)" >&2

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(B)/shim/%.o: shim/%.cc
	@mkdir -p $(@D)
	$(CXX) $(CPPFLAGS) $(TORCH_INC) $(ALL_CXXFLAGS) -MMD -MP -c $< -o $@

$(B)/libimgsearch.a: $(LIB_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(B)/libimgsearch.so.$(SOVERSION): $(LIB_OBJ) lib/imgsearch.map
	$(CC) -shared $(ALL_CFLAGS) -Wl,-soname,libimgsearch.so.$(SOVERSION) -Wl,--version-script=lib/imgsearch.map \
		-Wl,-z,defs $(LDFLAGS) $(LIB_OBJ) -o $@ $(LIBS)

$(B)/libimgsearch.so: $(B)/libimgsearch.so.$(SOVERSION)
	ln -sf $(<F) $@

TORCH_CUDA := $(if $(wildcard $(LIBTORCH:%=%/lib/libtorch_cuda.so)),-Wl$(comma)--no-as-needed -ltorch_cuda -lc10_cuda -Wl$(comma)--as-needed)
$(B)/imgsearch-shim.so: $(SHIM_OBJ)
	$(CXX) -shared $(ALL_CXXFLAGS) $(LDFLAGS) $^ -o $@ $(TORCH_LIB) -ltorch -ltorch_cpu -lc10 $(TORCH_CUDA)

$(B)/imgsearch: $(CLI_OBJ) $(B)/libimgsearch.so
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) $(CLI_OBJ) -o $@ -L$(B) -limgsearch -Wl,-rpath,'$$ORIGIN:$$ORIGIN/../lib' $(CLI_LIBS) -lm -pthread

$(B)/default.%: lib/model/default.%
	cp $< $@

$(B)/imgsearch.pc: Makefile
	@mkdir -p $(@D)
	printf 'prefix=%s\nlibdir=%s\nincludedir=$${prefix}/include\n\nName: imgsearch\nDescription: search pictures by likeness\nVersion: %s\nLibs: -L$${libdir} -limgsearch\nLibs.private: %s\nCflags: -I$${includedir}\n' \
		'$(PREFIX)' '$(LIBDIR)' '$(VERSION)' '$(LIBS)' > $@

$(B)/tests/%: tests/%.c $(B)/libimgsearch.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -Itests $(ALL_CFLAGS) -MMD -MP $< -o $@ $(B)/libimgsearch.a -lcmocka $(LIBS)

# Tests without libtorch: IMGSEARCH_LIBDIR=$(B)/tests/lib has a fake shim and a default model for it.
FAKE := $(B)/tests/lib/imgsearch-shim.so $(patsubst %,$(B)/%,$(wildcard tests/lib/*.json tests/lib/*.safetensors))
.PHONY: fake
fake: $(FAKE)
$(B)/tests/lib/imgsearch-shim.so: tests/fake_shim.c shim/shim.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -shared $< -o $@
$(B)/tests/lib/%: tests/lib/%
	@mkdir -p $(@D)
	cp $< $@

$(B)/examples/%: examples/%.c $(B)/libimgsearch.so
	@mkdir -p $(@D)
	$(CC) -Iinclude -std=c11 $(WARN) $(CFLAGS) $(SAN) -MMD -MP $< -o $@ -L$(B) -limgsearch -Wl,-rpath,'$$ORIGIN/..' -pthread

$(B)/examples/%: examples/%.cpp $(B)/libimgsearch.so
	@mkdir -p $(@D)
	$(CXX) -Iinclude -std=c++17 $(WARN) $(CXXFLAGS) $(SAN) -MMD -MP $< -o $@ -L$(B) -limgsearch -Wl,-rpath,'$$ORIGIN/..' -pthread

build-fuzz/tests/fuzz/%: tests/fuzz/%.c $(LIB_SRC)
	@mkdir -p $(@D)
	clang-14 $(CPPFLAGS) -std=c11 -g -O1 -fsanitize=fuzzer,address,undefined $< $(LIB_SRC) -o $@ $(LIBS)

-include $(LIB_OBJ:.o=.d) $(CLI_OBJ:.o=.d) $(SHIM_OBJ:.o=.d) $(TEST_BIN:=.d) $(EXAMPLE_BIN:=.d)

clean:
	rm -rf build build-*
