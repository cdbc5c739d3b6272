/* main_patch.c - dlopens a patch and compares its manifest with what patch.c says. */
#include <dlfcn.h>
#include <stdio.h>

#include <hotpatch.h>

static int failures;

static void check(int right, const char *what)
{
    if (!right) {
        printf("wrong: %s\n", what);
        failures++;
    }
}
#define CHECK(what) check(what, #what)

static int replaced;

static int late(struct hotpatch_context *context, const char *target, const char *signature,
                hotpatch_function function, void *original)
{
    CHECK(context->engine == &replaced && original == NULL && function == NULL);
    CHECK(strcmp(target, "late") == 0 && strcmp(signature, "void (void)") == 0);
    replaced++;
    return 5;
}

static const struct hotpatch_entry *entry_of(const struct hotpatch_module *module,
                                             const char *target)
{
    for (const struct hotpatch_entry *e = module->entries_begin; e != module->entries_end; e++)
        if (strcmp(e->target, target) == 0)
            return e;
    printf("wrong: no entry %s\n", target);
    failures++;
    return module->entries_begin;
}

static int below(int a, int b)
{
    return a * b;
}

static int32_t untyped_below(void *state, const void *input, void *output)
{
    (void)state;
    (void)input;
    (void)output;
    return 21;
}

static void check_entries(const struct hotpatch_module *module)
{
    const struct hotpatch_entry *add = entry_of(module, "add");
    const struct hotpatch_entry *twice = entry_of(module, "host.add twice");
    const struct hotpatch_entry *limits = entry_of(module, "limits");

    CHECK(module->entries_end - module->entries_begin == 9);
    CHECK(strcmp(add->signature, "int (int a, int b)") == 0);
    CHECK(add->kind == HOTPATCH_KIND_FUNCTION && add->data == NULL && add->flags == 0);
    *(int (**)(int, int))add->original = below;
    CHECK(((int (*)(int, int))add->function)(6, 7) == 142);
    *(hotpatch_untyped_function *)twice->original = untyped_below;
    CHECK(((hotpatch_untyped_function)twice->function)(NULL, NULL, NULL) == 42);
    CHECK(twice->kind == HOTPATCH_KIND_UNTYPED);
    CHECK(limits->kind == HOTPATCH_KIND_DATA && limits->function == NULL);
    CHECK(((const int *)limits->data)[2] == 6 && strcmp(limits->signature, "int[3]") == 0);
    CHECK(strcmp(*(const char *const *)entry_of(module, "greeting")->data, "hallo") == 0);
    entry_of(module, "libfoo.so.1:parse@reader.c");
    CHECK(strcmp(entry_of(module, "matrix:fixed")->signature, "const int") == 0);
}

static void check_hooks(const struct hotpatch_module *module)
{
    struct hotpatch_context context = {
        .size = sizeof context, .replace = late, .engine = &replaced};

    CHECK(module->after_apply == NULL && module->before_revert == NULL);
    CHECK(module->before_apply(&context) == 5 && replaced == 1);
    CHECK(module->after_revert(&context) == 0);
}

static void check_targets(const struct hotpatch_module *module)
{
    const struct hotpatch_target_record *target = module->targets_begin;
    int exe = 0, libc = 0;

    for (; target != module->targets_end; target++) {
        exe += strcmp(target->object, "exe") == 0;
        libc += strcmp(target->build_id, "fedcba9876543210") == 0;
    }
    CHECK(exe == 1 && libc == 1);
}

static void check_full(const struct hotpatch_module *module, void *handle)
{
    const struct hotpatch_slot_table *table =
        (const struct hotpatch_slot_table *)dlsym(handle, "hotpatch_slot_table_v1");

    CHECK(strcmp(module->name, "matrix-patch") == 0 && strcmp(module->version, "2") == 0);
    check_targets(module);
    check_entries(module);
    check_hooks(module);
    CHECK(table != NULL && table->magic == HOTPATCH_SLOT_TABLE_MAGIC);
    CHECK(table != NULL && table->version == HOTPATCH_ABI_VERSION && table->entry_size == 64);
    CHECK(table != NULL && table->end - table->begin == 1 && table->name_space == NULL);
    CHECK(table != NULL && strcmp(table->begin->name, "patch_own") == 0);
}

static void check_bare(const struct hotpatch_module *module)
{
    CHECK(module->entries_begin == module->entries_end);
    CHECK(module->targets_begin == module->targets_end);
    CHECK(module->before_apply == NULL && module->after_apply == NULL);
    CHECK(module->before_revert == NULL && module->after_revert == NULL);
}

int main(int argc, char **argv)
{
    void *handle = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    const struct hotpatch_module *module;

    if (handle == NULL) {
        puts(argc == 2 ? dlerror() : "which patch?");
        return 1;
    }
    module = (const struct hotpatch_module *)dlsym(handle, "HOTPATCH_MODULE_V1");
    CHECK(module != NULL && module->magic == HOTPATCH_MODULE_MAGIC);
    if (module != NULL) {
        CHECK(module->size == sizeof *module &&
              module->entry_size == sizeof(struct hotpatch_entry));
        if (strcmp(module->name, "bare") == 0)
            check_bare(module);
        else
            check_full(module, handle);
    }
    puts(failures == 0 ? "ok" : "FAILED");
    return failures != 0;
}
