/*
 * host_callers.h - who refers to an address of the binary: for a function whose prototype changed, and that other files
 * may call.
 *
 * Compiled into the command; one thread.
 */
#ifndef HOTPATCH_HOST_CALLERS_H
#define HOTPATCH_HOST_CALLERS_H

#include <stdbool.h>
#include <stdint.h>

#include "elf/binary.h"

/* `function`: the one whose code has a field that leads to the address. A true return stops and is returned. */
typedef bool host_caller_visit(const struct binary_symbol *function, void *context);

/*
 * Call `each` for every function with four bytes that lead to the address, counted from their end as in a call, or as
 * they stand where the binary has fixed addresses; or, if the address has an exported name, to a stub or word of that
 * name. Every offset is tried, so no caller is missed; a number that only looks like one is very rare.
 */
bool host_callers(const struct binary *binary, uint64_t address, host_caller_visit *each,
                  void *context);

/* Return whether a variable or table of the binary holds the address, or code takes it. */
bool host_address_taken(const struct binary *binary, uint64_t address);

/* Call `each` for the names under which other objects can find the function; a non-zero return stops and is returned. */
int host_exported(const struct binary *binary, uint64_t address, binary_symbol_visit *each,
                  void *context);

#endif
