/*
 * port.h - the list of declarations that a machine without a folder in arch/ must define: all of these headers. `make
 * CROSS=TRIPLET` compiles this file if the folder is missing. No file includes it.
 */
#ifndef HOTPATCH_PORT_H
#define HOTPATCH_PORT_H

#include "arch/arch.h"
#include "arch/callers.h"
#include "arch/compare.h"
#include "arch/decoder.h"
#include "arch/far_data.h"
#include "arch/fields.h"
#include "arch/foreign.h"
#include "arch/injection.h"
#include "arch/keep.h"
#include "arch/plt.h"
#include "arch/relocation.h"
#include "arch/stack_arguments.h"
#include "arch/thin.h"
#include "base/call_site.h"
#include "base/cfi_frame.h"
#include "base/host_calls.h"
#include "base/interrupted_call.h"
#include "base/machine.h"
#include "base/sha256_blocks.h"
#include "base/sigframe.h"
#include "base/stack_switch.h"
#include "base/step_instruction.h"
#include "base/step_string.h"
#include "base/sys.h"
#include "base/under_mask.h"
#include "base/unwind.h"
#include "base/valgrind.h"

#error "arch/ has no folder for this machine: fill one with what arch/port.h includes"

#endif
