/* identity.c - see identity.h. */
#include "preload/identity.h"

#include "base/state.h"
#include "base/sys.h"
#include "preload/rights.h"

static struct {
    bool in_user_namespace;
    dev_t root_dev; /* the root directory that the program was started in */
    ino_t root_ino;
} start STATE;

struct identity identity_now(void)
{
    struct identity now = {.pid = sys_getpid(), .uid = sys_geteuid()};
    struct stat st;

    now.privileged = !start.in_user_namespace && rights_beyond_user(now.uid);
    if (sys_fstatat(AT_FDCWD, "/", &st, 0) == 0) {
        now.root_dev = st.st_dev;
        now.root_ino = st.st_ino;
    }
    return now;
}

void identity_note_root(const struct identity *now)
{
    if (start.root_ino != 0)
        return;
    start.root_dev = now->root_dev;
    start.root_ino = now->root_ino;
}

bool identity_in_foreign_root(const struct identity *now)
{
    return now->root_dev != start.root_dev || now->root_ino != start.root_ino;
}

void identity_enter_user_namespace(void)
{
    start.in_user_namespace = true;
}

bool identity_is_in_user_namespace(void)
{
    return start.in_user_namespace;
}
