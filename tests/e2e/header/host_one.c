/*
 * host_one.c - every kind of slot, called without the shim, with it or under a stand-in for it.
 * Compiled as C11 and as C++17 by matrix.sh; prints "ok" and returns 0 if all answers are right.
 */
#include <stdarg.h>
#include <stdio.h>

#include "host.h"

#define NUMBER double /* signatures are texts after macro expansion */

HOTPATCH_NAMESPACE("matrix");

HOTPATCH_FUNCTION(int, add, (int a, int b))
{
    return a + b;
}

HOTPATCH_FUNCTION(int, sum_all, (int count, ...))
{
    va_list list;
    int sum = 0;

    va_start(list, count);
    for (int i = 0; i < count; i++)
        sum += va_arg(list, int);
    va_end(list);
    return sum;
}

HOTPATCH_FUNCTION(double, mean_variadic, (int count, ...))
{
    va_list list;
    double sum = 0;

    va_start(list, count);
    for (int i = 0; i < count; i++)
        sum += va_arg(list, double);
    va_end(list);
    return sum / count;
}

HOTPATCH_FUNCTION(struct small, swap_small, (struct small s))
{
    struct small swapped = {s.b, s.a};

    return swapped;
}

HOTPATCH_FUNCTION(struct large, grow, (struct large l, int by))
{
    for (int i = 0; i < 5; i++)
        l.words[i] += by;
    return l;
}

HOTPATCH_FUNCTION(NUMBER, mix, (float a, NUMBER b, long double c))
{
    return (NUMBER)(a + b + (NUMBER)c);
}

HOTPATCH_FUNCTION(long, twelve,
                  (int a, int b, int c, int d, int e, int f, int g, int h, int i, int j, int k,
                   int l))
{
    return a + 2L * b + 3L * c + 4L * d + 5L * e + 6L * f + 7L * g + 8L * h + 9L * i + 10L * j +
           11L * k + 12L * l;
}

HOTPATCH_FUNCTION(double, ten_floats,
                  (double a, double b, double c, double d, double e, double f, double g, double h,
                   double i, double j))
{
    return a + b + c + d + e + f + g + h + 10 * i + 100 * j;
}

HOTPATCH_FUNCTION(void, bump, (int *n))
{
    ++*n;
}

HOTPATCH_FUNCTION(int, never_called, (void))
{
    return 1;
}

HOTPATCH_DATA(int[3], limits, {1, 2, 3});
HOTPATCH_DATA(const int, fixed, 5);
HOTPATCH_DATA(struct small, pair, {3, 4});

HOTPATCH_REQUIRE(void, missing_void, (int));
HOTPATCH_REQUIRE(int, missing_int, (int, int));
HOTPATCH_REQUIRE(float, missing_float, (float));
HOTPATCH_REQUIRE(long double, missing_long_double, (void));
HOTPATCH_REQUIRE(const char *, missing_text, (void));
HOTPATCH_REQUIRE(char *const *, missing_vector, (void));
HOTPATCH_REQUIRE(struct small, missing_small, (struct small));
HOTPATCH_REQUIRE(struct large, missing_large, (int));

static int32_t untyped_add(void *state, const void *input, void *output)
{
    *(int *)output = *(int *)state + *(const int *)input;
    return 7;
}
HOTPATCH_SLOT_FN("host.add", untyped_add);
HOTPATCH_SLOT_FN("host.add twice", untyped_add);

HOTPATCH_C_BEGIN
extern struct hotpatch_slot_table hotpatch_slot_table_v1;
__attribute__((visibility("default"))) int host_main(int preloaded);
HOTPATCH_C_END

static int failures;

static void check(int right, const char *what)
{
    if (!right) {
        printf("wrong: %s\n", what);
        failures++;
    }
}
#define CHECK(what) check(what, #what)

static void check_functions(void)
{
    int (*volatile pointer)(int, int) = add;
    struct small s = {1, 2};
    struct large l = {{1, 2, 3, 4, 5}};
    int n = 0;

    CHECK(add(2, 3) == 5);
    CHECK(pointer(2, 3) == 5);
    CHECK(sum_all(4, 1, 2, 3, 4) == 10);
    CHECK(mean_variadic(2, 1.0, 2.0) == 1.5);
    CHECK(swap_small(s).a == 2 && swap_small(s).b == 1);
    CHECK(grow(l, 10).words[4] == 15);
    CHECK(mix(1.0f, 2.0, 3.0L) == 6.0);
    CHECK(twelve(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12) == 650);
    CHECK(ten_floats(1, 1, 1, 1, 1, 1, 1, 1, 1, 1) == 118.0);
    bump(&n);
    CHECK(n == 1);
    CHECK(other_file_result() == 42);
}

static void check_data(void)
{
    CHECK(strcmp(HOTPATCH_GET(greeting), "hello") == 0);
    CHECK(HOTPATCH_GET(limits)[2] == 3);
    CHECK(sizeof HOTPATCH_GET(limits) == 3 * sizeof(int));
    CHECK(HOTPATCH_GET(fixed) == 5);
    CHECK(HOTPATCH_GET(pair).b == 4);
    HOTPATCH_POINTER(pair)->b = 9;
    CHECK(HOTPATCH_GET(pair).b == 9);
    CHECK(!HOTPATCH_BOUND(pair));
}

static void check_required(void)
{
    struct small s = {1, 2};

    missing_void(1);
    missing_void(2);
    CHECK(missing_int(1, 2) == 0);
    CHECK(missing_float(1.0f) == 0.0f);
    CHECK(missing_long_double() == 0.0L);
    CHECK(missing_text() == NULL);
    CHECK(missing_vector() == NULL);
    CHECK(missing_small(s).a == 0 && missing_small(s).b == 0);
    CHECK(missing_large(1).words[0] == 0 && missing_large(1).words[4] == 0);
    CHECK(!HOTPATCH_BOUND(missing_void));
    CHECK(HOTPATCH_SLOT(missing_void)->unfilled == 2);
}

static void check_untyped(void)
{
    int state = 1, output = 0;
    const int input = 2;

    CHECK(hotpatch_call("host.add", &state, &input, &output) == 7 && output == 3);
    CHECK(hotpatch_call("host.add", &state, &input, &output) == 7);
    CHECK(hotpatch_call("host.absent", &state, &input, &output) == HOTPATCH_NO_SLOT);
}

static void check_slots(void)
{
    const struct hotpatch_slot *slot = HOTPATCH_SLOT(mix);

    CHECK(strcmp(slot->name, "mix") == 0);
    CHECK(strcmp(slot->signature, "double (float a, double b, long double c)") == 0);
    CHECK(strcmp(HOTPATCH_SLOT(limits)->signature, "int[3]") == 0);
    CHECK(strcmp(HOTPATCH_SLOT(missing_int)->signature, "int (int, int)") == 0);
    CHECK(slot->target == slot->fallback && slot->entry != NULL);
    CHECK(slot->kind == HOTPATCH_KIND_FUNCTION);
    CHECK(HOTPATCH_SLOT(missing_int)->kind == HOTPATCH_KIND_REQUIRED);
    CHECK(hotpatch_version(slot) == 0 && hotpatch_target(slot) == slot->fallback);
    CHECK(hotpatch_slot_table_v1.magic == HOTPATCH_SLOT_TABLE_MAGIC);
    CHECK(hotpatch_slot_table_v1.version == HOTPATCH_ABI_VERSION);
    CHECK(hotpatch_slot_table_v1.entry_size == sizeof(struct hotpatch_slot));
    CHECK(hotpatch_slot_table_v1.end - hotpatch_slot_table_v1.begin == SLOTS);
    CHECK(strcmp(hotpatch_slot_table_v1.name_space, "matrix") == 0);
}

/* Under stand_in.c, which answers in the shim's place, the weak references must have found it. */
static void check_shim(int preloaded)
{
    struct hotpatch_slot *slot = NULL;
    int registered = hotpatch_register("ns", "made", "void (void)", NULL, &slot);

    CHECK(registered == (preloaded ? 0 : -ENOSYS));
    CHECK((slot != NULL) == preloaded);
    CHECK(hotpatch_set(HOTPATCH_SLOT(add), NULL, NULL) == (preloaded ? 1 : -ENOSYS));
    CHECK(hotpatch_restore(HOTPATCH_SLOT(add)) == (preloaded ? 2 : -ENOSYS));
    CHECK(hotpatch_on_change(NULL, NULL) == (preloaded ? 3 : 0));
    CHECK((hotpatch_lookup(NULL, "stand-in") != NULL) == preloaded);
    CHECK(hotpatch_lookup("matrix", "add") == HOTPATCH_SLOT(add));
    CHECK(hotpatch_lookup("elsewhere", "add") == NULL);
    hotpatch_safe_point();
}

int host_main(int preloaded)
{
    check_functions();
    check_data();
    check_required();
    check_slots();
    check_shim(preloaded);
    check_untyped();
    puts(failures == 0 ? "ok" : "FAILED");
    return failures != 0;
}
