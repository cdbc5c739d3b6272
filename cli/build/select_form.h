/*
 * select_form.h - refuse variables of which the edited code has another form than the program: see select_form.c.
 */
#ifndef HOTPATCH_SELECT_FORM_H
#define HOTPATCH_SELECT_FORM_H

#include "cli/build/selecting.h"

/* Refuse with HP-STATE. */
void select_form(struct selecting *selecting);

#endif
