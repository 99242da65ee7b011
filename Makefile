# Everything, out of tree into build/. `make help` lists the targets.
# Variants: release (default), asan, tsan: each in build/<variant>/; the release programs also stand in build/bin and build/libexec.

VARIANT ?= release
CC ?= gcc
B := build/$(VARIANT)
NODE := $(if $(wildcard build/node/bin/node),build/node/bin,)
PATH := $(if $(NODE),$(CURDIR)/$(NODE):)$(PATH)
export PATH

WARN := -Wall -Wextra -Wconversion -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Werror
VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
BASE := -std=c17 -D_GNU_SOURCE -g -I. -pthread $(WARN) -isystem /usr/include/libxml2 -isystem /usr/include/freetype2
OPT_release := -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
LINK_release := -pie -Wl,-z,relro,-z,now
OPT_asan := -O1 -Wno-format-truncation -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LINK_asan := -fsanitize=address,undefined
OPT_tsan := -O1 -Wno-format-truncation -fsanitize=thread -fno-omit-frame-pointer
LINK_tsan := -fsanitize=thread
CFLAGS := $(BASE) $(OPT_$(VARIANT))
LDFLAGS := -pthread $(LINK_$(VARIANT))

LIBS := -lsodium -ljansson -lsqlite3 -lcivetweb -lseccomp -lm -ldl
LIBS_parser := -lxml2 -lsodium -lseccomp
LIBS_caller := -lcurl -lsodium -lseccomp -ljansson
LIBS_imaging := -lmupdf -lmupdf-third -lmujs -lgumbo -lharfbuzz -lfreetype -ljpeg -lopenjp2 -ljbig2dec -lz -lm -lsodium -lseccomp

src = $(wildcard $(addsuffix /*.c,$(1)))
obj = $(patsubst %.c,$(B)/obj/%.o,$(1))

COMMON := $(call src,common)
FERRYLIB := $(call src,ferry/lib)
FERRY := $(call src,ferry)
INTERNET := $(call src,internet-side internet-side/domain internet-side/store internet-side/service internet-side/web)
INTRANET := $(call src,intranet-side intranet-side/domain intranet-side/store intranet-side/service intranet-side/web)
PARSER := $(call src,common/parser)
CALLER := $(call src,common/caller)
IMAGING := $(call src,intranet-side/imaging)
SUITE2 := $(call src,common/suite2)
UNIT := $(call src,tests/unit)
DRIVER := $(call src,tests/integration)
FUZZ := $(call src,tests/fuzz)
BENCH := $(call src,tests/bench)
FAULTS := $(if $(wildcard tests/faults/shim.c),$(B)/tests/fault_shim.so $(B)/tests/fault_peer)

BIN := $(if $(FERRY),ferry) $(if $(filter internet-side/main.c,$(INTERNET)),internet-side) $(if $(filter intranet-side/main.c,$(INTRANET)),intranet-side)
LIBEXEC := $(if $(PARSER),parser) $(if $(CALLER),caller) $(if $(IMAGING),imaging) $(if $(SUITE2),suite2.so)
PROGRAMS := $(addprefix $(B)/bin/,$(BIN)) $(addprefix $(B)/libexec/,$(LIBEXEC))
UNIT_BIN := $(patsubst tests/unit/%.c,$(B)/tests/%,$(filter tests/unit/test_%,$(UNIT)))
DRIVER_BIN := $(patsubst tests/integration/%.c,$(B)/tests/%,$(DRIVER))
FUZZ_REPLAY := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(FUZZ))
BENCH_BIN := $(patsubst tests/bench/%.c,$(B)/bench/%,$(BENCH))

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all programs tests web check asan tsan lint fuzz bench bench-ferry long faults chaos install clean help

all: programs web                ## programs and web apps
ifeq ($(VARIANT),release)
programs: $(PROGRAMS) $(addprefix build/bin/,$(BIN)) $(addprefix build/libexec/,$(LIBEXEC))
build/bin/%: $(B)/bin/% ; @mkdir -p $(@D) && ln -f $< $@
build/libexec/%: $(B)/libexec/% ; @mkdir -p $(@D) && ln -f $< $@
else
programs: $(PROGRAMS)
endif
tests: $(UNIT_BIN) $(DRIVER_BIN) $(FUZZ_REPLAY) $(FAULTS) $(B)/bench/ferry_seal $(B)/bench/ferry_end

$(B)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo CC $< && $(CC) $(CFLAGS) $(if $(filter %main.c,$<),-DVERSION='"$(VERSION)"') -MMD -MP -c $< -o $@

$(B)/libcommon.a: $(call obj,$(COMMON))
$(B)/libferry.a: $(call obj,$(FERRYLIB))
$(B)/libinternet.a: $(call obj,$(filter-out internet-side/main.c,$(INTERNET)))
$(B)/libintranet.a: $(call obj,$(filter-out intranet-side/main.c,$(INTRANET)))
$(B)/lib%.a:
	@mkdir -p $(@D) && rm -f $@
	@ar rcs $@ $^

link = @mkdir -p $(@D) && echo LINK $@ && $(CC) $(LDFLAGS) -o $@

$(B)/bin/ferry: $(call obj,$(FERRY)) $(B)/libferry.a $(B)/libcommon.a
	$(link) $^ $(LIBS)
$(B)/bin/internet-side: $(call obj,internet-side/main.c) $(B)/libinternet.a $(B)/libferry.a $(B)/libcommon.a
	$(link) $^ $(LIBS)
$(B)/bin/intranet-side: $(call obj,intranet-side/main.c) $(B)/libintranet.a $(B)/libferry.a $(B)/libcommon.a
	$(link) $^ $(LIBS)
$(B)/libexec/parser: $(call obj,$(PARSER)) $(B)/libcommon.a
	$(link) $^ $(LIBS_parser)
$(B)/libexec/caller: $(call obj,$(CALLER)) $(B)/libcommon.a
	$(link) $^ $(LIBS_caller)
$(B)/libexec/imaging: $(call obj,$(IMAGING)) $(B)/libcommon.a
	$(link) $^ $(LIBS_imaging)

# The module of suite 2: alone with its libcrypto, loaded when the first key of that suite is.
$(B)/pic/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo CC $< && $(CC) $(filter-out -fPIE,$(CFLAGS)) -fPIC -fvisibility=hidden -MMD -MP -c $< -o $@
$(B)/libexec/suite2.so: $(patsubst %.c,$(B)/pic/%.o,$(SUITE2) common/err.c)
	@mkdir -p $(@D) && echo LINK $@ && $(CC) -shared $(filter-out -pie,$(LDFLAGS)) -Wl,-z,nodelete -o $@ $^ -lcrypto

# Tests find the tree and their own variant's programs wherever they are started.
$(B)/obj/tests/%.o: CFLAGS += -DSOURCE_DIR='"$(CURDIR)"' -DBUILD_DIR='"$(CURDIR)/$(B)"'

# Unit tests: shared helpers are tests/unit/*.c that are not test_*.c.
UNIT_HELP := $(call obj,$(filter-out tests/unit/test_%,$(UNIT)))
$(B)/tests/test_internet_%: $(B)/obj/tests/unit/test_internet_%.o $(UNIT_HELP) $(B)/libinternet.a $(B)/libferry.a $(B)/libcommon.a
	$(link) $^ -lcmocka $(LIBS)
$(B)/tests/test_intranet_%: $(B)/obj/tests/unit/test_intranet_%.o $(UNIT_HELP) $(B)/libintranet.a $(B)/libferry.a $(B)/libcommon.a
	$(link) $^ -lcmocka $(LIBS)
# The module's own functions, with their nonces: the test includes its files.
$(B)/tests/test_suite2: $(B)/obj/tests/unit/test_suite2.o $(UNIT_HELP) $(B)/libferry.a $(B)/libcommon.a
	$(link) $^ -lcmocka $(LIBS) -lcrypto
$(B)/tests/test_%: $(B)/obj/tests/unit/test_%.o $(UNIT_HELP) $(B)/libferry.a $(B)/libcommon.a
	$(link) $^ -lcmocka $(LIBS)
$(B)/tests/import_%: $(B)/obj/tests/integration/import_%.o $(B)/libintranet.a $(B)/libferry.a $(B)/libcommon.a
	$(link) $^ $(LIBS)
$(B)/tests/%: $(B)/obj/tests/integration/%.o $(B)/libferry.a $(B)/libcommon.a
	$(link) $^ $(LIBS)
$(B)/tests/fault_peer: $(B)/obj/tests/faults/fault_peer.o $(B)/libferry.a $(B)/libcommon.a
	$(link) $^ $(LIBS)
# Preloaded into the real programs; makes its calls by number, so no fortified wrappers and no sanitizer.
$(B)/tests/fault_shim.so: tests/faults/shim.c Makefile
	@mkdir -p $(@D) && echo LINK $@ && $(CC) $(BASE) -Wno-missing-prototypes -O2 -fPIC -fno-builtin -shared -o $@ $< -ldl
$(B)/bench/%: $(B)/obj/tests/bench/%.o $(B)/libferry.a $(B)/libcommon.a
	$(link) $^ $(LIBS)
# A fuzz entry replays its corpus under gcc; under clang (make fuzz) libFuzzer drives it.
$(B)/fuzz/fuzz_internet_%: $(B)/obj/tests/fuzz/fuzz_internet_%.o $(B)/libinternet.a $(B)/libferry.a $(B)/libcommon.a
	$(link) $^ $(LIBS) -lxml2
$(B)/fuzz/fuzz_intranet_%: $(B)/obj/tests/fuzz/fuzz_intranet_%.o $(B)/libintranet.a $(B)/libferry.a $(B)/libcommon.a
	$(link) $^ $(LIBS) -lxml2
$(B)/fuzz/%: $(B)/obj/tests/fuzz/%.o $(B)/libferry.a $(B)/libcommon.a
	$(link) $^ $(LIBS) -lxml2
$(B)/obj/tests/fuzz/%.o: CFLAGS += -DREPLAY

# Web apps: each built when one of its sources, a shared one or the lock file changed.
WEB_SHARED := $(wildcard common/web/* package.json package-lock.json)
web_src = $(shell find $(1) -type f -not -path '*/node_modules/*' -not -path '*/mock/*' 2>/dev/null)
WEB := $(if $(wildcard package.json),$(if $(wildcard internet-side/web-app/package.json),build/web/citizen/.built) $(if $(wildcard intranet-side/web-app/package.json),build/web/officer/.built))
web: $(WEB)                      ## the two web apps into build/web
# The server hands out x.gz beside x to browsers that take it.
smaller = find $(1) -type f \( -name '*.js' -o -name '*.css' -o -name '*.html' -o -name '*.svg' -o -name '*.json' \) -exec gzip -9knf {} +
node_modules/.installed: package-lock.json $(wildcard */web-app/package.json tests/browser/package.json)
	npm ci --no-audit --no-fund --loglevel=error && touch $@
build/web/citizen/.built: node_modules/.installed $(WEB_SHARED) $(call web_src,internet-side/web-app)
	npm run --silent build -w internet-side/web-app && $(call smaller,$(@D)) && touch $@
build/web/officer/.built: node_modules/.installed $(WEB_SHARED) $(call web_src,intranet-side/web-app)
	npm run --silent build -w intranet-side/web-app && $(call smaller,$(@D)) && touch $@

check: programs tests            ## unit tests and corpus replay of this variant; last line: N passed, N failed
	@VARIANT=$(VARIANT) tests/run unit fuzz
asan:                            ## check under address and undefined sanitizers, in build/asan
	@$(MAKE) --no-print-directory check VARIANT=asan
tsan:                            ## check under the thread sanitizer, in build/tsan
	@$(MAKE) --no-print-directory check VARIANT=tsan
lint:                            ## direction of includes, forbidden calls, formatted SQL: file, line, remedy
	@tests/lint
fuzz:                            ## each fuzzer for FUZZ_S seconds (default 60), or FUZZ_RUNS executions, with clang and libFuzzer
	@tests/fuzz/run $(or $(FUZZ_S),60)
bench: all $(BENCH_BIN)          ## our figures beside the machine's limit in the same run
	@tests/bench/run
bench-ferry: programs $(B)/bench/ferry_seal $(B)/bench/ferry_end   ## sealing and opening of 200 MB beside their parts and beside gpg, openssl cms, xmlsec1, age, cp; then the crossing: idle, with 1 GB before it, 100,000 records, one file in five lost
	@PATH=$(CURDIR)/build/node/bin:$$PATH; node tests/bench/ferry/run.mjs && node tests/bench/ferry/crossing.mjs
long: all tests                  ## end to end, browser, fault and model tests at full length
	@HZ_LONG=1 tests/run integration browser chaos model
faults: all tests                ## every call made to fail or to be the last one, and 500 kills under load; FAULTS_ONLY='role class' narrows it
	@HZ_LONG=1 tests/run faults
chaos: all tests                 ## a storm over both services: CHAOS_N applications (10000), CHAOS_SEED repeats one
	@node --no-warnings tests/chaos/storm.mjs
install: all                     ## DESTDIR=… PREFIX=/usr
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/huzheng $(DESTDIR)$(PREFIX)/share/huzheng
	install -m 755 $(addprefix build/bin/,$(BIN)) $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(addprefix build/libexec/,$(LIBEXEC)) $(DESTDIR)$(PREFIX)/lib/huzheng
	install -m 755 ops/monitoring/watch $(DESTDIR)$(PREFIX)/lib/huzheng
	cp -r schemas build/web $(DESTDIR)$(PREFIX)/share/huzheng
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/share/huzheng/monitoring
	install -m 644 $(wildcard ops/systemd/*.service ops/systemd/*.timer) $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m 644 ops/monitoring/huzheng.rules.yml $(DESTDIR)$(PREFIX)/share/huzheng/monitoring
PREFIX ?= /usr
clean:                           ## remove what was built; keeps build/node
	rm -rf build/release build/asan build/tsan build/bin build/libexec build/web build/clang
help:                            ## this list
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

-include $(shell find $(B)/obj $(B)/pic -name '*.d' 2>/dev/null)

model:                           ## the delivery protocol searched by spin
	@tests/run model
.PHONY: model
