/* generated.c - see generated.h. */
#include "tests/support/generated.h"

#include <stdbool.h>

enum { ARGUMENTS_MAX = 8, FUNCTIONS_MAX = 512 };

struct made {
    char kind;          /* 'i', 'd', 'v' */
    unsigned arguments; /* arguments of type long; a double comes first if `floats` */
    bool floats, loops;
};

struct generator {
    FILE *out;
    uint64_t state;
    struct made made[FUNCTIONS_MAX];
    unsigned count;
};

static uint64_t next(struct generator *g)
{
    g->state ^= g->state << 13;
    g->state ^= g->state >> 7;
    g->state ^= g->state << 17;
    return g->state;
}

static unsigned below(struct generator *g, unsigned bound)
{
    return (unsigned)(next(g) >> 33) % bound;
}

static bool one_in(struct generator *g, unsigned n)
{
    return below(g, n) == 0;
}

/* ---- expressions of a, b, ... (long), x (double), t, u (locals) ---- */

static void write_long(struct generator *g, const struct made *made, unsigned depth)
{
    static const char *const operators[] = {"+", "-", "^", "&", "|", "*"};

    if (depth > 0 && !one_in(g, 3)) {
        fputs("(", g->out);
        write_long(g, made, depth - 1);
        fprintf(g->out, " %s ", operators[below(g, 6)]);
        write_long(g, made, depth - 1);
        fputs(")", g->out);
        return;
    }
    switch (below(g, made->arguments > 0 ? 5 : 3)) {
    case 0:
        fprintf(g->out, "%uL", below(g, 1000) + 1);
        break;
    case 1:
        fputs("t", g->out);
        break;
    case 2:
        fputs(one_in(g, 2) ? "u" : "global", g->out);
        break;
    default:
        fprintf(g->out, "%c", 'a' + (int)below(g, made->arguments));
    }
}

static void write_double(struct generator *g, const struct made *made)
{
    static const char *const forms[] = {"y * 0.5 + %u", "y - %u", "(y + t %% 64) * 0.25 + %u",
                                        "%u + (double)(u & 31)"};

    fprintf(g->out, forms[below(g, 4)], below(g, 100));
    if (made->floats && one_in(g, 2))
        fputs(" + x", g->out);
}

static void write_call(struct generator *g, const struct made *made, unsigned callee)
{
    const struct made *called = &g->made[callee];

    if (one_in(g, 12))
        fprintf(g->out, "((__typeof__(&%c%u))opaque(%c%u))(", called->kind, callee, called->kind,
                callee);
    else
        fprintf(g->out, "%c%u(", called->kind, callee);
    if (called->floats)
        fputs(one_in(g, 2) ? "y" : "y + 1.5", g->out);
    for (unsigned i = 0; i < called->arguments; i++) {
        fputs(i > 0 || called->floats ? ", " : "", g->out);
        write_long(g, made, below(g, 2));
    }
    fputs(")", g->out);
}

/* ---- statements ---- */

/* Return an earlier function, often a near one, so that chains arise. */
static unsigned some_callee(struct generator *g, unsigned self)
{
    unsigned reach = one_in(g, 2) && self > 4 ? 4 : self;

    return self - 1 - below(g, reach);
}

static void write_use(struct generator *g, const struct made *made, unsigned callee)
{
    switch (g->made[callee].kind) {
    case 'i':
        fprintf(g->out, "    %s %s= ", one_in(g, 2) ? "t" : "u", one_in(g, 2) ? "+" : "^");
        break;
    case 'd':
        fputs("    y = 0.5 * y + ", g->out);
        break;
    default:
        fputs("    ", g->out);
    }
    write_call(g, made, callee);
    fputs(";\n", g->out);
}

static void write_statement(struct generator *g, unsigned self, bool leaf)
{
    const struct made *made = &g->made[self];

    switch (below(g, 8)) {
    case 0:
        fputs("    if ((", g->out);
        write_long(g, made, 1);
        fputs(") & 1)\n    ", g->out);
        break;
    case 1:
        fputs("    global ^= ", g->out);
        write_long(g, made, 1);
        fputs(";\n", g->out);
        break;
    case 2:
        fputs("    y = ", g->out);
        write_double(g, made);
        fputs(";\n", g->out);
        break;
    case 3:
        fprintf(g->out,
                "    switch (t & 7) { case 0: u += 3; break; case 1: u ^= t; break; "
                "case 2: t += u * %u; break; case 3: t -= 9; break; case 4: u = ~u; break; "
                "case 6: t ^= u << 3; break; default: u++; }\n",
                below(g, 9) + 2);
        break;
    default:
        break;
    }
    if (!leaf && !one_in(g, 4)) {
        write_use(g, made, some_callee(g, self));
    } else {
        fprintf(g->out, "    %s += ", one_in(g, 2) ? "t" : "u");
        write_long(g, made, 2);
        fputs(";\n", g->out);
    }
}

static void write_end(struct generator *g, unsigned self, bool leaf)
{
    const struct made *made = &g->made[self];
    unsigned callee = leaf ? 0 : some_callee(g, self);

    if (!leaf && one_in(g, 3) && g->made[callee].kind == made->kind) {
        fputs(made->kind == 'v' ? "    " : "    return ", g->out);
        write_call(g, made, callee);
        fputs(";\n", g->out);
    } else if (made->kind == 'i') {
        fputs("    return t ^ u ^ (long)y;\n", g->out);
    } else if (made->kind == 'd') {
        fputs("    return y + (double)(t & 63);\n", g->out);
    } else {
        fputs("    global += t ^ u;\n    if (y > 1e6)\n        global++;\n", g->out);
    }
}

static void write_head(struct generator *g, unsigned self)
{
    const struct made *made = &g->made[self];
    const char *type = made->kind == 'i' ? "long" : made->kind == 'd' ? "double" : "void";

    fprintf(g->out, "%s__attribute__((noinline, noclone)) %s %c%u(", one_in(g, 5) ? "" : "static ",
            type, made->kind, self);
    if (made->floats)
        fputs("double x", g->out);
    for (unsigned i = 0; i < made->arguments; i++)
        fprintf(g->out, "%slong %c", i > 0 || made->floats ? ", " : "", 'a' + (int)i);
    fputs(made->floats || made->arguments ? ")\n{\n" : "void)\n{\n", g->out);
    fprintf(g->out, "    long t = %s, u = %u;\n    double y = %s;\n    (void)y;\n",
            made->arguments ? "a" : "global", below(g, 100), made->floats ? "x" : "0.5");
}

static void write_function(struct generator *g, unsigned self)
{
    struct made *made = &g->made[self];
    bool leaf = self < 4 || one_in(g, 3), loops = !leaf && one_in(g, 3);
    unsigned statements = 1 + below(g, 4);

    made->kind = "iiidv"[below(g, 5)];
    made->floats = made->kind == 'd' || one_in(g, 6);
    made->arguments = one_in(g, 8) ? 6 + below(g, ARGUMENTS_MAX - 5) : below(g, 4);
    write_head(g, self);
    if (loops)
        fprintf(g->out, "    for (long k = 0; k < %u; k++) {\n    t += k;\n", 2 + below(g, 3));
    for (unsigned i = 0; i < statements; i++)
        write_statement(g, self, leaf);
    if (!leaf && one_in(g, 6))
        fputs("    t += sink(u);\n", g->out);
    if (!leaf && one_in(g, 10))
        fputs("    y += scale(y);\n", g->out);
    if (loops)
        fputs("    }\n", g->out);
    write_end(g, self, leaf);
    fputs("}\n\n", g->out);
}

static void write_main(struct generator *g)
{
    const struct made none = {0};

    fputs("int main(void)\n{\n    long t = 1, u = 2;\n    double y = 0.5;\n    alarm(20);\n",
          g->out);
    for (unsigned i = 0; i < g->count; i++) {
        write_use(g, &none, i);
        fprintf(g->out,
                "    printf(\"%u %%ld %%ld %%.17g %%ld\\n\", t, u, y, global);\n"
                "    t &= 0xffff; u &= 0xffff; if (!(y < 1e9 && y > -1e9)) y = 1;\n",
                i);
    }
    fputs("    return 0;\n}\n", g->out);
}

void generated_program(FILE *out, uint64_t seed, unsigned count)
{
    struct generator g = {.out = out, .state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1};

    g.count = count < FUNCTIONS_MAX ? count : FUNCTIONS_MAX;
    fputs("#include <stdio.h>\n#include <unistd.h>\nlong sink(long);\ndouble scale(double);\n"
          "void *opaque(void *);\nlong global = 7;\n\n",
          out);
    for (unsigned i = 0; i < g.count; i++)
        write_function(&g, i);
    write_main(&g);
}

void generated_sink(FILE *out)
{
    fputs("static long seen;\nlong sink(long value)\n{\n    seen = seen * 31 + value;\n"
          "    return seen & 0xff;\n}\n"
          "double scale(double value)\n{\n    return value * 0.125 + (seen & 3);\n}\n"
          "void *opaque(void *function)\n{\n    return function;\n}\n",
          out);
}
