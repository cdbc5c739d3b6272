# hotpatch: build, test, install. Needs GNU make.
#
#   make                         the three products, usable from build/
#   make demo                    sets up, builds, patches a live process before your eyes
#   make check [SAN=...] [CC=clang]   sets up, builds, runs every test (TEST_ONLY="NAME...": these alone;
#                                TEST_LISTEN=start: hosts make the threads before main, see scripts/run-tests)
#   make mutate, make differential   every edit of tests/edits with every set of flags; 2,000 random edits of random programs
#   make foreign                 CPython's, stress-ng's, perl's and busybox's own tests, with an idle shim and without
#                                (half an hour; FOREIGN_ONLY="perl..."; HOTPATCH_LISTEN=start: with threads)
#   make cve                     Debian's security fixes of redis, dnsmasq and mosquitto, each loaded into the running
#                                daemon that was built without it (half an hour; CVE_ONLY="redis:PATCH...")
#   make CROSS=aarch64-linux-gnu  compiles what knows no machine with that compiler, and stops where arch/ has no folder
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
# Another machine: its compiler, and libelf's and json-c's headers of this one, which are the same.
ifdef CROSS
CC := $(CROSS)-gcc
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
INCLUDES := -Iinclude -iquote . $(if $(CROSS),-idirafter /usr/include -DHOTPATCH_ANY_MACHINE)
PARTS_FLAGS = -std=gnu11 -D_GNU_SOURCE -fPIC -fvisibility=hidden \
	-pthread $(WARNINGS) $(INCLUDES) -MMD -MP $(SAN_FLAGS) $(CFLAGS)
# gcc warns of what cannot be when it compiles for a sanitizer (see -fsanitize in its manual).
PARTS_FLAGS += $(if $(SAN),-Wno-error)
# A sanitizer's runtime is found at run time, so only plain builds can insist on -z defs.
SHARED_FLAGS := -shared -Wl,-z,now,--as-needed $(if $(SAN),,-Wl,-z,defs)

# sources FOLDER...: of these folders and those below.
sources = $(foreach folder,$(1),$(wildcard $(folder)/*.c $(folder)/*/*.c $(folder)/*/*/*.c))
shim_base := cfi.c cfi_expression.c cfi_reader.c clock.c refusal.c json.c linker_error.c maker.c proc_text.c request.c \
	slot_names.c sys.c sys_wait.c unwind.c utf8.c wall_time.c
engine_base := cfi.c cfi_expression.c cfi_reader.c clock.c refusal.c linker_error.c proc_text.c services.c sha256.c slot_names.c \
	sort.c sys.c sys_wait.c text.c unwind.c utf8.c wall_time.c
command_base := refusal.c maker.c sha256.c proc_text.c request.c slot_names.c utf8.c
# Of the machine's folder the shim takes what needs no decoder.
ARCH := arch/$(if $(CROSS),$(firstword $(subst -, ,$(CROSS))),x86_64)
shim_only_arch := $(addprefix $(ARCH)/,by_number.c call_number.c call_site.c interrupted_call.c stack_switch.S \
	step_instruction.c step_string.c under_mask.c valgrind.c vfork.c)
shim_arch := $(shim_only_arch) $(addprefix $(ARCH)/,sigframe.c system_call.S unwind.c)
engine_arch := $(filter-out $(shim_only_arch) $(wildcard $(ARCH)/compare*.c) $(ARCH)/far_data.c,$(wildcard $(ARCH)/*.c $(ARCH)/*.S))
command_arch := $(wildcard $(addprefix $(ARCH)/,decode.c sha256.c fields.c prologue.c references.c hold.c stub.c callers*.c compare*.c far_data.c kept_names.c \
	machine.c plt.c relocation.c system_call.S thin.c))
preload_sources := $(call sources,preload) $(addprefix base/,$(shim_base)) $(shim_arch)
# The engine does not compare objects with binaries, nor change their lines.
command_only := $(wildcard elf/binary*.c elf/line_*.c resolve/baseline*.c) elf/decl_lines.c elf/object_lines.c resolve/far_data.c
engine_sources := $(filter-out $(command_only),$(call sources,loader elf resolve)) $(addprefix base/,$(engine_base)) \
	$(engine_arch)
command_sources := $(call sources,cli elf resolve) $(addprefix base/,$(command_base)) $(command_arch)
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

.PHONY: all check check-run tests demo demo-run bench bench-run fuzz fuzz-run real real-run foreign foreign-run fresh mutate differential \
	cve cve-run \
	install uninstall format format-check lint clean
.DELETE_ON_ERROR:
.SECONDARY:

ifdef CROSS
all: $(call objects,$(call sources,base elf resolve cli))
	$(if $(wildcard $(ARCH)/.),,$(Q)$(CC) $(PARTS_FLAGS) -MF $(BUILD)/port.d -fsyntax-only -x c arch/port.h)
else
all: $(PRODUCTS) $(addprefix $(BUILD)/,$(LIB_LINKS))
endif

# The name that a program would be linked with: Debian's has the version in it.
ZYDIS_SONAME = $(shell readelf -dW "$$($(CC) -print-file-name=libZydis.so)" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
$(BUILD)/obj/$(ARCH)/decoder.o: PARTS_FLAGS += -DZYDIS_SONAME='"$(ZYDIS_SONAME)"'

# The registers that callers rely on: see the file.
$(BUILD)/obj/loader/slots/injection_decide.o: PARTS_FLAGS += -mgeneral-regs-only

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

# --------------------------------------------------------- tests and demo ---

SETUP := $(if $(HOTPATCH_NO_SETUP),@:,scripts/setup)
PARALLEL := $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

include tests/tests.mk

demo:
	$(SETUP) demo
	+@$(MAKE) --no-print-directory $(PARALLEL) all
	@HOTPATCH_BUILD=$(BUILD) demo/run.sh

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

C_FOLDERS := include base arch elf resolve preload loader cli
C_FILES = $(shell find $(C_FOLDERS) tests demo -name '*.[ch]')
SHELL_FILES = $(wildcard scripts/* .ci/run cli/hotpatch.bash tests/bench/run tests/real/run tests/real/foreign/run tests/cve/run tests/cve/sources) \
	$(shell find tests demo -name '*.sh')

format:
	clang-format -i $(C_FILES)

format-check:
	clang-format --dry-run --Werror $(C_FILES)

lint:
	cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr --enable=warning,portability \
		--suppressions-list=.cppcheck-suppressions -D_GNU_SOURCE -D__x86_64__ -D__LP64__ \
		-Iinclude -I. $(call sources,$(filter-out include,$(C_FOLDERS)))
	shellcheck -x $(SHELL_FILES)
	scripts/check-includes
	scripts/check-tests
	scripts/check-arch

clean:
	rm -rf $(BUILD)

-include $(shell [ -d $(BUILD) ] && find $(BUILD) -name cve -prune -o -type f -name '*.d' -print)
