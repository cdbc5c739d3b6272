/*
 * engine.c - the engine's entry point: it takes one request or transaction and returns one result.
 *
 * The shim loads the engine at the first request. Every call comes with the engine lock held: from the listener, or,
 * for the run-time API, from a thread of the host.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arch/decoder.h"
#include "base/clock.h"
#include "base/services.h"
#include "base/sys.h"
#include "loader/module/module.h"
#include "loader/module/module_request.h"
#include "loader/objects/emulator.h"
#include "loader/objects/library_heap.h"
#include "loader/objects/object.h"
#include "loader/objects/object_functions.h"
#include "loader/slots/declared.h"
#include "loader/slots/ifunc.h"
#include "loader/slots/import.h"
#include "loader/slots/slot_objects.h"
#include "loader/slots/thin_callers.h"
#include "loader/text/site.h"
#include "loader/transaction/commit.h"
#include "loader/transaction/deferred.h"
#include "loader/transaction/hooks.h"
#include "loader/transaction/mend.h"
#include "loader/transaction/report.h"
#include "loader/transaction/transaction.h"

/* ---- calls from the shim ---- */

/* Give the list of objects the program's path. Under an emulator this is the emulator's answer for /proc/self/exe: the
 * kernel's answer is the path of the emulator's own file. */
static void name_program(const char *path)
{
    static char program[4096];
    ssize_t length = emulator_problem()
                         ? sys_readlinkat(AT_FDCWD, "/proc/self/exe", program, sizeof(program) - 1)
                         : 0;

    if (length <= 0 && path)
        strncpy(program, path, sizeof(program) - 1);
    objects_name_program(program);
}

/* Let the layers register with the list of objects (object.h). */
static void register_layers(void)
{
    slot_objects_register();
    sites_register();
    modules_register();
    thin_callers_register();
    ifuncs_register();
    object_functions_register();
}

static int engine_start(const struct shim_services *given, char *why, size_t why_size)
{
    const char *path = NULL;

    if (given->abi != ENGINE_ABI) {
        strncpy(why, "shim and engine are of different versions", why_size - 1);
        why[why_size - 1] = '\0';
        return -1;
    }
    services_set(given);
    register_layers();
    given->program(&path);
    name_program(path);
    library_heap_take();
    return 0;
}

/* Run a transaction. `mend` is the result of a reload's repair before it, or NULL. */
static void run_transaction(const struct request *requests, size_t count, const struct mend *mend,
                            reported_result_fn *put, void *context)
{
    struct refusal why = {0};
    struct transaction transaction = {.requests = requests, .request_count = count, .why = &why};
    uint64_t begun = clock_us();

    if (objects_refresh() != 0 || declared_adopt_registered(shim()->registered()) != 0)
        refuse(&why, HP_MEMORY, "look at the process: no memory");
    else
        transaction_run(&transaction);
    mend_warn(&transaction);
    report_transaction(&transaction, clock_us() - begun, mend, put, context);
    transaction_free(&transaction);
    refusal_clear(&why);
    deferred_plan();
}

static int nothing_more(void *nothing)
{
    (void)nothing;
    return 0;
}

/* Store the layers into the words of objects that came since the last request. */
static void extend_layers(void)
{
    struct refusal why = {0};
    struct transaction transaction = {.why = &why};
    bool extended = false;

    if (objects_locked(nothing_more, NULL) != 0)
        return;
    for (const struct slot *slot = slots_of(SLOT_IMPORT); slot && !extended;
         slot = slot->next_of_kind)
        extended = slot->extended;
    if (!extended)
        return;
    transaction_run(&transaction);
    transaction_free(&transaction);
    refusal_clear(&why);
    deferred_plan();
}

static struct reported_status status(void)
{
    extend_layers();
    return report_status();
}

static int read_imports(void *nothing)
{
    (void)nothing;
    return imports_read_all();
}

static void list_slots(const struct request *request, reported_result_fn *put, void *context)
{
    struct refusal why = {0};
    struct transaction nothing = {.why = &why};

    if (slot_kind_asked(request->kind, SLOT_ENTRY) && decoder_load(request->deadline, &why) != 0) {
        report_transaction(&nothing, 0, NULL, put, context);
        refusal_clear(&why);
        return;
    }
    extend_layers();
    objects_locked(read_imports, NULL);
    declared_adopt_registered(shim()->registered());
    report_slots(request, put, context);
}

/* Return the requests that load every changed module again. */
static struct request *changed_modules(const struct request *asked, size_t *count)
{
    struct request *requests;
    size_t total = 0;

    *count = 0;
    for (const struct module *m = module_first(); m; m = m->next)
        total++;
    requests = calloc(total + 1, sizeof(*requests));
    for (const struct module *m = module_first(); requests && m; m = m->next) {
        if (!m->live || !module_file_changed(m))
            continue;
        requests[*count] = *asked;
        module_repeat_request(m, &requests[(*count)++]);
    }
    return requests;
}

static void reload(const struct request *request, reported_result_fn *put, void *context)
{
    size_t count;
    struct request *requests = changed_modules(request, &count);
    struct mend mend = {0};

    mend_all(&mend);
    if (count == 0)
        report_mended(&mend, put, context);
    else
        run_transaction(requests, count, &mend, put, context);
    mend_free(&mend);
    free(requests);
}

static void engine_handle(const struct request *requests, size_t count, reported_result_fn *put,
                          void *context)
{
    switch (requests[0].verb) {
    case REQUEST_SLOTS:
        list_slots(&requests[0], put, context);
        break;
    case REQUEST_RELOAD:
        reload(&requests[0], put, context);
        break;
    default:
        run_transaction(requests, count, NULL, put, context);
        break;
    }
}

/* ---- the run-time API ---- */

static struct layer *own_layer(struct change *change)
{
    for (size_t i = 0; i < change->layer_count; i++)
        if (!change->layers[i].module)
            return &change->layers[i];
    return NULL;
}

/* Put the layer of hotpatch_set() on top, and remove the earlier layer of the program. */
static int set_layer(struct change *change, hotpatch_function function, void *context)
{
    struct layer *own = own_layer(change), *layers;

    if (own) {
        memmove(own, own + 1,
                (size_t)(change->layers + change->layer_count - own - 1) * sizeof(*own));
        change->layer_count--;
    }
    if (!function)
        return 0;
    layers = realloc(change->layers, (change->layer_count + 1) * sizeof(*layers));
    if (!layers)
        return -ENOMEM;
    change->layers = layers;
    layers[change->layer_count++] =
        (struct layer){.function = (uintptr_t)function, .context = context};
    return 0;
}

static int commit_of_set(void *context)
{
    return commit(context);
}

static int set(struct hotpatch_slot *declared, hotpatch_function function, void *context)
{
    struct refusal why = {0};
    struct transaction transaction = {.why = &why, .deadline = clock_ms() + 10000};
    struct slot *slot;
    struct change *change;
    int result;

    if (objects_refresh() != 0 || declared_adopt_registered(shim()->registered()) != 0)
        return -ENOMEM;
    slot = slot_of_declared(declared);
    if (!slot)
        return -ENOENT;
    transaction.last_change = &transaction.changes;
    change = change_for(&transaction, slot);
    result = change ? set_layer(change, function, context) : -ENOMEM;
    if (result == 0) {
        shim()->commit_begin();
        objects_locked(commit_of_set, &transaction);
        shim()->commit_end();
        if (!transaction.committed)
            result = -EINVAL;
        else
            hooks_after(&transaction);
    }
    transaction_free(&transaction);
    refusal_clear(&why);
    return result;
}

static struct hotpatch_slot *lookup(const char *name_space, const char *name)
{
    if (objects_refresh() != 0 || declared_adopt_registered(shim()->registered()) != 0)
        return NULL;
    for (struct slot *slot = slots_of(SLOT_DECLARED); slot; slot = slot->next_of_kind) {
        if (!slot->object || strcmp(slot->name, name) != 0 || (slot->owner && !slot->owner->live))
            continue;
        if (!name_space || strcmp(slot_name_space(slot), name_space) == 0)
            return slot->declared;
    }
    return NULL;
}

/* Reset the state in the child. A commit is never half done at a fork. A request that was being handled continues only
 * in the parent. */
static void after_fork(void)
{
    slots_unpin_all();
    sites_after_fork();
}

const struct engine_api hotpatch_engine_v1 __attribute__((visibility("default"))) = {
    .abi = ENGINE_ABI,
    .start = engine_start,
    .handle = engine_handle,
    .status = status,
    .deferred_at = deferred_at,
    .deferred = deferred_do,
    .set = set,
    .lookup = lookup,
    .after_fork = after_fork,
};
