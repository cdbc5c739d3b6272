/*
 * baseline_symbols.h - what all evidence says of each symbol of the object. For baseline.c alone.
 */
#ifndef HOTPATCH_BASELINE_SYMBOLS_H
#define HOTPATCH_BASELINE_SYMBOLS_H

#include "resolve/baseline_work.h"

/* Fill in result->symbols from all evidence, then from .symtab. */
void symbols_apply(struct baseline_work *work);

#endif
