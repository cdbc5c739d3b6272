/* signature_call.c - see signature_call.h. */
#include "resolve/signature_call.h"

#include <string.h>

#include "arch/callers.h"
#include "resolve/signature_read.h"

/* How a value is passed. On the stack it takes `stack` bytes, at a multiple of `alignment`. */
struct passing {
    bool known;
    uint8_t general, vector; /* registers, all or none; 0 and 0: always on the stack */
    uint8_t stack, alignment;
    uint16_t result_general;
    uint32_t result_vector;
};

static const struct passing UNKNOWN, NOTHING = {.known = true};
static const struct passing INTEGER = {true, 1, 0, 8, 8, ARCH_RESULT_GENERAL, 0};
static const struct passing INTEGER_PAIR = {true, 2, 0, 16, 16, ARCH_RESULT_GENERAL_PAIR, 0};
static const struct passing FLOATING = {true, 0, 1, 8, 8, 0, ARCH_RESULT_VECTOR};
static const struct passing FLOATING_PAIR = {true, 0, 2, 16, 8, 0, ARCH_RESULT_VECTOR_PAIR};
static const struct passing FLOATING_QUAD = {true, 0, 1, 16, 16, 0, ARCH_RESULT_VECTOR};
static const struct passing LONG_DOUBLE = {true, 0, 0, 16, 16, 0, 0};
static const struct passing LONG_DOUBLE_PAIR = {true, 0, 0, 32, 16, 0, 0};

static const struct {
    const char *name;
    const struct passing *passing;
} words[] = {
    {"void", &NOTHING},
    {"_Bool", &INTEGER},
    {"float", &FLOATING},
    {"__int128", &INTEGER_PAIR},
    {"__int128_t", &INTEGER_PAIR},
    {"__float128", &FLOATING_QUAD},
    {"_Float128", &FLOATING_QUAD},
    {"float_t", &FLOATING},
    {"double_t", &FLOATING},
    {"__uint128_t", &INTEGER_PAIR},
};

/* Typedefs of integers and pointers. Those of intN_t's kind are spelled out below. */
static const char *const integers[] = {
    "size_t",
    "ssize_t",
    "ptrdiff_t",
    "off_t",
    "off64_t",
    "loff_t",
    "pid_t",
    "uid_t",
    "gid_t",
    "id_t",
    "mode_t",
    "dev_t",
    "ino_t",
    "ino64_t",
    "nlink_t",
    "blksize_t",
    "blkcnt_t",
    "blkcnt64_t",
    "time_t",
    "clock_t",
    "clockid_t",
    "timer_t",
    "suseconds_t",
    "useconds_t",
    "socklen_t",
    "sa_family_t",
    "in_addr_t",
    "in_port_t",
    "wchar_t",
    "wint_t",
    "char8_t",
    "char16_t",
    "char32_t",
    "key_t",
    "pthread_t",
    "pthread_key_t",
    "nfds_t",
    "rlim_t",
    "sig_atomic_t",
    "intptr_t",
    "uintptr_t",
    "intmax_t",
    "uintmax_t",
    "u_char",
    "u_short",
    "u_int",
    "u_long",
    "uint",
    "ushort",
    "ulong",
    "quad_t",
    "u_quad_t",
    "register_t",
    "va_list",
    "sighandler_t",
    "locale_t",
    "errno_t",
    "rsize_t",
    "__builtin_va_list",
};

static bool is_integer_typedef(struct token name)
{
    static const char *const widths[] = {"8_t", "16_t", "32_t", "64_t"};
    static const char *const kinds[] = {"int",       "uint",      "u_int",     "int_fast",
                                        "uint_fast", "int_least", "uint_least"};
    char text[32];

    if (name.length >= 5 && memcmp(name.text, "std::", 5) == 0)
        name = (struct token){name.text + 5, name.length - 5};
    for (size_t i = 0; i < sizeof(integers) / sizeof(*integers); i++)
        if (token_is(name, integers[i]))
            return true;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        for (size_t k = 0; k < sizeof(widths) / sizeof(*widths); k++) {
            strcpy(text, kinds[i]);
            strcat(text, widths[k]);
            if (token_is(name, text))
                return true;
        }
    return false;
}

static struct passing of_complex(const struct node *node)
{
    if (strstr(node->text, "long double"))
        return LONG_DOUBLE_PAIR;
    if (strstr(node->text, "double"))
        return FLOATING_PAIR;
    return token_is(node->whole, "float") ? FLOATING : UNKNOWN; /* two floats in eight bytes */
}

/* A typedef's own word, or one that stands alone. */
static struct passing of_word(const struct node *node)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (token_is(node->whole, words[i].name))
            return *words[i].passing;
    return is_integer_typedef(node->whole) ? INTEGER : UNKNOWN;
}

static struct passing of_base(const struct node *node)
{
    if (strncmp(node->text, "_Complex", 8) == 0)
        return of_complex(node);
    if (strncmp(node->text, "enum ", 5) == 0)
        return INTEGER;
    if (node->whole.length > 0)
        return *node->text && strcmp(node->text, "unsigned ") != 0 ? UNKNOWN : of_word(node);
    if (strcmp(node->text, "long double") == 0)
        return LONG_DOUBLE;
    return strcmp(node->text, "double") == 0 ? FLOATING : INTEGER;
}

static struct passing passing_of(const struct node *type)
{
    switch (type->kind) {
    case NODE_POINTER:
    case NODE_REFERENCE:
        return INTEGER;
    case NODE_BASE:
        return of_base(type);
    default:
        return UNKNOWN;
    }
}

struct argument_places {
    unsigned general, vector; /* left */
    uint32_t stack;
};

static void place_argument(struct argument_places *places, const struct passing *passing)
{
    bool fits = (passing->general || passing->vector) && passing->general <= places->general &&
                passing->vector <= places->vector;

    if (fits) {
        places->general -= passing->general;
        places->vector -= passing->vector;
        return;
    }
    places->stack = (places->stack + passing->alignment - 1) & ~(passing->alignment - 1u);
    places->stack += passing->stack;
}

/* A result of an unknown type may lie in memory whose address is one argument more. */
static bool place_all(const struct node *function, uint32_t *stack)
{
    struct argument_places places = {.general = ARCH_GENERAL_ARGUMENTS,
                                     .vector = ARCH_VECTOR_ARGUMENTS};

    if (!passing_of(function->inner).known)
        return false;
    for (const struct node *n = function->parameters; n; n = n->next) {
        struct passing passing = passing_of(n);

        if (!passing.known || passing.stack == 0)
            return false;
        place_argument(&places, &passing);
    }
    *stack = (places.stack + 7) & ~7u;
    return true;
}

/* A structure that one register holds is still no integer. */
static bool is_not_one_word(const struct node *type, const struct passing *passing)
{
    static const char *const aggregates[] = {"struct ", "union ", "class "};

    for (size_t i = 0; type->kind == NODE_BASE && i < sizeof(aggregates) / sizeof(*aggregates); i++)
        if (strncmp(type->text, aggregates[i], strlen(aggregates[i])) == 0)
            return true;
    return passing->known && (passing->vector > 0 || passing->stack > 8);
}

struct signature_call signature_call(const char *text)
{
    struct signature_call call = {0};
    struct signature_tree tree;

    if (!text || signature_read(text, &tree) != 0)
        return call;
    if (tree.type->kind == NODE_FUNCTION) {
        struct passing result = passing_of(tree.type->inner);

        call.variadic = tree.type->variadic;
        call.arguments_known = !call.variadic && place_all(tree.type, &call.stack_bytes);
        call.result_known = result.known;
        call.result_general = result.result_general;
        call.result_vector = result.result_vector;
        call.result_not_one_word = is_not_one_word(tree.type->inner, &result);
    }
    signature_tree_free(&tree);
    return call;
}
