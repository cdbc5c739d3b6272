/*
 * site_state.h - the table of the sites of the process, by their entries, and the members of a site.
 *
 * Included only by site.c, site_find.c and site_place.c. Called by the thread that holds the engine lock.
 */
#ifndef HOTPATCH_SITE_STATE_H
#define HOTPATCH_SITE_STATE_H

#include "loader/text/damage.h"
#include "loader/text/keeper.h"
#include "loader/text/text_patch.h"
#include "loader/text/trap.h"
#include "resolve/padding.h"

enum { SITE_BUCKETS = 8192 };

/* The words that the stubs read and write, in a page of words. */
struct words {
    uintptr_t word;   /* where the stub leads: the target, or the hit stub */
    uintptr_t target; /* where the hit stub leads */
    uint8_t hit;
};

/* A possible way to arm an entry, until the site is prepared. */
struct choice {
    struct arch_prologue prologue;
    struct arch_prologue wide; /* the instructions that are copied: more than are displaced */
    bool possible;
};

struct site {
    struct site *next;
    struct arch_prologue prologue;
    uint8_t pad[ARCH_LONG_BYTES]; /* the original bytes of the pad */
    struct text_patch patch;
    bool dropped, prepared, armed;
    bool released; /* no bytes are written in the pad, and other sites may use it */
    uintptr_t stub, hold, hit_stub, original; /* 0: does not exist */
    size_t original_size;
    struct words *words;
    struct keeper *keepers;
    const char *technique; /* how the site was armed; NULL: not armed yet */
    const char *expected;
    /* a thread that meets the restored first byte continues in the old code */
    bool survives;
    bool faults;          /* the thread meets SIGILL there */
    struct damage damage; /* while the site is armed: the differences in its bytes */
    struct trap traps[ARCH_PROLOGUE_COUNT];
    /* not at a boundary: met when the original first byte is restored */
    struct trap restored;
    struct arch_prologue wide; /* the instructions that are copied: more than are displaced */
    struct choice by_short, by_long;
    struct padding padding;
};

/* Return whether the site's jump is short. No trap and no thread's position matters to a short jump. */
static inline bool site_has_pad(const struct site *site)
{
    return site->prologue.pad != 0;
}

/* Return the number of the site's traps. A thread meets a trap of a short jump only if a uprobe has written the
 * original first byte before the rest of the jump. */
static inline unsigned site_trap_count(const struct site *site)
{
    if (!site->prepared)
        return 0;
    return site_has_pad(site) ? site->faults : site->prologue.count;
}

/* Return the beginning of the list of sites that contains `entry`, if it has a site. */
struct site **site_bucket(uintptr_t entry);
/* Return the first site of list `i` of SITE_BUCKETS lists; NULL if the list is empty. */
struct site *sites_in_bucket(size_t i);
/* Record whether the site's object is unmapped, or mapped again. */
void site_drop(struct site *site, bool dropped);
/* Take one of the two choices. The site must not be prepared yet. */
void site_take(struct site *site, const struct choice *choice);

/* ---- bytes that belong to sites ---- */

struct span {
    uintptr_t begin, end;
};

static inline struct span span_of_pad(uintptr_t pad)
{
    return (struct span){pad, pad + ARCH_LONG_BYTES};
}

/* Return whether the site has a pad that no other site may have. */
static inline bool site_claims_pad(const struct site *site)
{
    return site_has_pad(site) && !site->released;
}

/* Call `each` for every site that is not dropped and whose bytes, or pad, may lie within the span, until `each` returns
 * false. Return false then. */
bool sites_each_near(struct span span, bool (*each)(const struct site *site, const void *context),
                     const void *context);

#endif
