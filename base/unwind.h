/*
 * unwind.h - the stack of a thread, read inside its process: each caller of an interrupted or calling function, by
 * call frame information (cfi.h).
 *
 * Any thread, also in signal handlers. Allocates nothing, takes no lock, and no address raises a fault: memory is
 * read by process_vm_readv(2), one system call for each read. Objects are found by _dl_find_object (glibc 2.35),
 * which is async-signal-safe.
 */
#ifndef HOTPATCH_UNWIND_H
#define HOTPATCH_UNWIND_H

#include "base/cfi.h"

/* Set `frame` to the frame that a signal interrupted. `context`: its handler's third parameter (a ucontext_t). */
void unwind_from_context(struct cfi_frame *frame, const void *context);

/* Read the process's own memory: a cfi_read without context. */
bool unwind_read(void *unused, uint64_t address, void *to, size_t size);

/* The object that contains the frame's code. */
struct unwind_object {
    uint64_t begin, end; /* as ld.so maps it */
    uint64_t table;      /* .eh_frame_hdr; 0: it has none */
};
bool unwind_object(uint64_t pc, struct unwind_object *out);

/* Make `frame` its caller. Return CFI_NO_FDE also if no object contains the pc. `function`: as for cfi_step(). */
enum cfi_result unwind_step(struct cfi_frame *frame, struct cfi_function *function);

/* Find the function that contains `pc`. Return false if none is known. */
bool unwind_function(uint64_t pc, struct cfi_function *function);

#endif
