/* shim_active.c - see shim_active.h. */
#include "preload/shim_active.h"

#include "base/state.h"

static bool active STATE;

bool shim_active(void)
{
    return active;
}

void shim_activate(void)
{
    active = true;
}
