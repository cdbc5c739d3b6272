/*
 * site_place.h - memory near a function for a site: its stubs, its word, its relocated prologue and its pad.
 *
 * Called by the listener, or by the thread that runs the constructor, with the engine lock held.
 */
#ifndef HOTPATCH_SITE_PLACE_H
#define HOTPATCH_SITE_PLACE_H

#include "loader/text/site_problem.h"

struct site;

/* Prepare the site: find memory, write the stub and the relocated prologue, and let the word hold the relocated
 * prologue. May map memory. Does nothing if the site is prepared. Return 0, or -1. */
int site_prepare(struct site *site, struct site_problem *why);
/* Claim padding if the site needs a pad. Like site_prepare(), it keeps other sites from using the pad; it maps no
 * memory. Return 0, or -1. Called inside objects_locked(). */
int site_claim(struct site *site, struct site_problem *why);
/* Release the claimed padding of a site that was not armed. A pad in which nothing is written is free for other sites
 * until the site is claimed or prepared again. Called inside objects_locked(). */
void site_release(struct site *site);

#endif
