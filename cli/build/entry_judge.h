/*
 * entry_judge.h - can the entry of a function of the target be patched? Judged as the process judges it, by its file.
 *
 * Compiled into the command; one thread.
 */
#ifndef HOTPATCH_ENTRY_JUDGE_H
#define HOTPATCH_ENTRY_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct entry_judge;

/* `path`: the target's file, which is read when the first function is judged; NULL: no function is judged. The path must
 * outlive the judge. NULL is returned where there is no memory, and may be passed to all functions. */
struct entry_judge *entry_judge_new(const char *path);
void entry_judge_free(struct entry_judge *judge);

/* Return whether the function at that address (before load bias) has no room for a jump; `text`: why, one clause. Functions
 * that are long enough are not looked at: reading the file takes longer than comparing an object. */
bool entry_judge_refuses(struct entry_judge *judge, uint64_t address, uint64_t size, char *text,
                         size_t room);

#endif
