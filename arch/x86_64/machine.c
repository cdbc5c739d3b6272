/* machine.c - see base/machine.h. */
#include "base/machine.h"

#include <elf.h>
#include <stddef.h>

const char machine_name[] = "x86-64";
const char machine_family[] = "64-bit x86";
const uint16_t machine_elf = EM_X86_64;
const char machine_linker[] = "ld-linux-x86-64.so.2";
const char machine_linker_stem[] = "ld-linux-x86-64.so";
const char machine_linker_path[] = "/lib64/ld-linux-x86-64.so.2";
const char machine_vdso[] = "linux-vdso.so.1";

const char machine_library_path[] =
    "/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:/lib64:/usr/lib64:/lib:/usr/lib";
const char machine_multiarch[] = "lib/x86_64-linux-gnu";
const char *const machine_hwcaps[] = {"x86-64-v4", "x86-64-v3", "x86-64-v2", NULL};
const char *const machine_decoder_libs[] = {"libZydis.so.4.0", "libZycore.so.1.4", NULL};
const char machine_decoder_stem[] = "libZydis.so";
