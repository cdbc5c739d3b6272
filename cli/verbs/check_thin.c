/*
 * check_thin.c - see check_thin.h. The thin object is linked for the file as if that were mapped at its own addresses:
 * that finds damage, unknown relocations and values that do not fit. Symbols of other objects are judged at the load.
 */
#include "cli/verbs/check_thin.h"

#include <elf.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/debug/file_functions.h"
#include "cli/debug/file_image.h"
#include "cli/output/output.h"
#include "cli/session/reply.h"
#include "elf/thin_digest.h"
#include "elf/thin_file.h"
#include "elf/thin_link.h"
#include "resolve/elf_refusal.h"

struct thin_check {
    const char *host_path, *patch_path;
    struct file_image host, patch;
    struct file_functions functions;
    struct thin_file *thin;
    struct refusal why;
};

/* A place above the file's highest address. */
#define NEAR_ABOVE (UINT64_C(16) << 20)

bool check_thin_is(const char *path)
{
    struct file_image file;
    struct refusal ignored = {0};
    bool thin = false;

    if (file_image_bytes(&file, path, &ignored) == 0) {
        thin = thin_file_is(file.bytes, file.size);
        file_image_close(&file);
    }
    refusal_clear(&ignored);
    return thin;
}

static int refuse_thin_file(struct thin_check *check, const struct elf_error *error)
{
    return refuse(&check->why, elf_refusal_code(error), "%s: %s", check->patch_path, error->text);
}

static int open_thin_and_file(struct thin_check *check)
{
    struct elf_error error;
    const char *id;

    if (file_image_bytes(&check->patch, check->patch_path, &check->why) != 0)
        return -1;
    if (thin_file_open(&check->thin, check->patch.bytes, check->patch.size, &error) != 0 ||
        thin_digest_check(check->thin->object, &error) != 0)
        return refuse_thin_file(check, &error);
    if (file_image_open(&check->host, check->host_path, 0, &check->why) != 0)
        return -1;
    id = image_build_id(check->host.image);
    if (strcasecmp(id, check->thin->build_id) != 0)
        return refuse(&check->why, HP_BUILD_ID, "%s is for build %s of %s, and %s is build %s",
                      check->patch_path, check->thin->build_id, check->thin->target,
                      check->host_path, *id ? id : "(without id)");
    return file_functions_open(&check->functions, &check->host, check->host_path, &check->why);
}

/* ---- linking ---- */

static bool defined_somewhere(void *context, const char *name, const char *version,
                              struct thin_definition *out)
{
    (void)context;
    (void)name;
    *out = (struct thin_definition){.file = "libc.so.6", .version = version};
    return true;
}

/* Describe the file as if it were mapped at its own addresses. image_open() has checked its headers. */
static struct thin_host describe_file(const struct thin_check *check)
{
    struct thin_host host = {.tls_module = 1,
                             .tls_is_static = true,
                             .definition = defined_somewhere,
                             .begin = UINT64_MAX};
    const char *bytes = check->host.bytes;
    Elf64_Ehdr header;
    Elf64_Phdr segment;

    memcpy(&header, bytes, sizeof(header));
    for (size_t i = 0; i < header.e_phnum; i++) {
        memcpy(&segment, bytes + header.e_phoff + i * sizeof(segment), sizeof(segment));
        if (segment.p_type != PT_LOAD)
            continue;
        if (segment.p_vaddr < host.begin)
            host.begin = segment.p_vaddr;
        if (segment.p_vaddr + segment.p_memsz > host.end)
            host.end = segment.p_vaddr + segment.p_memsz;
    }
    return host;
}

static void link_for_file(struct thin_check *check)
{
    struct thin_host host = describe_file(check);
    struct thin_link *link;
    struct elf_error error;
    uint64_t base = (host.end + NEAR_ABOVE) & ~UINT64_C(0xfff);
    void *bytes;
    size_t size;

    if (thin_link_begin(&link, check->thin, &host, &error) != 0) {
        refuse_thin_file(check, &error);
        return;
    }
    if (thin_link_at(link, base, &bytes, &size, &error) != 0)
        refuse_thin_file(check, &error);
    else
        free(bytes);
    thin_link_end(link);
}

static void check_replaced(struct thin_check *check, const struct thin_replacement *replacement)
{
    struct function function;
    struct function_code code = {0};

    if (!file_function_at(&check->functions, replacement->offset, &function)) {
        refuse(&check->why, HP_NO_TARGET, "%s: %s: there is no function at %s+0x%llx",
               check->patch_path, replacement->name, check->thin->target,
               (unsigned long long)replacement->offset);
        return;
    }
    file_function_code(&check->functions, &function, &code);
    if (code.problem)
        refuse(&check->why, HP_NOT_PATCHABLE, "%s: %s: %s", check->patch_path, replacement->name,
               code.problem);
}

/* ---- output ---- */

static void print_thin_fits(const struct thin_check *check, bool json)
{
    const struct thin_file *thin = check->thin;
    struct json_object *reply;

    if (!json) {
        fputs("fits: ", stdout);
        text_print(stdout, thin->name);
        fputc(' ', stdout);
        text_print(stdout, thin->version);
        printf(", %zu function%s of ", thin->replacement_count,
               thin->replacement_count == 1 ? "" : "s");
        text_print(stdout, check->host_path);
        fputc('\n', stdout);
        return;
    }
    reply = reply_refused(0, "check", &check->why);
    document_add_text(reply, "file", check->host_path);
    document_add_text(reply, "patch", check->patch_path);
    document_add_text(reply, "name", thin->name);
    document_add_text(reply, "version", thin->version);
    document_add_number(reply, "slots", (long long)thin->replacement_count);
    json_object_object_add(reply, "warnings", json_object_new_array());
    document_print(reply, 0);
    json_object_put(reply);
}

int check_thin(const char *host, const char *patch, bool json)
{
    struct thin_check check = {.host_path = host, .patch_path = patch};
    int exit_code = 0;

    if (open_thin_and_file(&check) == 0) {
        link_for_file(&check);
        for (size_t i = 0; i < check.thin->replacement_count; i++)
            check_replaced(&check, &check.thin->replacements[i]);
    }
    if (check.why.count == 0)
        print_thin_fits(&check, json);
    else
        exit_code = refused("check", 0, &check.why, json);
    thin_file_close(check.thin);
    file_functions_close(&check.functions);
    file_image_close(&check.host);
    file_image_close(&check.patch);
    return exit_code;
}
