/*
 * site_place.h - memory near a function for a site: its stubs, its word, its relocated prologue and its pad.
 *
 * Listener (or the thread that runs the constructor), holding the engine lock.
 */
#ifndef HOTPATCH_SITE_PLACE_H
#define HOTPATCH_SITE_PLACE_H

#include "loader/text/site_problem.h"

struct site;

/* Find memory, write the stub and the relocated prologue, and let the word hold the relocated prologue. May map
 * memory. Does nothing where that has happened before. 0, or -1. */
int site_prepare(struct site *site, struct site_problem *why);
/* Is there padding for it, where it needs some? Keeps that from others, as site_prepare() does, and maps
 * nothing. 0, or -1. Inside objects_locked(). */
int site_claim(struct site *site, struct site_problem *why);
/* Nothing came of that: what is not written yet of its pad is free for others, until it is claimed or prepared
 * again. Inside objects_locked(). */
void site_release(struct site *site);

#endif
