/* slot_objects.h - keep the slots equal to the list of objects: register, check and drop slots when objects come and
 * go. */
#ifndef HOTPATCH_SLOT_OBJECTS_H
#define HOTPATCH_SLOT_OBJECTS_H

/* Register with the list of objects (object.h). */
void slot_objects_register(void);

#endif
