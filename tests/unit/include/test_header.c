/*
 * test_header.c - what hotpatch.h does in a program on its own, without the shim: the slots, the
 * answers of the run-time API, the manifest. Switches are made here by storing the slot's word, as
 * the engine does. Compilers, linkers and shapes of programs are the matter of header_matrix.sh.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>

#include <hotpatch.h>

#define NUMBER long /* signatures are texts after macro expansion */

struct pair {
    long first, second, third; /* returned through a hidden pointer */
};

HOTPATCH_NAMESPACE("test header");

HOTPATCH_FUNCTION(NUMBER, add, (NUMBER a, NUMBER b))
{
    return a + b;
}

HOTPATCH_FUNCTION(int, same_name, (void))
{
    return 1;
}

HOTPATCH_DATA(const char *, greeting, "hello");
HOTPATCH_DATA(int[3], limits, {1, 2, 3});
HOTPATCH_REQUIRE(int, wanted, (int));
HOTPATCH_REQUIRE(struct pair, wanted_pair, (const struct pair *));

static int32_t untyped(void *state, const void *input, void *output)
{
    *(int *)output = *(int *)state + *(const int *)input;
    return 4;
}

static int32_t untyped_other(void *state, const void *input, void *output)
{
    (void)state;
    (void)input;
    (void)output;
    return 5;
}

HOTPATCH_SLOT_FN("test.untyped", untyped);
HOTPATCH_SLOT_FN("test.other", untyped_other);

HOTPATCH_MODULE("test-module", "3");
HOTPATCH_TARGET("exe", "00ff");

HOTPATCH_REPLACE(int, same_name, (void))
{
    return HOTPATCH_ORIGINAL(same_name)() + 1;
}

HOTPATCH_REPLACE_AS(int, renamed, (const char *text), "libfoo.so.1:parse@reader.c")
{
    return text == NULL;
}

HOTPATCH_REPLACE_DATA(const char *, greeting, "hallo");

HOTPATCH_HOOK(after_apply)
{
    return hotpatch_context_replace(context, "late", "int (void)", NULL) + 1;
}

static NUMBER multiply(NUMBER a, NUMBER b)
{
    return a * b;
}

static int twice(int a)
{
    return 2 * a;
}

static void store(struct hotpatch_slot *slot, hotpatch_function function)
{
    __atomic_store_n(&slot->target, function, __ATOMIC_RELEASE);
}

static int put_back(void **state)
{
    struct hotpatch_slot *slot;

    (void)state;
    for (slot = __start_hotpatch_slots; slot != __stop_hotpatch_slots; slot++) {
        store(slot, slot->fallback);
        slot->unfilled = 0;
    }
    return 0;
}

/* ---- slots ---- */

static void a_call_follows_the_slot(void **state)
{
    (void)state;
    assert_int_equal(add(6, 7), 13);
    store(HOTPATCH_SLOT(add), (hotpatch_function)multiply);
    assert_int_equal(add(6, 7), 42);
    store(HOTPATCH_SLOT(add), HOTPATCH_SLOT(add)->fallback);
    assert_int_equal(add(6, 7), 13);
}

static void a_pointer_taken_before_the_switch_follows_it(void **state)
{
    NUMBER (*volatile pointer)(NUMBER, NUMBER) = add;

    (void)state;
    store(HOTPATCH_SLOT(add), (hotpatch_function)multiply);
    assert_int_equal(pointer(6, 7), 42);
}

static void a_pointer_to_the_function_is_the_slots_entry(void **state)
{
    NUMBER (*volatile pointer)(NUMBER, NUMBER) = add;

    (void)state;
    assert_true((hotpatch_function)pointer == HOTPATCH_SLOT(add)->entry);
}

static void bound_tells_whether_the_fallback_is_live(void **state)
{
    (void)state;
    assert_false(HOTPATCH_BOUND(wanted));
    store(HOTPATCH_SLOT(wanted), (hotpatch_function)twice);
    assert_true(HOTPATCH_BOUND(wanted));
}

static void a_signature_is_the_text_after_macro_expansion(void **state)
{
    (void)state;
    assert_string_equal(HOTPATCH_SLOT(add)->signature, "long (long a, long b)");
    assert_string_equal(HOTPATCH_SLOT(limits)->signature, "int[3]");
    assert_string_equal(HOTPATCH_SLOT(wanted_pair)->signature, "struct pair (const struct pair *)");
}

static void data_is_read_where_the_slot_points(void **state)
{
    static const char *other = "salut";

    (void)state;
    assert_string_equal(HOTPATCH_GET(greeting), "hello");
    __atomic_store_n(&hotpatch_slot_greeting.target, &other, __ATOMIC_RELEASE);
    assert_string_equal(HOTPATCH_GET(greeting), "salut");
}

static void data_is_written_where_the_slot_points(void **state)
{
    int other[3] = {7, 8, 9};

    (void)state;
    __atomic_store_n(&hotpatch_slot_limits.target, &other, __ATOMIC_RELEASE);
    (*HOTPATCH_POINTER(limits))[1] = 80;
    assert_int_equal(other[1], 80);
    put_back(NULL);
    assert_int_equal(HOTPATCH_GET(limits)[1], 2);
}

static void an_unfilled_function_returns_zero_and_is_counted(void **state)
{
    struct pair pair = {1, 2, 3};

    (void)state;
    assert_int_equal(wanted(3), 0);
    assert_int_equal(wanted(4), 0);
    assert_int_equal(HOTPATCH_SLOT(wanted)->unfilled, 2);
    pair = wanted_pair(&pair);
    assert_int_equal(pair.first, 0);
    assert_int_equal(pair.third, 0);
}

static void *call_unfilled(void *unused)
{
    (void)unused;
    for (int i = 0; i < 10000; i++)
        wanted(i);
    return NULL;
}

static void no_unfilled_call_of_several_threads_is_missed(void **state)
{
    pthread_t thread[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, call_unfilled, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(HOTPATCH_SLOT(wanted)->unfilled, 40000);
}

static void a_filled_function_is_not_counted(void **state)
{
    (void)state;
    store(HOTPATCH_SLOT(wanted), (hotpatch_function)twice);
    assert_int_equal(wanted(21), 42);
    assert_int_equal(HOTPATCH_SLOT(wanted)->unfilled, 0);
}

static int times_listed(const char *name)
{
    int times = 0;

    for (struct hotpatch_slot *s = __start_hotpatch_slots; s != __stop_hotpatch_slots; s++)
        times += strcmp(s->name, name) == 0;
    return times;
}

static void the_section_lists_every_slot_once(void **state)
{
    static const char *const names[] = {"add",    "same_name",   "greeting",     "limits",
                                        "wanted", "wanted_pair", "test.untyped", "test.other"};
    size_t count = sizeof names / sizeof names[0];

    (void)state;
    assert_int_equal(__stop_hotpatch_slots - __start_hotpatch_slots, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(times_listed(names[i]), 1);
}

/* ---- the run-time API without the shim ---- */

static void registering_is_refused(void **state)
{
    struct hotpatch_slot *slot = NULL;

    (void)state;
    assert_int_equal(hotpatch_register("ns", "made", "int (int)", (hotpatch_function)twice, &slot),
                     -ENOSYS);
    assert_null(slot);
}

static void setting_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(hotpatch_set(HOTPATCH_SLOT(add), (hotpatch_function)multiply, NULL), -ENOSYS);
    assert_int_equal(hotpatch_restore(HOTPATCH_SLOT(add)), -ENOSYS);
    assert_int_equal(add(6, 7), 13);
}

static void fail_if_called(void *context)
{
    (void)context;
    fail();
}

static void a_change_handler_is_accepted_and_never_called(void **state)
{
    (void)state;
    assert_int_equal(hotpatch_on_change(fail_if_called, NULL), 0);
    hotpatch_safe_point();
}

static void a_look_up_finds_the_objects_own_slots(void **state)
{
    (void)state;
    assert_ptr_equal(hotpatch_lookup(NULL, "add"), HOTPATCH_SLOT(add));
    assert_ptr_equal(hotpatch_lookup(NULL, "greeting"), HOTPATCH_SLOT(greeting));
    assert_int_equal(hotpatch_lookup(NULL, "test.other")->kind, HOTPATCH_KIND_UNTYPED);
    assert_null(hotpatch_lookup(NULL, "absent"));
}

static void a_look_up_knows_the_objects_own_namespace(void **state)
{
    (void)state;
    assert_ptr_equal(hotpatch_lookup("test header", "add"), HOTPATCH_SLOT(add));
    assert_null(hotpatch_lookup("elsewhere", "add"));
}

static void target_and_version_read_the_slot(void **state)
{
    struct hotpatch_slot slot = *HOTPATCH_SLOT(add);

    (void)state;
    slot.version = 7;
    assert_int_equal(hotpatch_version(&slot), 7);
    assert_true(hotpatch_target(&slot) == slot.fallback);
}

/* ---- untyped calls ---- */

static void an_untyped_call_reaches_what_is_live(void **state)
{
    int number = 1, output = 0;
    const int input = 2;

    (void)state;
    assert_int_equal(hotpatch_call("test.untyped", &number, &input, &output), 4);
    assert_int_equal(output, 3);
    store(hotpatch_lookup(NULL, "test.untyped"), (hotpatch_function)untyped_other);
    assert_int_equal(hotpatch_call("test.untyped", &number, &input, &output), 5);
}

static void an_untyped_call_of_no_slot_says_so(void **state)
{
    (void)state;
    assert_int_equal(hotpatch_call("test.absent", NULL, NULL, NULL), HOTPATCH_NO_SLOT);
}

static void a_typed_slot_is_not_called_as_untyped(void **state)
{
    (void)state;
    assert_int_equal(hotpatch_call("add", NULL, NULL, NULL), HOTPATCH_NO_SLOT);
}

/* Names at other addresses and names that share a place in the memory of hotpatch_call. */
static void an_untyped_call_goes_by_the_name_not_by_its_address(void **state)
{
    char name[256];

    (void)state;
    for (size_t at = 0; at < 200; at++) {
        snprintf(name + at, sizeof name - at, "test.other");
        assert_int_equal(hotpatch_call(name + at, NULL, NULL, NULL), 5);
        snprintf(name + at, sizeof name - at, "test.absent");
        assert_int_equal(hotpatch_call(name + at, NULL, NULL, NULL), HOTPATCH_NO_SLOT);
    }
}

/* ---- the manifest ---- */

static const struct hotpatch_entry *entry_of(const char *target)
{
    const struct hotpatch_entry *entry = HOTPATCH_MODULE_V1.entries_begin;

    for (; entry != HOTPATCH_MODULE_V1.entries_end; entry++)
        if (strcmp(entry->target, target) == 0)
            return entry;
    fail_msg("no entry %s", target);
    return NULL;
}

static void the_module_says_name_version_and_sizes(void **state)
{
    const struct hotpatch_module *module = &HOTPATCH_MODULE_V1;

    (void)state;
    assert_memory_equal(&module->magic, "HPMODUL1", 8);
    assert_int_equal(module->abi_version, 1);
    assert_int_equal(module->size, sizeof *module);
    assert_int_equal(module->entry_size, sizeof(struct hotpatch_entry));
    assert_string_equal(module->name, "test-module");
    assert_string_equal(module->version, "3");
    assert_int_equal(module->entries_end - module->entries_begin, 3);
    assert_int_equal(module->targets_end - module->targets_begin, 1);
    assert_string_equal(module->targets_begin->build_id, "00ff");
}

static void a_replacement_calls_the_original_that_the_engine_wrote(void **state)
{
    const struct hotpatch_entry *entry = entry_of("same_name");
    int (*live)(void) = (int (*)(void))entry->function;

    (void)state;
    assert_null(HOTPATCH_ORIGINAL(same_name));
    __atomic_store_n((hotpatch_function *)entry->original, HOTPATCH_SLOT(same_name)->fallback,
                     __ATOMIC_RELEASE);
    assert_int_equal(live(), 2);
}

static void a_replacement_may_name_its_target_apart_from_c(void **state)
{
    const struct hotpatch_entry *entry = entry_of("libfoo.so.1:parse@reader.c");

    (void)state;
    assert_string_equal(entry->signature, "int (const char *text)");
    assert_int_equal(entry->kind, HOTPATCH_KIND_FUNCTION);
}

static void replaced_data_has_storage_and_no_function(void **state)
{
    const struct hotpatch_entry *entry = entry_of("greeting");

    (void)state;
    assert_int_equal(entry->kind, HOTPATCH_KIND_DATA);
    assert_true(entry->function == NULL);
    assert_string_equal(*(const char *const *)entry->data, "hallo");
    assert_string_equal(entry->signature, "const char *");
}

static int expect_late(struct hotpatch_context *context, const char *target, const char *signature,
                       hotpatch_function function, void *original)
{
    assert_int_equal(context->size, sizeof *context);
    assert_string_equal(target, "late");
    assert_string_equal(signature, "int (void)");
    assert_true(function == NULL);
    assert_null(original);
    return 20;
}

static void a_hook_reaches_the_engine_through_its_context(void **state)
{
    struct hotpatch_context context = {.size = sizeof context, .replace = expect_late};

    (void)state;
    assert_int_equal(HOTPATCH_MODULE_V1.after_apply(&context), 21);
}

static void hooks_that_were_not_written_are_null(void **state)
{
    (void)state;
    assert_true(HOTPATCH_MODULE_V1.before_apply == NULL);
    assert_true(HOTPATCH_MODULE_V1.before_revert == NULL);
    assert_true(HOTPATCH_MODULE_V1.after_revert == NULL);
}

#define TEST(name) cmocka_unit_test_teardown(name, put_back)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_call_follows_the_slot),
        TEST(a_pointer_taken_before_the_switch_follows_it),
        TEST(a_pointer_to_the_function_is_the_slots_entry),
        TEST(bound_tells_whether_the_fallback_is_live),
        TEST(a_signature_is_the_text_after_macro_expansion),
        TEST(data_is_read_where_the_slot_points),
        TEST(data_is_written_where_the_slot_points),
        TEST(an_unfilled_function_returns_zero_and_is_counted),
        TEST(no_unfilled_call_of_several_threads_is_missed),
        TEST(a_filled_function_is_not_counted),
        TEST(the_section_lists_every_slot_once),
        TEST(registering_is_refused),
        TEST(setting_is_refused_and_changes_nothing),
        TEST(a_change_handler_is_accepted_and_never_called),
        TEST(a_look_up_finds_the_objects_own_slots),
        TEST(a_look_up_knows_the_objects_own_namespace),
        TEST(target_and_version_read_the_slot),
        TEST(an_untyped_call_reaches_what_is_live),
        TEST(an_untyped_call_of_no_slot_says_so),
        TEST(a_typed_slot_is_not_called_as_untyped),
        TEST(an_untyped_call_goes_by_the_name_not_by_its_address),
        TEST(the_module_says_name_version_and_sizes),
        TEST(a_replacement_calls_the_original_that_the_engine_wrote),
        TEST(a_replacement_may_name_its_target_apart_from_c),
        TEST(replaced_data_has_storage_and_no_function),
        TEST(a_hook_reaches_the_engine_through_its_context),
        TEST(hooks_that_were_not_written_are_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
