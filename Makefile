# hotpatch: build, test, install. Needs GNU make.
#
#   make                         the three products, usable from build/
#   make demo                    sets up, builds, patches a live process before your eyes
#   make check [SAN=...] [CC=clang]   sets up, builds, runs every test (TEST_ONLY="NAME...": these alone;
#                                TEST_LISTEN=start: hosts make the threads before main, see scripts/run-tests)
#   make foreign                 CPython's, stress-ng's, perl's and busybox's own tests, with an idle shim and without
#                                (half an hour; FOREIGN_ONLY="perl..."; HOTPATCH_LISTEN=start: with threads)
#   make fresh                   demo, check, bench and real, each in a bare Debian 12 (needs root)
#   make install [DESTDIR=] [PREFIX=/usr/local]
#
# Every compiler and sanitizer has a build directory of its own: build/, build/clang/,
# build/address-undefined/, build/thread/. New .c files in the source directories are found.

VERSION := $(shell sed -n 's/^.define HOTPATCH_VERSION "\(.*\)"/\1/p' include/hotpatch.h)
PREFIX := /usr/local
DESTDIR :=
SAN :=
ifeq ($(origin CC),default)
CC := gcc
endif
CXX := g++

comma := ,
empty :=
space := $(empty) $(empty)
VARIANT := $(strip $(filter-out gcc,$(notdir $(CC))) $(subst $(comma),-,$(SAN)))
BUILD := build$(addprefix /,$(subst $(space),-,$(VARIANT)))

CFLAGS ?= -O2 -g
SAN_FLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
INCLUDES := -Iinclude -iquote .
PARTS_FLAGS = -std=gnu11 -D_GNU_SOURCE -fPIC -fvisibility=hidden \
	-pthread $(WARNINGS) $(INCLUDES) -MMD -MP $(SAN_FLAGS) $(CFLAGS)
# gcc warns of what cannot be when it compiles for a sanitizer (see -fsanitize in its manual).
PARTS_FLAGS += $(if $(SAN),-Wno-error)
# A sanitizer's runtime is found at run time, so only plain builds can insist on -z defs.
SHARED_FLAGS := -shared -Wl,-z,now,--as-needed $(if $(SAN),,-Wl,-z,defs)

preload_sources := $(wildcard preload/*.c preload/*/*.c) $(addprefix base/,cfi.c cfi_expression.c cfi_reader.c clock.c \
	refusal.c json.c linker_error.c maker.c proc_text.c request.c sys.c sys_wait.c unwind.c utf8.c wall_time.c)
engine_sources := $(wildcard loader/*.c loader/*/*.c arch/*/*.c arch/*/*.S elf/*.c resolve/*.c) $(addprefix base/,clock.c refusal.c \
	json.c linker_error.c proc_text.c services.c sha256.c sort.c sys.c sys_wait.c text.c utf8.c wall_time.c)
command_sources := $(wildcard cli/*.c cli/*/*.c elf/*.c resolve/*.c) $(wildcard $(addprefix arch/*/,decode.c prologue.c \
	references.c hold.c stub.c callers*.c \
	machine.c relocation.c plt.c)) $(addprefix base/,refusal.c json.c maker.c proc_text.c request.c utf8.c)
objects = $(patsubst %,$(BUILD)/obj/%.o,$(basename $(1)))

# Each command is shown as one short line; V=1 shows it whole.
Q := $(if $(V),,@)
say = $(if $(V),@:,@echo '  $(1)')

SHIM := $(BUILD)/libhotpatch_preload.so
ENGINE := $(BUILD)/libhotpatch_engine.so
COMMAND := $(BUILD)/hotpatch
PRODUCTS := $(SHIM) $(ENGINE) $(COMMAND)

# The directories that ld.so(8) puts for $LIB: each 64-bit program finds the libraries in its own, and each 32-bit
# one an empty library, of which its ld.so says nothing. They are symbolic links, so that the mappings of a process
# show what it has.
STUB := $(BUILD)/hotpatch_stub32.so
LIB_64 := $(if $(wildcard /lib/x86_64-linux-gnu/.),lib/x86_64-linux-gnu,lib64)
LIBS_32 := lib32 lib/i386-linux-gnu
LIB_LINKS := $(addprefix $(LIB_64)/,$(notdir $(SHIM) $(ENGINE))) $(addsuffix /$(notdir $(SHIM)),$(LIBS_32))
# The file of a link; the way up from it.
linked = $(if $(filter $(LIB_64)/%,$(1)),$(notdir $(1)),$(notdir $(STUB)))
up = $(subst $(space),,$(patsubst %,../,$(subst /, ,$(patsubst %/,%,$(dir $(1))))))

.PHONY: all check check-run tests demo demo-run bench bench-run fuzz fuzz-run real real-run foreign foreign-run fresh \
	install uninstall format format-check lint clean
.DELETE_ON_ERROR:
.SECONDARY:

all: $(PRODUCTS) $(addprefix $(BUILD)/,$(LIB_LINKS))

# The name that a program would be linked with: Debian's has the version in it.
ZYDIS_SONAME = $(shell readelf -dW "$$($(CC) -print-file-name=libZydis.so)" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
$(BUILD)/obj/loader/text/decoder.o: PARTS_FLAGS += -DZYDIS_SONAME='"$(ZYDIS_SONAME)"'

# The registers that callers rely on: see the file.
$(BUILD)/obj/loader/slots/fault_decide.o: PARTS_FLAGS += -mgeneral-regs-only

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC    $@)
	$(Q)$(CC) $(PARTS_FLAGS) -c -o $@ $<

$(BUILD)/obj/%.o: %.S Makefile
	@mkdir -p $(@D)
	$(call say,AS    $@)
	$(Q)$(CC) -fPIC $(INCLUDES) -MMD -MP $(CFLAGS) -c -o $@ $<

$(SHIM): $(call objects,$(preload_sources)) preload/libhotpatch_preload.map
	$(call say,LINK  $@)
	$(Q)$(CC) $(SHARED_FLAGS) -Wl,-z,nodelete,-z,noseparate-code,-Bsymbolic-functions -Wl,-soname,$(@F) $(SAN_FLAGS) $(LDFLAGS) \
		-Wl,--version-script,preload/libhotpatch_preload.map -o $@ $(filter %.o,$^) -pthread

$(ENGINE): $(call objects,$(engine_sources)) loader/libhotpatch_engine.map
	$(call say,LINK  $@)
	$(Q)$(CC) $(SHARED_FLAGS) -Wl,-z,noseparate-code -Wl,-soname,$(@F) $(SAN_FLAGS) $(LDFLAGS) \
		-Wl,--version-script,loader/libhotpatch_engine.map -o $@ $(filter %.o,$^) -lelf -pthread

$(COMMAND): $(call objects,$(command_sources))
	$(call say,LINK  $@)
	$(Q)$(CC) $(SAN_FLAGS) -Wl,--as-needed $(LDFLAGS) -o $@ $^ -ljson-c -lZydis -ldw -lelf -pthread

$(STUB): Makefile
	$(call say,LINK  $@)
	$(Q)$(CC) -m32 -shared -nostdlib -s -Wl,-z,noseparate-code,-soname,libhotpatch_preload.so -o $@ -x c /dev/null

$(addprefix $(BUILD)/,$(LIB_LINKS)): $(BUILD)/%: | $(SHIM) $(ENGINE) $(STUB)
	@mkdir -p $(@D)
	$(Q)ln -sfn $(call up,$*)$(call linked,$*) $@

# ---------------------------------------------------------------- tests ---
# Every test_NAME.c in tests/unit/*, tests/e2e and tests/must is a program. It takes what it needs out of one archive of all
# parts and of the harness, so that a test of one part links that part alone.

# Those that stand in for libc's own functions are left out: with one the whole shim would come.
# So is what stands in for libZydis in the engine.
stand_ins := $(addprefix preload/interpose/,first_thread.c clone.c exec.c by_number.c vfork.c sigaction.c sigwait.c prctl.c \
	rlimit.c setxid.c unshare.c room.c) preload/own_malloc.c loader/text/decoder.c loader/own_malloc.c base/sort.c \
	cli/output/kernel.c
parts_objects := $(call objects,$(filter-out cli/main.c $(stand_ins),$(sort $(preload_sources) \
	$(engine_sources) $(command_sources))) $(wildcard tests/support/*.c tests/support/*.S tests/must/must_*.c))
TEST_SOURCES := $(wildcard tests/unit/*/test_*.c tests/e2e/test_*.c tests/must/test_*.c)
TESTS := $(patsubst %.c,$(BUILD)/tests/%,$(notdir $(TEST_SOURCES))) \
	$(BUILD)/tests/test_site_torture_nopie

$(BUILD)/tests/parts.a: $(parts_objects)
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)$(AR) qcs $@ $^

$(BUILD)/tests/test_engine $(BUILD)/tests/test_bulk: $(BUILD)/obj/loader/text/decoder.o

# Sees each store into code, and each serialisation.
link_test_site_order := $(addprefix -Wl$(comma)--wrap=,text_poke_byte text_poke_store2 text_poke_store8 text_poke_sync \
	page_replace_do thread_scan_evacuate thread_scan_look thread_scan_asleep_outside thread_scan_unshown \
	text_patch_in text_patch_out short_patch_in short_patch_out)
# Maps a page between a look at what is free and its use.
link_test_near_alloc := -Wl,--wrap=maps_each
# Counts what is done once for many functions.
link_test_bulk := $(addprefix -Wl$(comma)--wrap=,maps_each text_poke_sync text_poke_open)

define test_rule
$(BUILD)/tests/$(notdir $(1)): $(BUILD)/obj/$(1).o $(BUILD)/tests/parts.a
	$$(call say,LINK  $$@)
	$$(Q)$$(CC) $$(SAN_FLAGS) $$(LDFLAGS) $$(link_$(notdir $(1))) -o $$@ $$^ -lcmocka -ljson-c -lZydis -ldw -lelf -ldl -pthread
endef
$(foreach test,$(basename $(TEST_SOURCES)),$(eval $(call test_rule,$(test))))

# The same at 0x400000, where a stub can lie above alone.
$(BUILD)/tests/test_site_torture_nopie: $(BUILD)/obj/tests/unit/loader/test_site_torture.o $(BUILD)/tests/parts.a
	$(call say,LINK  $@)
	$(Q)$(CC) -no-pie $(SAN_FLAGS) $(LDFLAGS) -o $@ $^ -lcmocka -ljson-c -lZydis -ldw -lelf -ldl -pthread

# An engine without keeping stubs, beside a shim that finds it: what they keep from going wrong.
PLAIN := $(BUILD)/plain/libhotpatch_preload.so $(BUILD)/plain/libhotpatch_engine.so
$(BUILD)/plain/keep_slot.o: loader/slots/keep_slot.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(PARTS_FLAGS) -DHOTPATCH_PLAIN_STUBS -Wno-error -c -o $@ $<
$(BUILD)/plain/libhotpatch_engine.so: $(BUILD)/plain/keep_slot.o \
		$(filter-out %/keep_slot.o,$(call objects,$(engine_sources))) loader/libhotpatch_engine.map
	$(call say,LINK  $@)
	$(Q)$(CC) $(SHARED_FLAGS) -Wl,-z,noseparate-code -Wl,-soname,$(@F) $(SAN_FLAGS) $(LDFLAGS) \
		-Wl,--version-script,loader/libhotpatch_engine.map -o $@ $(filter %.o,$^) -lelf -pthread
$(BUILD)/plain/libhotpatch_preload.so: $(SHIM)
	@mkdir -p $(@D)
	$(Q)cp $< $@

# A shim that takes every moment for safe: what the torture of first rings must find out.
NAIVE := $(BUILD)/naive/libhotpatch_preload.so $(BUILD)/naive/libhotpatch_engine.so
$(BUILD)/naive/safe_moment.o: preload/safe_moment.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(PARTS_FLAGS) -DHOTPATCH_NAIVE_MOMENT -Wno-error -c -o $@ $<
$(BUILD)/naive/libhotpatch_preload.so: $(BUILD)/naive/safe_moment.o \
		$(filter-out %/safe_moment.o,$(call objects,$(preload_sources))) preload/libhotpatch_preload.map
	$(call say,LINK  $@)
	$(Q)$(CC) $(SHARED_FLAGS) -Wl,-z,nodelete,-z,noseparate-code,-Bsymbolic-functions -Wl,-soname,$(@F) $(SAN_FLAGS) $(LDFLAGS) \
		-Wl,--version-script,preload/libhotpatch_preload.map -o $@ $(filter %.o,$^) -pthread
$(BUILD)/naive/libhotpatch_engine.so: $(ENGINE)
	@mkdir -p $(@D)
	$(Q)cp $< $@

# Programs and patches that the end-to-end tests run. They see hotpatch.h alone, as a user's do.
HOST_FLAGS := -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror -Iinclude -MMD -MP -g -pthread
hosts := $(patsubst tests/hosts/%.c,%,$(wildcard tests/hosts/*.c))
host_libraries := $(filter lib%,$(hosts))
host_variants := host-nopie host-stripped host-o0 host-o3 host-now host-clang host-lto \
	imports-nopie imports-now imports-stripped importer-nopie importer-now \
	entries-nopie entries-cet entries-stripped wide-nopie rung-own rung-jemalloc
HOSTS := $(addprefix $(BUILD)/hosts/,$(filter-out lib%,$(hosts)) $(host_variants) host-static \
	host-cxx $(addsuffix .so,$(host_libraries)))
PATCHES := $(patsubst tests/patches/%.c,$(BUILD)/patches/%.so,$(wildcard tests/patches/*.c))

flags_host-nopie := -no-pie -fno-pie -O2
flags_host-stripped := -s -O2
flags_host-o0 := -O0
flags_host-o3 := -O3 -fcf-protection=full -ffunction-sections -fdata-sections -Wl,--gc-sections
flags_host-now := -O2 -Wl,-z,relro,-z,now
flags_host-lto := -O2 -flto
flags_importer := -Wl,-z,lazy
flags_importer-nopie := -no-pie -fno-pie -Wl,-z,lazy
flags_importer-now := -Wl,-z,relro,-z,now
flags_imports-nopie := -no-pie -fno-pie -O1 -Wl,-z,lazy
flags_imports-now := -O1 -Wl,-z,relro,-z,now
flags_imports-stripped := -s -O1 -Wl,-z,relro,-z,now
# clang knows what a function returns that it may neither inline nor optimise, unless asked for nothing.
opaque := $(if $(findstring clang,$(CC)),-O0)
flags_entries := -rdynamic $(opaque)
flags_entries-nopie := -no-pie -fno-pie -rdynamic $(opaque)
flags_entries-cet := -O2 -fcf-protection=full -rdynamic $(opaque)
# BFD's ld would make two segments of it.
flags_wide := -fuse-ld=lld -Wl,-T,tests/hosts/parts/wide.ld $(opaque)
flags_wide-nopie := -no-pie -fno-pie $(flags_wide)
flags_entries-stripped := -s -O2 -rdynamic $(opaque)
flags_libentries := $(opaque)
compiler_host-clang := clang
compiler_host-lto := gcc

# The source of host-VARIANT is host.c. A process can have one compiler's sanitizer alone, so with
# one every host is built by $(CC).
define host_rule
$(BUILD)/hosts/$(1): tests/hosts/$(firstword $(subst -, ,$(1))).c Makefile
	@mkdir -p $$(@D)
	$$(call say,CC    $$@)
	$$(Q)$$(if $$(SAN),$$(CC),$$(or $$(compiler_$(1)),$$(CC))) -O1 $$(HOST_FLAGS) $$(SAN_FLAGS) $$(flags_$(1)) -o $$@ $$(filter %.c,$$^) -ldl
endef
$(foreach host,$(filter-out lib%,$(hosts)) $(host_variants),$(eval $(call host_rule,$(host))))
$(patsubst %,$(BUILD)/hosts/%,$(filter entries%,$(hosts) $(host_variants))): tests/hosts/parts/entries_twin.c

# An allocator inside the program.
$(BUILD)/hosts/rung-own: tests/hosts/parts/own_malloc.c
flags_rung-own := -O2 -fno-builtin
flags_rung-jemalloc := -Wl,--push-state,--whole-archive,-l:libjemalloc_pic.a,--pop-state -lm -lstdc++

$(BUILD)/hosts/lib%.so: tests/hosts/lib%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC    $@)
	$(Q)$(CC) -O1 $(HOST_FLAGS) $(SAN_FLAGS) $(flags_lib$*) -shared -fPIC -Wl,-z,lazy \
		-Wl,-soname,$(@F) -o $@ \
		$(filter %.c %.so,$^) $(if $(filter %.so,$^),-Wl$(comma)-rpath$(comma)'$$ORIGIN')

$(BUILD)/hosts/libuses1.so: $(BUILD)/hosts/libdefines1.so
$(BUILD)/hosts/libuses2.so: $(BUILD)/hosts/libdefines2.so

$(BUILD)/hosts/host-static: tests/hosts/host.c Makefile
	@mkdir -p $(@D)
	$(call say,CC    $@)
	$(Q)$(CC) -O1 $(HOST_FLAGS) -DHOST_STATIC -static -o $@ $<

$(BUILD)/hosts/host-cxx: tests/hosts/host.c Makefile
	@mkdir -p $(@D)
	$(call say,CXX   $@)
	$(Q)$(CXX) -x c++ -std=gnu++17 -O1 $(filter-out -std=gnu11,$(HOST_FLAGS)) $(SAN_FLAGS) -o $@ $< -ldl

# Patches are not sanitized: what a user loads is not, either.
$(BUILD)/patches/%.so: tests/patches/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC    $@)
	$(Q)$(CC) -O1 $(HOST_FLAGS) -shared -fPIC -Wl,--build-id $(patch_flags_$*) -o $@ $<

tests: all $(TESTS) $(HOSTS) $(PATCHES) $(PLAIN) $(NAIVE)

# With TEST_ONLY these test programs alone are linked.
check-run: $(if $(TEST_ONLY),all $(patsubst %,$(BUILD)/tests/%,$(filter test_%,$(TEST_ONLY))) $(HOSTS) $(PATCHES) $(NAIVE),tests)
	@VARIANT=$(VARIANT) TEST_LISTEN=$(TEST_LISTEN) scripts/run-tests $(BUILD) $(TEST_ONLY)

# ------------------------------------------------- targets that set up first ---

SETUP := $(if $(HOTPATCH_NO_SETUP),@:,scripts/setup)
PARALLEL := $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

check:
	$(SETUP) check
	+@$(MAKE) --no-print-directory $(PARALLEL) check-run

demo:
	$(SETUP) demo
	+@$(MAKE) --no-print-directory $(PARALLEL) all
	@HOTPATCH_BUILD=$(BUILD) demo/run.sh

bench:
	$(SETUP) bench
	+@$(MAKE) --no-print-directory $(PARALLEL) bench-run

BENCHES := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))
BENCH_FLAGS := -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -O2 -g -Iinclude -MMD -MP -pthread

$(BUILD)/bench/lib%.so: tests/bench/lib%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC    $@)
	$(Q)$(CC) $(BENCH_FLAGS) -shared -fPIC -Wl,--build-id -o $@ $<

$(BUILD)/bench/%: tests/bench/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC    $@)
	$(Q)$(CC) $(BENCH_FLAGS) -o $@ $< -ldl

# These measure a part, not a process.
$(BUILD)/bench/keep $(BUILD)/bench/symbols $(BUILD)/bench/entries $(BUILD)/bench/callers: $(BUILD)/bench/%: tests/bench/%.c $(BUILD)/tests/parts.a Makefile
	@mkdir -p $(@D)
	$(call say,CC    $@)
	$(Q)$(CC) $(BENCH_FLAGS) $(INCLUDES) -o $@ $< $(BUILD)/tests/parts.a -lcmocka -ljson-c -lZydis -ldw -lelf -ldl

# Many functions in one transaction.
BULK_PATCHES := $(foreach n,1 2 500 8000 10000,$(BUILD)/bench/bulk-$(n).so)
$(BULK_PATCHES): $(BUILD)/bench/bulk-%.so: tests/bench/bulk_gen.sh Makefile
	@mkdir -p $(@D)
	$(call say,CC    $@)
	$(Q)tests/bench/bulk_gen.sh patch $* | $(CC) -std=gnu11 -O1 -shared -fPIC -Iinclude -o $@ -xc -

$(BUILD)/bench/bulk-host: tests/bench/bulk_gen.sh Makefile
	@mkdir -p $(@D)
	$(call say,CC    $@)
	$(Q)tests/bench/bulk_gen.sh host 10000 | $(CC) -std=gnu11 -D_GNU_SOURCE -O2 -g -o $@ -xc -

bench-run: $(BULK_PATCHES) $(BUILD)/bench/bulk-host
bench-run: all $(filter-out $(BUILD)/bench/lib%,$(BENCHES)) \
		$(addsuffix .so,$(filter $(BUILD)/bench/lib%,$(BENCHES)))
	tests/bench/run $(BUILD) $(BENCH_ONLY)

# Each fuzz target runs FUZZ_SECONDS seconds over its corpus in tests/fuzz/corpus/NAME.
FUZZ_SECONDS := 60
fuzz:
	$(SETUP) check
	+@$(MAKE) --no-print-directory $(PARALLEL) CC=clang SAN=fuzzer-no-link,address,undefined \
		BUILD=build/fuzz fuzz-run FUZZ_SECONDS=$(FUZZ_SECONDS)

FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzzers/%,$(wildcard tests/fuzz/fuzz_*.c))
$(BUILD)/fuzzers/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/tests/parts.a
	@mkdir -p $(@D)
	$(call say,LINK  $@)
	$(Q)$(CC) -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o $@ $^ -lcmocka -ljson-c -lZydis -ldw -lelf -ldl

fuzz-run: $(FUZZERS)
	scripts/run-fuzzers $(FUZZ_SECONDS) $(BUILD)/corpus $(FUZZERS)

# A scenario whose daemon could not be installed is skipped, and says so.
real:
	$(SETUP) real || echo "setup: not everything could be installed"
	+@$(MAKE) --no-print-directory $(PARALLEL) real-run

real-run: all $(PLAIN)
	tests/real/run $(BUILD)

# Not part of CI: it takes long, and fetches the sources of two packages.
foreign:
	$(SETUP) foreign || echo "setup: not everything could be installed"
	+@$(MAKE) --no-print-directory $(PARALLEL) foreign-run

foreign-run: all
	tests/real/foreign/run $(BUILD) $(FOREIGN_ONLY)

# Each target on a Debian 12 that has nothing but make: what scripts/setup forgets is not there.
fresh:
	scripts/fresh demo
	scripts/fresh check
	scripts/fresh bench
	scripts/fresh real

# -------------------------------------------------------------- install ---

# Without an entry in ld.so's cache LD_PRELOAD=libhotpatch_preload.so is not found (ld.so(8)). What lies in DESTDIR
# is for another system, and only root can write the cache.
renew_cache = $(if $(DESTDIR),,[ "$$(id -u)" -ne 0 ] || PATH="$$PATH:/sbin:/usr/sbin" ldconfig)

install: all
	install -d $(addprefix $(DESTDIR)$(PREFIX)/,bin lib/pkgconfig include share/man/man1 \
		share/man/man3 share/man/man7 share/bash-completion/completions $(LIB_64) $(LIBS_32))
	install -m 755 $(COMMAND) $(DESTDIR)$(PREFIX)/bin/hotpatch
	install -m 755 $(SHIM) $(ENGINE) $(STUB) $(DESTDIR)$(PREFIX)/lib/
	$(foreach link,$(LIB_LINKS),[ $(DESTDIR)$(PREFIX)/$(dir $(link)) -ef $(DESTDIR)$(PREFIX)/lib ] || \
		ln -sfn $(call up,$(link))lib/$(call linked,$(link)) $(DESTDIR)$(PREFIX)/$(link);)
	install -m 644 include/hotpatch.h $(DESTDIR)$(PREFIX)/include/
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' hotpatch.pc.in \
		> $(DESTDIR)$(PREFIX)/lib/pkgconfig/hotpatch.pc
	for page in $(wildcard man/*.[137]); do \
		install -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/; done
	install -m 644 cli/hotpatch.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/hotpatch
	$(renew_cache)
	$(if $(DESTDIR),,@ldconfig=$$(PATH="$$PATH:/sbin:/usr/sbin" command -v ldconfig) && \
		"$$ldconfig" -p | grep -q 'libhotpatch_preload.so (libc6,x86-64)' || \
		echo "ld.so does not search $(PREFIX)/lib: use LD_PRELOAD=$(PREFIX)/lib/libhotpatch_preload.so")

uninstall:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/,bin/hotpatch lib/libhotpatch_preload.so \
		lib/libhotpatch_engine.so lib/$(notdir $(STUB)) $(LIB_LINKS) \
		include/hotpatch.h lib/pkgconfig/hotpatch.pc \
		share/bash-completion/completions/hotpatch \
		$(foreach page,$(wildcard man/*.[137]),share/man/man$(subst .,,$(suffix $(page)))/$(notdir $(page))))
	$(renew_cache)

# ---------------------------------------------------------------- style ---

C_FILES = $(wildcard include/*.h $(foreach dir,base resolve preload preload/* loader loader/* arch arch/* elf cli cli/* tests/* \
	tests/unit/* demo/*,$(dir)/*.c $(dir)/*.h))
SHELL_FILES = $(wildcard scripts/* tests/e2e/*.sh tests/bench/run tests/bench/*.sh tests/real/run tests/real/*.sh tests/real/foreign/run tests/real/foreign/*.sh demo/*.sh demo/*/*.sh \
	.ci/run cli/hotpatch.bash)

format:
	clang-format -i $(C_FILES)

format-check:
	clang-format --dry-run --Werror $(C_FILES)

lint:
	cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr --enable=warning,portability \
		--suppressions-list=.cppcheck-suppressions -D_GNU_SOURCE -D__x86_64__ -D__LP64__ \
		-Iinclude -I. $(wildcard base/*.c resolve/*.c preload/*.c preload/*/*.c loader/*.c loader/*/*.c arch/*/*.c elf/*.c cli/*.c cli/*/*.c)
	shellcheck -x $(SHELL_FILES)

clean:
	rm -rf $(BUILD)

-include $(shell [ -d $(BUILD) ] && find $(BUILD) -name '*.d')
