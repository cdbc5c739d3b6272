/*
 * test_names.c - the command's lists of names: which are there, in which order, each once.
 */
#include <stdio.h>
#include <string.h>

#include "cli/debug/debug_names.h"
#include "cli/debug/texts.h"
#include "tests/support/harness.h"

static void a_text_that_is_added_twice_is_there_once(void **state)
{
    enum { MANY = 5000 };
    struct texts texts = {0};
    char text[32];

    (void)state;
    for (int i = 0; i < 2 * MANY; i++) {
        snprintf(text, sizeof(text), "f%d", i % MANY);
        texts_add(&texts, text);
    }
    assert_int_equal(texts.count, MANY);
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof(text), "f%d", i);
        assert_string_equal(texts.list[i], text);
    }
    texts_free(&texts);
}

struct found {
    uint64_t addresses[8];
    size_t count;
};

static int note(const struct debug_function *function, void *context)
{
    struct found *found = context;

    assert_true(found->count < 8);
    found->addresses[found->count++] = function->address;
    return 0;
}

static void add(struct debug_names *names, const char *name, uint64_t address)
{
    struct debug_function function = {.name = name, .address = address};

    debug_names_add(&function, names);
}

static void functions_of_one_name_are_found_in_the_order_of_the_list(void **state)
{
    struct debug_names names = {0};
    struct found found = {0};

    (void)state;
    add(&names, "twice", 1);
    add(&names, "once", 2);
    add(&names, "twice", 3);
    assert_int_equal(debug_names_called(&names, "twice", note, &found), 0);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.addresses[0], 1);
    assert_int_equal(found.addresses[1], 3);
    add(&names, "twice", 4); /* after a look-up */
    found.count = 0;
    debug_names_called(&names, "twice", note, &found);
    assert_int_equal(found.count, 3);
    debug_names_free(&names);
}

static void a_clone_is_found_under_each_name_that_it_was_made_of(void **state)
{
    struct debug_names names = {0};
    struct found found = {0};

    (void)state;
    add(&names, "f", 1);
    add(&names, "f.part.0", 2);
    add(&names, "f.part.0.constprop.0", 3);
    add(&names, "f.isra.0.cold", 4); /* the function's own */
    add(&names, "ff.isra.0", 5);
    add(&names, "f.other.0", 6);
    debug_names_clones(&names, "f", note, &found);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.addresses[0], 2);
    assert_int_equal(found.addresses[1], 3);
    found.count = 0;
    debug_names_clones(&names, "f.part.0", note, &found);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.addresses[0], 3);
    debug_names_free(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_that_is_added_twice_is_there_once),
        cmocka_unit_test(functions_of_one_name_are_found_in_the_order_of_the_list),
        cmocka_unit_test(a_clone_is_found_under_each_name_that_it_was_made_of),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
