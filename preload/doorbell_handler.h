/*
 * doorbell_handler.h - the handler of the doorbell's signal.
 */
#ifndef HOTPATCH_DOORBELL_HANDLER_H
#define HOTPATCH_DOORBELL_HANDLER_H

/* Constructor: catch `signal`, 0: none. A signal that the host already handles stays the host's. */
void doorbell_handler_start(int signal);

#endif
