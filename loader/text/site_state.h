/*
 * site_state.h - the sites of the process, by their entries, and what each of them consists of.
 *
 * For site.c, site_find.c and site_place.c alone. Runs on whichever thread holds the engine lock.
 */
#ifndef HOTPATCH_SITE_STATE_H
#define HOTPATCH_SITE_STATE_H

#include "loader/text/damage.h"
#include "loader/text/keeper.h"
#include "loader/text/text_patch.h"
#include "loader/text/trap.h"
#include "resolve/padding.h"

enum { SITE_BUCKETS = 8192 };

/* What the stubs read and write, in a page of words. */
struct words {
    uintptr_t word;   /* where the stub leads: the target, or the hit stub */
    uintptr_t target; /* where the hit stub leads */
    uint8_t hit;
};

/* What may be done at an entry, until it is prepared. */
struct choice {
    struct arch_prologue prologue;
    struct arch_prologue wide; /* what is copied: more than is displaced */
    bool possible;
};

struct site {
    struct site *next;
    struct arch_prologue prologue;
    uint8_t pad[ARCH_LONG_BYTES]; /* what lay in the pad */
    struct text_patch patch;
    bool dropped, prepared, armed;
    bool released; /* its pad, in which nothing was written, is free for others */
    uintptr_t stub, hold, hit_stub, original; /* 0: there is none */
    size_t original_size;
    struct words *words;
    struct keeper *keepers;
    const char *technique; /* how it was armed; NULL: not yet */
    const char *expected;
    bool survives;        /* one that finds it there goes on in the old code */
    bool faults;          /* by SIGILL */
    struct damage damage; /* while it is armed: what others made of its bytes */
    struct trap traps[ARCH_PROLOGUE_COUNT];
    struct trap restored;      /* on no boundary: met where the original first byte is back */
    struct arch_prologue wide; /* what is copied: more than is displaced */
    struct choice by_short, by_long;
    struct padding padding;
};

/* Its jump is a short one, which no trap and no thread's position matters to. */
static inline bool site_has_pad(const struct site *site)
{
    return site->prologue.pad != 0;
}

/* A short jump is met by a trap only where a uprobe has put the original first byte before its rest. */
static inline unsigned site_trap_count(const struct site *site)
{
    if (!site->prepared)
        return 0;
    return site_has_pad(site) ? site->faults : site->prologue.count;
}

/* Return where the list of the sites begins whose entry may be `entry`. */
struct site **site_bucket(uintptr_t entry);
/* The first site of one of SITE_BUCKETS lists; NULL: it is empty. */
struct site *sites_in_bucket(size_t i);
/* Its object is unmapped, or mapped again. */
void site_drop(struct site *site, bool dropped);
/* One of the two ways to go, as long as it is not prepared. */
void site_take(struct site *site, const struct choice *choice);

/* ---- bytes that sites have ---- */

struct span {
    uintptr_t begin, end;
};

static inline struct span span_of_pad(uintptr_t pad)
{
    return (struct span){pad, pad + ARCH_LONG_BYTES};
}

/* Has it a pad that no other may have? */
static inline bool site_claims_pad(const struct site *site)
{
    return site_has_pad(site) && !site->released;
}

/* Visit those that are not dropped and whose bytes, or pad, may lie within the span. False once `each`
 * says so. */
bool sites_each_near(struct span span, bool (*each)(const struct site *site, const void *context),
                     const void *context);

#endif
