/* replaces what is called as a function that returns twice */
#include "clobber.h"

HOTPATCH_MODULE("relies-twice", "1");

CLOBBERING(savectx)
