# tests.mk - what the main Makefile includes for the tests: test programs, hosts, patches, bench, fuzz, real.
#
# build/tests/NAME is made of tests/unit/**/NAME.c, tests/e2e/NAME.c or tests/must/NAME.c, build/hosts/NAME of
# tests/hosts/NAME.c, build/patches/NAME.so of tests/patches/NAME.c. New files are found.

# -------------------------------------------------------- test programs ---
# Every test_NAME.c is a program. Its objects come from one archive of all parts and of the harness, so that a test of
# one part links that part alone.

# Those that stand in for libc's own functions are left out: with one the whole shim would come.
# So is what stands in for libZydis in the engine.
stand_ins := $(wildcard preload/interpose/*.c) $(addprefix $(ARCH)/,by_number.c vfork.c) preload/own_malloc.c $(ARCH)/decoder.c loader/own_malloc.c base/sort.c \
	cli/output/kernel.c
parts_objects := $(call objects,$(filter-out cli/main.c $(stand_ins),$(sort $(preload_sources) \
	$(engine_sources) $(command_sources))) $(wildcard tests/support/*.c tests/support/*.S tests/must/must_*.c))
TEST_SOURCES := $(foreach place,tests/unit/* tests/unit/*/* tests/e2e tests/must,$(wildcard $(place)/test_*.c))
TESTS := $(patsubst %.c,$(BUILD)/tests/%,$(notdir $(TEST_SOURCES))) \
	$(BUILD)/tests/test_site_torture_nopie

$(BUILD)/tests/parts.a: $(parts_objects)
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)$(AR) qcs $@ $^

$(BUILD)/tests/test_engine $(BUILD)/tests/test_bulk $(BUILD)/tests/test_thin_place: $(BUILD)/obj/$(ARCH)/decoder.o

# Sees each store into code, and each serialisation.
link_test_site_order := $(addprefix -Wl$(comma)--wrap=,text_poke_byte text_poke_store2 text_poke_store8 text_poke_sync \
	page_replace_do thread_scan_evacuate thread_scan_look thread_scan_asleep_outside thread_scan_unshown \
	text_patch_in text_patch_out short_patch_in short_patch_out)
# Maps a page between a look at what is free and its use.
link_test_near_alloc := -Wl,--wrap=maps_each
# Has a clock of its own.
link_test_replies := -Wl,--wrap=clock_us
# Takes the place of a thin object before ld.so maps it.
link_test_thin_place := -Wl,--wrap=dlopen
# Counts what is done once for many functions.
link_test_bulk := $(addprefix -Wl$(comma)--wrap=,maps_each text_poke_sync text_poke_open)

define test_rule
$(BUILD)/tests/$(notdir $(1)): $(BUILD)/obj/$(1).o $(BUILD)/tests/parts.a
	$$(call say,LINK  $$@)
	$$(Q)$$(CC) $$(SAN_FLAGS) $$(LDFLAGS) $$(link_$(notdir $(1))) -o $$@ $$^ -lcmocka -ljson-c -lZydis -ldw -lelf -ldl -pthread
endef
$(foreach test,$(basename $(TEST_SOURCES)),$(eval $(call test_rule,$(test))))

# The same at 0x400000, where a stub can lie above alone.
$(BUILD)/tests/test_site_torture_nopie: $(BUILD)/obj/tests/unit/loader/text/test_site_torture.o $(BUILD)/tests/parts.a
	$(call say,LINK  $@)
	$(Q)$(CC) -no-pie $(SAN_FLAGS) $(LDFLAGS) -o $@ $^ -lcmocka -ljson-c -lZydis -ldw -lelf -ldl -pthread

# ------------------------------------- variants of the libraries that tests compare with ---

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

# ---------------------------------------------------- hosts and patches ---

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
$(BUILD)/hosts/$(1): tests/hosts/$(firstword $(subst -, ,$(1))).c tests/tests.mk
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

$(BUILD)/hosts/lib%.so: tests/hosts/lib%.c tests/tests.mk
	@mkdir -p $(@D)
	$(call say,CC    $@)
	$(Q)$(CC) -O1 $(HOST_FLAGS) $(SAN_FLAGS) $(flags_lib$*) -shared -fPIC -Wl,-z,lazy \
		-Wl,-soname,$(@F) -o $@ \
		$(filter %.c %.so,$^) $(if $(filter %.so,$^),-Wl$(comma)-rpath$(comma)'$$ORIGIN')

$(BUILD)/hosts/libuses1.so: $(BUILD)/hosts/libdefines1.so
$(BUILD)/hosts/libuses2.so: $(BUILD)/hosts/libdefines2.so

$(BUILD)/hosts/host-static: tests/hosts/host.c tests/tests.mk
	@mkdir -p $(@D)
	$(call say,CC    $@)
	$(Q)$(CC) -O1 $(HOST_FLAGS) -DHOST_STATIC -static -o $@ $<

$(BUILD)/hosts/host-cxx: tests/hosts/host.c tests/tests.mk
	@mkdir -p $(@D)
	$(call say,CXX   $@)
	$(Q)$(CXX) -x c++ -std=gnu++17 -O1 $(filter-out -std=gnu11,$(HOST_FLAGS)) $(SAN_FLAGS) -o $@ $< -ldl

# Patches are not sanitized: what a user loads is not, either.
$(BUILD)/patches/%.so: tests/patches/%.c tests/tests.mk
	@mkdir -p $(@D)
	$(call say,CC    $@)
	$(Q)$(CC) -O1 $(HOST_FLAGS) -shared -fPIC -Wl,--build-id $(patch_flags_$*) -o $@ $<

# ------------------------------------------------------------ run tests ---

tests: all $(TESTS) $(HOSTS) $(PATCHES) $(PLAIN) $(NAIVE)

# With TEST_ONLY these test programs alone are linked.
check-run: $(if $(TEST_ONLY),all $(patsubst %,$(BUILD)/tests/%,$(filter test_%,$(TEST_ONLY))) $(HOSTS) $(PATCHES) $(PLAIN) $(NAIVE),tests)
	@VARIANT=$(VARIANT) TEST_LISTEN=$(TEST_LISTEN) scripts/run-tests $(BUILD) $(TEST_ONLY)

check:
	$(SETUP) check
	+@$(MAKE) --no-print-directory $(PARALLEL) check-run

# Not part of CI: every edit of tests/edits with every set of flags, with a table in $(BUILD)/mutate.tsv, and the state
# probe in every set (two hours); random edits of random programs.
mutate:
	$(SETUP) check
	+@$(MAKE) --no-print-directory $(PARALLEL) all
	tests/edits/run $(BUILD) --reloads --all
	tests/edits/run $(BUILD) --all

DIFFERENTIAL_EDITS := 2000
differential:
	$(SETUP) check
	+@$(MAKE) --no-print-directory $(PARALLEL) all
	tests/edits/differential $(BUILD) --edits $(DIFFERENTIAL_EDITS)

# ---------------------------------------------------------------- bench ---

bench:
	$(SETUP) bench
	+@$(MAKE) --no-print-directory $(PARALLEL) bench-run

BENCHES := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))
BENCH_FLAGS := -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -O2 -g -Iinclude -MMD -MP -pthread

$(BUILD)/bench/lib%.so: tests/bench/lib%.c tests/tests.mk
	@mkdir -p $(@D)
	$(call say,CC    $@)
	$(Q)$(CC) $(BENCH_FLAGS) -shared -fPIC -Wl,--build-id -o $@ $<

$(BUILD)/bench/%: tests/bench/%.c tests/tests.mk
	@mkdir -p $(@D)
	$(call say,CC    $@)
	$(Q)$(CC) $(BENCH_FLAGS) -o $@ $< -ldl

# These measure a part, not a process.
$(BUILD)/bench/keep $(BUILD)/bench/symbols $(BUILD)/bench/entries $(BUILD)/bench/callers $(BUILD)/bench/thin: $(BUILD)/bench/%: tests/bench/%.c $(BUILD)/tests/parts.a tests/tests.mk
	@mkdir -p $(@D)
	$(call say,CC    $@)
	$(Q)$(CC) $(BENCH_FLAGS) $(INCLUDES) -o $@ $< $(BUILD)/tests/parts.a -lcmocka -ljson-c -lZydis -ldw -lelf -ldl

# Many functions in one transaction.
BULK_PATCHES := $(foreach n,1 2 500 8000 10000,$(BUILD)/bench/bulk-$(n).so)
$(BULK_PATCHES): $(BUILD)/bench/bulk-%.so: tests/bench/bulk_gen.sh tests/tests.mk
	@mkdir -p $(@D)
	$(call say,CC    $@)
	$(Q)tests/bench/bulk_gen.sh patch $* | $(CC) -std=gnu11 -O1 -shared -fPIC -Iinclude -o $@ -xc -

$(BUILD)/bench/bulk-host: tests/bench/bulk_gen.sh tests/tests.mk
	@mkdir -p $(@D)
	$(call say,CC    $@)
	$(Q)tests/bench/bulk_gen.sh host 10000 | $(CC) -std=gnu11 -D_GNU_SOURCE -O2 -g -o $@ -xc -

bench-run: $(BULK_PATCHES) $(BUILD)/bench/bulk-host
bench-run: all $(filter-out $(BUILD)/bench/lib%,$(BENCHES)) \
		$(addsuffix .so,$(filter $(BUILD)/bench/lib%,$(BENCHES)))
	tests/bench/run $(BUILD) $(BENCH_ONLY)

# ----------------------------------------------------------------- fuzz ---

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

# ------------------------------------------ programs of the distribution ---

# A scenario whose daemon could not be installed is skipped, and says so.
real:
	$(SETUP) real || echo "setup: not everything could be installed"
	+@$(MAKE) --no-print-directory $(PARALLEL) real-run

real-run: all $(PLAIN)
	tests/real/run $(BUILD)

# Not part of CI: it takes long, and fetches the sources of three packages.
cve:
	$(SETUP) cve
	+@$(MAKE) --no-print-directory $(PARALLEL) cve-run

cve-run: all
	tests/cve/run $(BUILD) $(CVE_ONLY)

# Not part of CI: it takes long, and fetches the sources of two packages.
foreign:
	$(SETUP) foreign || echo "setup: not everything could be installed"
	+@$(MAKE) --no-print-directory $(PARALLEL) foreign-run

foreign-run: all
	tests/real/foreign/run $(BUILD) $(FOREIGN_ONLY)
