/* code.c - see code.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/code.h"

static void parse_hex(const char *text, uint8_t *out)
{
    for (const char *at = text; *at; at++) {
        unsigned byte;

        if (*at == ' ' || *at == '?')
            continue;
        assert_int_equal(sscanf(at, "%2x", &byte), 1);
        *out++ = (uint8_t)byte;
        at++;
    }
}

void code_make(struct code *code, const char *const *functions, size_t count)
{
    size_t declared = 0;

    memset(code, 0, sizeof(*code));
    memset(code->bytes, 0xcc, sizeof(code->bytes));
    for (size_t i = 0; i < count; i++) {
        parse_hex(functions[i], code->bytes + i * CODE_BYTES);
        if (*functions[i] != '?')
            code->functions[declared++] =
                (struct arch_function){CODE_BASE + i * CODE_BYTES, CODE_BYTES};
    }
    code->range = (struct arch_code){CODE_BASE, sizeof(code->bytes), code->bytes};
    code->word = (struct arch_word){CODE_WORD, CODE_BASE};
    code->object = (struct arch_object){
        .code = &code->range,
        .code_count = 1,
        .data = &code->range,
        .data_count = 1,
        .functions = code->functions,
        .function_count = declared,
        .words = &code->word,
        .word_count = 1,
    };
    code->callers = arch_callers_open(&code->object);
    assert_non_null(code->callers);
}
