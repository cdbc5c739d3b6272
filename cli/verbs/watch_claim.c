/* watch_claim.c - see watch_claim.h. */
#include "cli/verbs/watch_claim.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLAIM_BACKLOG = 16 };

static socklen_t name_claim(struct sockaddr_un *address, pid_t pid, uint64_t start_time)
{
    int length;

    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    length = snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1,
                      "hotpatch-watch-%d-%" PRIu64, pid, start_time);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
}

/* Return the process at the other end, if its user is this one, or either is root; else 0: any user may take the name. */
static pid_t peer_of(int file)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (getsockopt(file, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return 0;
    return peer.uid == geteuid() || peer.uid == 0 || geteuid() == 0 ? peer.pid : 0;
}

int watch_claim(pid_t pid, uint64_t start_time, pid_t *other)
{
    int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un address;
    socklen_t length = name_claim(&address, pid, start_time);

    *other = 0;
    if (file < 0)
        return -1;
    if (bind(file, (const struct sockaddr *)&address, length) == 0) {
        if (listen(file, CLAIM_BACKLOG) == 0)
            return file;
    } else if (errno == EADDRINUSE &&
               connect(file, (const struct sockaddr *)&address, length) == 0) {
        *other = peer_of(file);
    }
    close(file);
    return -1;
}

pid_t watch_claim_other(int claim)
{
    pid_t other = 0;
    int file;

    while (other == 0 && (file = accept4(claim, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        other = peer_of(file);
        close(file);
    }
    return other;
}
