/* test_sha256.c - the digest against the vectors of FIPS 180-4 and sha256sum(1)'s of the bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/sha256.h"

static void assert_digest(const char *text, const char *expected)
{
    char hex[65];

    sha256_hex(text, strlen(text), hex);
    assert_string_equal(hex, expected);
}

static void published_vectors_agree(void **state)
{
    (void)state;
    assert_digest("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_digest("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void every_length_around_a_block_agrees_with_sha256sum(void **state)
{
    char path[] = "/tmp/test_sha256.XXXXXX", command[64], expected[65], hex[65], bytes[300];
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    snprintf(command, sizeof(command), "sha256sum %s", path);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 7);
    for (size_t length = 0; length < sizeof(bytes); length += length < 130 ? 9 : 41) {
        FILE *pipe;

        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, bytes, length, 0), (ssize_t)length);
        pipe = popen(command, "r");
        assert_non_null(pipe);
        assert_int_equal(fscanf(pipe, "%64s", expected), 1);
        pclose(pipe);
        sha256_hex(bytes, length, hex);
        assert_string_equal(hex, expected);
    }
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors_agree),
        cmocka_unit_test(every_length_around_a_block_agrees_with_sha256sum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
