/* host.h - what the two files of the test host share, as a user's own header would. */
#ifndef TEST_HEADER_HOST_H
#define TEST_HEADER_HOST_H

#include <hotpatch.h>

struct small {
    int a, b;
};

struct large { /* returned through a hidden pointer */
    long words[5];
};

#ifdef __cplusplus
extern "C" {
#endif
int add(int a, int b);
int sum_all(int count, ...);
int other_file_result(void);
#ifdef __cplusplus
}
#endif

HOTPATCH_DECLARE_DATA(const char *, greeting);
HOTPATCH_DECLARE(struct large, missing_large, (int));

#endif
