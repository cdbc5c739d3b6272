/*
 * compare_print.c - see compare_step.h: two instructions in words.
 */
#include <stdio.h>

#include <Zydis/Zydis.h>

#include "arch/x86_64/compare_step.h"

enum { ONE = 96 };

static void print_instruction(const uint8_t *code, uint64_t size, uint64_t address, char *text)
{
    ZydisDisassembledInstruction in;
    ZyanUSize room = size < 15 ? size : 15;

    if (ZYAN_SUCCESS(ZydisDisassembleIntel(ZYDIS_MACHINE_MODE_LONG_64, address, code, room, &in)))
        snprintf(text, ONE, "%s", in.text);
    else
        snprintf(text, ONE, "bytes that are no instruction");
}

void compare_print(const struct compare_step *step, char *text, size_t size)
{
    char object[ONE], binary[ONE];

    print_instruction(object_code_at(step), step->question->end - step->object, step->object,
                      object);
    print_instruction(binary_code_at(step), binary_room_at(step),
                      step->question->address + step->binary, binary);
    snprintf(text, size, "the object has '%s', the binary '%s'", object, binary);
}
