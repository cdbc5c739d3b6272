/*
 * decoder.c - see decoder.h. The engine is not linked with libZydis: it finds the functions that
 * arch/x86_64/ calls here, and they pass the calls on.
 */
#include "arch/decoder.h"

#define ZYDIS_STATIC_BUILD /* the definitions are this file's */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <Zydis/Zydis.h>

#include "base/linker_error.h"
#include "base/refusal.h"
#include "base/services.h"

struct zydis_functions {
    ZyanStatus (*init)(ZydisDecoder *, ZydisMachineMode, ZydisStackWidth);
    ZyanStatus (*decode)(const ZydisDecoder *, ZydisDecoderContext *, const void *, ZyanUSize,
                         ZydisDecodedInstruction *);
    ZyanStatus (*operands)(const ZydisDecoder *, const ZydisDecoderContext *,
                           const ZydisDecodedInstruction *, ZydisDecodedOperand *, ZyanU8);
};

static struct zydis_functions zydis;
static char problem[512] = "libZydis has not been asked for";

ZyanStatus ZydisDecoderInit(ZydisDecoder *decoder, ZydisMachineMode mode, ZydisStackWidth width)
{
    return zydis.init ? zydis.init(decoder, mode, width) : ZYAN_STATUS_FAILED;
}

ZyanStatus ZydisDecoderDecodeInstruction(const ZydisDecoder *decoder, ZydisDecoderContext *context,
                                         const void *buffer, ZyanUSize length,
                                         ZydisDecodedInstruction *instruction)
{
    return zydis.decode(decoder, context, buffer, length, instruction);
}

ZyanStatus ZydisDecoderDecodeOperands(const ZydisDecoder *decoder,
                                      const ZydisDecoderContext *context,
                                      const ZydisDecodedInstruction *instruction,
                                      ZydisDecodedOperand *operands, ZyanU8 operand_count)
{
    return zydis.operands(decoder, context, instruction, operands, operand_count);
}

/* ---- loading ---- */

struct decoder_job {
    struct worker_job job;
    struct zydis_functions found;
    char error[512];
};

static void run_decoder_load(struct worker_job *job)
{
    struct decoder_job *load = (struct decoder_job *)(void *)job;
    void *library = dlopen(ZYDIS_SONAME, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

    if (library) {
        *(void **)&load->found.init = dlsym(library, "ZydisDecoderInit");
        *(void **)&load->found.decode = dlsym(library, "ZydisDecoderDecodeInstruction");
        *(void **)&load->found.operands = dlsym(library, "ZydisDecoderDecodeOperands");
    }
    if (!load->found.init || !load->found.decode || !load->found.operands) {
        const char *error = linker_error();

        snprintf(load->error, sizeof(load->error), "%s", error ? error : ZYDIS_SONAME);
    }
}

static void abandon_load(struct worker_job *job)
{
    free(job);
}

int decoder_load(uint64_t deadline, struct refusal *why)
{
    struct decoder_job *load;
    int ran;

    if (zydis.decode)
        return 0;
    load = calloc(1, sizeof(*load));
    if (!load)
        return refuse(why, HP_MEMORY, "load " ZYDIS_SONAME ": no memory");
    load->job = (struct worker_job){run_decoder_load, abandon_load, "loading of " ZYDIS_SONAME};
    ran = shim()->worker_run(&load->job, deadline);
    if (ran == -ETIMEDOUT)
        return refuse(why, HP_DEADLINE, "load " ZYDIS_SONAME ": ld.so is busy");
    if (ran != 0)
        refuse(why, HP_BUSY, "load " ZYDIS_SONAME ": the patching thread is busy");
    else if (*load->error)
        snprintf(problem, sizeof(problem), "%s", load->error);
    else
        zydis = load->found;
    free(load);
    return ran == 0 ? 0 : -1;
}

const char *decoder_problem(void)
{
    return zydis.decode ? NULL : problem;
}
