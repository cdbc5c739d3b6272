/*
 * entries_twin.h - what the two files of hosts/entries.c share.
 */
#ifndef ENTRIES_TWIN_H
#define ENTRIES_TWIN_H

/* Called as it stands: neither inlined nor cloned, its callers know nothing of what is in it. */
#ifdef __clang__
#define OPAQUE __attribute__((noinline, optnone))
#else
#define OPAQUE __attribute__((noipa))
#endif

int call_second_twin(void);

#endif
