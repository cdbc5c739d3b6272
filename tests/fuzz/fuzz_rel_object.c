/*
 * fuzz_rel_object.c - any bytes as an object file: the reader, the relocations, and the comparison with a binary. The
 * binary is this program: it has the functions of the seeds.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elf/binary_read.h"
#include "elf/rel_object_read.h"
#include "resolve/baseline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What make_corpus.sh has in compared.s. */
__asm__(".pushsection .text.compared,\"ax\",@progbits\n"
        ".globl compared_one\n.type compared_one,@function\n"
        "compared_one:\n"
        "\tlea compared_text(%rip), %rdi\n\tmovslq %esi, %rsi\n\tcmp $3, %rsi\n\tja 1f\n"
        "\tlea 4f(%rip), %rdx\n\tmovslq (%rdx,%rsi,4), %rax\n\tadd %rdx, %rax\n\tjmp *%rax\n"
        "1:\tcall compared_two\n\t.p2align 4\n"
        "2:\taddl $5, compared_word(%rip)\n\tdec %esi\n\tjne 2b\n"
        "3:\tret\n.size compared_one,.-compared_one\n"
        ".globl compared_two\n.type compared_two,@function\n"
        "compared_two:\n\tmov compared_word@GOTPCREL(%rip), %rax\n\tjmp compared_one\n"
        ".size compared_two,.-compared_two\n.popsection\n"
        ".pushsection .rodata.compared,\"a\",@progbits\n.p2align 2\n"
        "4:\t.long 1b-4b, 2b-4b, 3b-4b, 1b-4b\n.popsection\n"
        ".pushsection .data.compared,\"aw\",@progbits\n"
        ".globl compared_word\n.type compared_word,@object\n.p2align 3\n"
        "compared_word:\t.quad compared_text\n.size compared_word,8\n.popsection\n"
        ".pushsection .rodata.str1.1,\"aMS\",@progbits,1\n"
        "compared_text:\t.string \"compared text\"\n.popsection\n");

static struct binary *own_binary(void)
{
    static struct binary *binary;
    struct elf_error fault = {ELF_OK, ""};

    if (binary)
        return binary;
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (file < 0 || binary_open(&binary, file, -1, &fault))
        abort();
    close(file);
    return binary;
}

static void use_section(const struct rel_object *object, uint32_t index)
{
    const struct rel_section *section = &object->sections[index];
    bool comdat;

    if (section->bytes && section->size && section->bytes[section->size - 1] == 1)
        rel_symbol_around(object, index, section->size - 1);
    for (size_t i = 0; i < section->relocation_count; i++) {
        const struct rel_relocation *relocation = &section->relocations[i];
        uint8_t field[8];
        if (i > 0 && relocation[-1].offset > relocation->offset)
            abort();
        if (relocation->symbol >= object->symbol_count ||
            relocation->offset + arch_thin(relocation->type).size > section->size)
            abort();
        arch_thin_apply(relocation->type, field, relocation->offset, 0x1000, relocation->addend);
    }
    if (section->group && !rel_group_signature(object, section->group, &comdat))
        abort();
}

static void use_object(const struct rel_object *object)
{
    for (uint32_t i = 0; i < object->section_count; i++)
        use_section(object, i);
    for (uint32_t i = 1; i < object->symbol_count; i++) {
        uint32_t named = rel_symbol_named(object, object->symbols[i].name);
        if (named && strcmp(object->symbols[named].name, object->symbols[i].name) != 0)
            abort();
    }
}

static void use_baseline(const struct rel_object *object)
{
    struct baseline *baseline = NULL;
    struct refusal why = {0};

    if (baseline_compare(&baseline, own_binary(), object, NULL, &why) == 0 &&
        baseline->equal + baseline->content + baseline->shared + baseline->differs +
                baseline->absent !=
            baseline->function_count)
        abort();
    baseline_free(baseline);
    refusal_clear(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rel_object *object;
    struct elf_error fault = {ELF_OK, ""};

    if (rel_object_open(&object, data, size, &fault)) {
        if (fault.code == ELF_OK || !fault.text[0])
            abort();
        return 0;
    }
    use_object(object);
    use_baseline(object);
    rel_object_close(object);
    return 0;
}
