/*
 * session_state.h - what a session (session.h) knows.
 */
#ifndef HOTPATCH_SESSION_STATE_H
#define HOTPATCH_SESSION_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/request.h"
#include "cli/process/channel.h"
#include "cli/session/client_request.h"
#include "cli/session/jail_answer.h"

enum session_stage {
    SESSION_RING,  /* look for the FIFO; the doorbell is rung where there is none */
    SESSION_SEND,  /* the FIFO is full: wait until it takes the line */
    SESSION_WAIT,  /* wait for the reply */
    SESSION_QUERY, /* ask the process what became of the request */
    SESSION_DONE
};

enum session_source { FROM_REPLY, FROM_HOST, FROM_FIFO, SESSION_SOURCES };

struct session {
    struct session_request *request;
    const struct client_request *client_request;
    int epoll; /* events carry place * SESSION_SOURCES + source */
    size_t place;
    enum session_stage stage;
    uint64_t until;    /* CLOCK_MONOTONIC ms: when the stage ends */
    uint64_t ring_end; /* 0: not tried */
    uint64_t lock_end; /* 0: no other command was met */
    int doorbell;      /* signal number; 0: none */
    uint32_t ring_flags;
    bool rung;        /* the listener was */
    bool rung_thread; /* a thread of the host was rung, and may make the listener */
    struct jail_answers jail_answers;
    uint64_t deadline;
    bool sent;
    struct channel channel;
    int reply;
    int host; /* pidfd */
    char id[REQUEST_ID_MAX];
    char query_id[REQUEST_ID_MAX];
    char reply_name[REQUEST_ID_MAX + 8];
    char **copies; /* paths of patches copied for this target */
    char line[REQUEST_MAX + 1];
    int length;
    char *buffer; /* what the reply FIFO gave and is no whole line yet */
    size_t filled;
    size_t capacity;
};

#endif
