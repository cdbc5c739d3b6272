/*
 * identity.h - the identity for which a process makes its endpoint: number, user, rights and root directory.
 *
 * Runs on the listener, and on the host thread that runs the constructor. By system calls alone.
 */
#ifndef HOTPATCH_IDENTITY_H
#define HOTPATCH_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct identity { /* compared by its bytes: no padding */
    pid_t pid;
    uid_t uid;
    uint64_t privileged;
    dev_t root_dev;
    ino_t root_ino;
};

struct identity identity_now(void);
/* Record the root directory that the program was started in: that of the first call. */
void identity_note_root(const struct identity *now);
/* Return whether the root directory has changed: then the runtime directory and the program's libraries may be
 * missing. */
bool identity_in_foreign_root(const struct identity *now);

/* Record that the process is in another user name space now. Host thread, while neither listener nor worker exists. */
void identity_enter_user_namespace(void);
bool identity_is_in_user_namespace(void);

#endif
