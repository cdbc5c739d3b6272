/*
 * hotpatch.h - declare functions and data that can be exchanged while the program runs, and write the patches
 * that exchange them. C11 and C++17, gcc and clang, x86-64. No library is linked. Without libhotpatch_preload.so
 * a program that includes this header runs as if its functions were ordinary functions.
 *
 * The program:
 *
 *     #include <hotpatch.h>
 *
 *     HOTPATCH_FUNCTION(int, price, (int cents))
 *     {                                      // the fallback: live until a patch is applied, and after its revert
 *         return cents * 119 / 100;
 *     }
 *     ... price(1000) ...                    // an ordinary call, also by a pointer and from other files
 *
 * The patch, a shared object (cc -shared -fPIC -o fix.so fix.c):
 *
 *     #include <hotpatch.h>
 *
 *     HOTPATCH_MODULE("price-fix", "1");
 *
 *     HOTPATCH_REPLACE(int, price, (int cents))
 *     {
 *         return HOTPATCH_ORIGINAL(price)(cents) - 90;
 *     }
 *
 * The shell:      hotpatch run ./app & hotpatch load $! fix.so
 *
 * In a program or library
 *   HOTPATCH_FUNCTION(ret, name, params) { body }       a function that patches can exchange
 *   HOTPATCH_DATA(type, name, value...);                storage that patches can exchange
 *     HOTPATCH_GET(name)  HOTPATCH_POINTER(name)        the live value, to read and to write
 *   HOTPATCH_REQUIRE(ret, name, params);                a function that some module must provide
 *     HOTPATCH_BOUND(name)                              does a module provide this function?
 *   HOTPATCH_SLOT_FN("name", fallback);                 a function called by name: hotpatch_call("name", ...)
 *   HOTPATCH_NAMESPACE("name");                         how patches name this object; once per object
 *   HOTPATCH_DECLARE(ret, name, params);                in another file of the object: its prototype
 *   HOTPATCH_DECLARE_DATA(type, name);                  the same for data
 *   HOTPATCH_SLOT(name)                                 the slot, for the functions below
 *
 * In a patch
 *   HOTPATCH_MODULE("name", "version");                 once per patch
 *   HOTPATCH_TARGET("object", "build-id");              refuse every other build of the object
 *   HOTPATCH_REPLACE(ret, name, params) { body }        the code that calls reach while the patch is applied
 *   HOTPATCH_REPLACE_AS(ret, cname, params, "target") { body }    target: "[OBJECT:]NAME[@FILE.c]"
 *   HOTPATCH_REPLACE_DATA(type, name, value...);        HOTPATCH_REPLACE_DATA_AS(type, cname, "target", value...);
 *   HOTPATCH_REPLACE_FN("name") { body }                HOTPATCH_REPLACE_FN_AS(cname, "name") { body }
 *   HOTPATCH_ORIGINAL(name)                             the function or data in the layer below this patch
 *   HOTPATCH_HOOK(before_apply) { return 0; }           also after_apply, before_revert, after_revert
 *
 * At run time, in both
 *   hotpatch_register, hotpatch_lookup, hotpatch_set, hotpatch_restore, hotpatch_on_change, hotpatch_safe_point,
 *   hotpatch_target, hotpatch_version, hotpatch_call; in a hook hotpatch_context_replace
 *
 * Define before the #include
 *   HOTPATCH_DISABLE_SLOTS   slots become plain functions and data, for a release build without slots: the same
 *                            source compiles, and no declared function or data can be exchanged. Define it in all
 *                            files of an object.
 *
 * C++: a function of HOTPATCH_FUNCTION has C linkage. Callers in other files need an extern "C" prototype,
 * which HOTPATCH_DECLARE writes; parameters may be of any type, also references and classes. Overloads and members
 * cannot be declared: wrap them, or patch them at their entry (hotpatch slots lists them).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HOTPATCH_H
#define HOTPATCH_H

#define HOTPATCH_VERSION "0.1.0"
#define HOTPATCH_VERSION_NUMBER 100 /* 10000 * major + 100 * minor + patch, for #if */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* ============================================================ the host's macros === */

#ifndef HOTPATCH_DISABLE_SLOTS

/*
 * HOTPATCH_FUNCTION(int, counter_add, (struct counter *c, int n)) { body }
 *
 * Define counter_add, a function with C linkage that calls the live function of its slot. The body is live until a
 * patch is applied, and again after its revert. Other files need only a prototype (in C++ an extern "C" prototype).
 */
#define HOTPATCH_FUNCTION(ret, name, params)                                       \
    HOTPATCH_TABLE                                                                 \
    HOTPATCH_STUB(#name, ".globl " #name "\n")                                     \
    HOTPATCH_C_BEGIN                                                               \
    ret name params;                                                               \
    extern HOTPATCH_HIDDEN ret hotpatch_entry_##name params;                       \
    static ret hotpatch_fallback_##name params;                                    \
    HOTPATCH_FUNCTION_SLOT(hotpatch_slot_##name, #name, HOTPATCH_TEXT(ret params), \
                           hotpatch_fallback_##name, hotpatch_entry_##name,        \
                           HOTPATCH_KIND_FUNCTION)                                 \
    HOTPATCH_C_END                                                                 \
    static ret hotpatch_fallback_##name params

/*
 * HOTPATCH_REQUIRE(int, other, (int));
 *
 * Declare a function that some module's HOTPATCH_FUNCTION(int, other, ...) provides.  Without such a
 * module a call returns 0 (a struct of zero bytes), is counted, and is logged by the shim.
 */
#define HOTPATCH_REQUIRE(ret, name, params)                                          \
    HOTPATCH_TABLE                                                                   \
    HOTPATCH_STUB(#name, ".globl " #name "\n.hidden " #name "\n")                    \
    HOTPATCH_C_BEGIN                                                                 \
    ret name params;                                                                 \
    extern HOTPATCH_HIDDEN ret hotpatch_entry_##name params;                         \
    /* ignores its arguments, which every caller of the SysV ABI cleans up itself */ \
    static HOTPATCH_ZERO(ret) hotpatch_unfilled_##name(void);                        \
    HOTPATCH_FUNCTION_SLOT(hotpatch_slot_##name, #name, HOTPATCH_TEXT(ret params),   \
                           hotpatch_unfilled_##name, hotpatch_entry_##name,          \
                           HOTPATCH_KIND_REQUIRED)                                   \
    static HOTPATCH_ZERO(ret) hotpatch_unfilled_##name(void)                         \
    {                                                                                \
        static HOTPATCH_ZERO(ret) zero;                                              \
        hotpatch_count_unfilled(&hotpatch_slot_##name);                              \
        return zero;                                                                 \
    }                                                                                \
    HOTPATCH_C_END                                                                   \
    HOTPATCH_END

/* Declare, in another file of the object, the prototype and the slot of a function. */
#define HOTPATCH_DECLARE(ret, name, params)                           \
    HOTPATCH_C_BEGIN                                                  \
    ret name params;                                                  \
    extern HOTPATCH_HIDDEN struct hotpatch_slot hotpatch_slot_##name; \
    HOTPATCH_C_END                                                    \
    HOTPATCH_END

/*
 * HOTPATCH_DATA(int[3], limits, {1, 2, 3});
 *
 * Define a data slot: patches replace its storage with other storage.
 */
#define HOTPATCH_DATA(type, name, ...)                                      \
    HOTPATCH_TABLE                                                          \
    typedef __typeof__(type) hotpatch_type_##name;                          \
    static hotpatch_type_##name hotpatch_storage_##name = __VA_ARGS__;      \
    HOTPATCH_C_BEGIN                                                        \
    HOTPATCH_STORAGE_SLOT(hotpatch_slot_##name, #name, HOTPATCH_TEXT(type), \
                          hotpatch_storage_##name)                          \
    HOTPATCH_C_END                                                          \
    HOTPATCH_END

/* Declare the data slot in another file of the object, or in a header that its files share. */
#define HOTPATCH_DECLARE_DATA(type, name)                                  \
    typedef __typeof__(type) hotpatch_type_##name;                         \
    HOTPATCH_C_BEGIN                                                       \
    extern HOTPATCH_HIDDEN struct hotpatch_data_slot hotpatch_slot_##name; \
    HOTPATCH_C_END                                                         \
    HOTPATCH_END

/* Read the live value, a const lvalue; one atomic load finds it. */
#define HOTPATCH_GET(name) \
    (*HOTPATCH_CAST(const hotpatch_type_##name *, hotpatch_storage(&hotpatch_slot_##name)))

/* Return a pointer to the live value, for writing; a value in a patch's layer is lost at the revert. */
#define HOTPATCH_POINTER(name) \
    (HOTPATCH_CAST(hotpatch_type_##name *, hotpatch_storage(&hotpatch_slot_##name)))

/* Return the slot of a function or data, for the functions of the run-time API. */
#define HOTPATCH_SLOT(name) \
    (HOTPATCH_CAST(struct hotpatch_slot *, HOTPATCH_CAST(uintptr_t, &hotpatch_slot_##name)))

/* Test whether code or data other than the fallback is live; for HOTPATCH_REQUIRE, a provider. */
#define HOTPATCH_BOUND(name)                                            \
    (__atomic_load_n(&hotpatch_slot_##name.target, __ATOMIC_ACQUIRE) != \
     hotpatch_slot_##name.fallback)

#else /* HOTPATCH_DISABLE_SLOTS */

#define HOTPATCH_FUNCTION(ret, name, params)       \
    HOTPATCH_C_BEGIN                               \
    ret name params;                               \
    HOTPATCH_WEAK int hotpatch_bound_##name(void); \
    HOTPATCH_WEAK int hotpatch_bound_##name(void)  \
    {                                              \
        return 0;                                  \
    }                                              \
    HOTPATCH_C_END                                 \
    ret name params

/*
 * A weak alias: if another file of the object has a HOTPATCH_FUNCTION of that name, calls reach that function. The
 * alias ignores its arguments; in the SysV ABI the caller removes them from the stack.
 */
#define HOTPATCH_REQUIRE(ret, name, params)                                              \
    HOTPATCH_C_BEGIN                                                                     \
    HOTPATCH_HIDDEN HOTPATCH_ZERO(ret) hotpatch_unfilled_##name(void);                   \
    HOTPATCH_HIDDEN HOTPATCH_ZERO(ret) hotpatch_unfilled_##name(void)                    \
    {                                                                                    \
        static HOTPATCH_ZERO(ret) zero;                                                  \
        return zero;                                                                     \
    }                                                                                    \
    HOTPATCH_OTHER_TYPE_BEGIN                                                            \
    ret name params __attribute__((weak, alias("hotpatch_unfilled_" #name)));            \
    HOTPATCH_OTHER_TYPE_END                                                              \
    HOTPATCH_HIDDEN int hotpatch_bound_##name(void);                                     \
    HOTPATCH_HIDDEN int hotpatch_bound_##name(void)                                      \
    {                                                                                    \
        hotpatch_function called = HOTPATCH_CAST(hotpatch_function, name);               \
        __asm__("" : "+r"(called)); /* the compiler takes two names for two functions */ \
        return called != HOTPATCH_CAST(hotpatch_function, hotpatch_unfilled_##name);     \
    }                                                                                    \
    HOTPATCH_C_END                                                                       \
    HOTPATCH_END

#define HOTPATCH_DECLARE(ret, name, params)          \
    HOTPATCH_C_BEGIN                                 \
    ret name params;                                 \
    HOTPATCH_HIDDEN int hotpatch_bound_##name(void); \
    HOTPATCH_C_END                                   \
    HOTPATCH_END

#define HOTPATCH_DATA(type, name, ...)                                          \
    HOTPATCH_DECLARE_DATA(type, name);                                          \
    HOTPATCH_C_BEGIN                                                            \
    HOTPATCH_HIDDEN hotpatch_type_##name hotpatch_storage_##name = __VA_ARGS__; \
    HOTPATCH_C_END                                                              \
    HOTPATCH_END

#define HOTPATCH_DECLARE_DATA(type, name)                                \
    typedef __typeof__(type) hotpatch_type_##name;                       \
    HOTPATCH_C_BEGIN                                                     \
    extern HOTPATCH_HIDDEN hotpatch_type_##name hotpatch_storage_##name; \
    HOTPATCH_C_END                                                       \
    HOTPATCH_END

#define HOTPATCH_GET(name) (*HOTPATCH_CAST(const hotpatch_type_##name *, &hotpatch_storage_##name))
#define HOTPATCH_POINTER(name) (&hotpatch_storage_##name)
#define HOTPATCH_SLOT(name) HOTPATCH_NONE(struct hotpatch_slot *)
#define HOTPATCH_BOUND(name) hotpatch_bound_##name()

#endif /* HOTPATCH_DISABLE_SLOTS */

/* HOTPATCH_NAMESPACE("net"); once per object: because of the first symbol a second use is a link error. */
#define HOTPATCH_NAMESPACE(name)                                         \
    HOTPATCH_C_BEGIN                                                     \
    extern HOTPATCH_HIDDEN const char hotpatch_one_namespace_per_object; \
    HOTPATCH_KEEP const char hotpatch_one_namespace_per_object = 0;      \
    HOTPATCH_HIDE("hotpatch_namespace_name")                             \
    HOTPATCH_KEEP const char hotpatch_namespace_name[] = name;           \
    HOTPATCH_C_END                                                       \
    HOTPATCH_END

/* HOTPATCH_SLOT_FN("counter.add", fallback); define an untyped slot, called by name. */
#define HOTPATCH_SLOT_FN(name, fallback_function) \
    HOTPATCH_SLOT_FN_(name, fallback_function, __COUNTER__)
#define HOTPATCH_UNTYPED_SIGNATURE "int32_t (void *state, const void *input, void *output)"

/* The result of hotpatch_call if no untyped slot has the name. */
#define HOTPATCH_NO_SLOT INT32_MIN

/* =========================================================== the patch's macros === */

/* HOTPATCH_MODULE("counter-fix", "2"); once per patch. */
#define HOTPATCH_MODULE(module_name, module_version)                                         \
    HOTPATCH_C_BEGIN                                                                         \
    extern __attribute__((visibility("default"))) struct hotpatch_module HOTPATCH_MODULE_V1; \
    HOTPATCH_IN("hotpatch_module")                                                           \
    struct hotpatch_module HOTPATCH_MODULE_V1 = {HOTPATCH_MODULE_MAGIC,                      \
                                                 HOTPATCH_ABI_VERSION,                       \
                                                 sizeof(struct hotpatch_module),             \
                                                 sizeof(struct hotpatch_entry),              \
                                                 sizeof(struct hotpatch_target_record),      \
                                                 module_name,                                \
                                                 module_version,                             \
                                                 __start_hotpatch_entries,                   \
                                                 __stop_hotpatch_entries,                    \
                                                 __start_hotpatch_targets,                   \
                                                 __stop_hotpatch_targets,                    \
                                                 hotpatch_hook_before_apply,                 \
                                                 hotpatch_hook_after_apply,                  \
                                                 hotpatch_hook_before_revert,                \
                                                 hotpatch_hook_after_revert};                \
    HOTPATCH_C_END                                                                           \
    HOTPATCH_END

/* HOTPATCH_TARGET("exe", "9f3c..."); refuse every other build of the object. */
#define HOTPATCH_TARGET(object, build_id) HOTPATCH_TARGET_(object, build_id, __COUNTER__)
/*
 * HOTPATCH_REPLACE(int, counter_add, (struct counter *c, int n)) { body }
 * HOTPATCH_REPLACE_AS(int, my_parse, (char *s), "libfoo.so.1:parse@reader.c") { body }
 *
 * Define the code that calls reach while the patch is applied.  `cname` is only for HOTPATCH_ORIGINAL(cname).
 */
#define HOTPATCH_REPLACE(ret, name, params)                                    \
    HOTPATCH_REPLACE_FUNCTION(ret, params, #name, hotpatch_replacement_##name, \
                              hotpatch_original_##name, hotpatch_replace_##name)
#define HOTPATCH_REPLACE_AS(ret, cname, params, target)                          \
    HOTPATCH_REPLACE_FUNCTION(ret, params, target, hotpatch_replacement_##cname, \
                              hotpatch_original_##cname, hotpatch_replace_##cname)
/*
 * HOTPATCH_REPLACE_DATA(const char *, greeting, "hallo");
 * HOTPATCH_REPLACE_DATA_AS(int, my_limit, "net:limit", 7);
 */
#define HOTPATCH_REPLACE_DATA(type, name, ...)                                             \
    typedef __typeof__(type) hotpatch_replacement_type_##name;                             \
    HOTPATCH_REPLACE_STORAGE(hotpatch_replacement_type_##name, HOTPATCH_TEXT(type), #name, \
                             hotpatch_replacement_##name, hotpatch_original_##name,        \
                             hotpatch_replace_##name, __VA_ARGS__)
#define HOTPATCH_REPLACE_DATA_AS(type, cname, target, ...)                                   \
    typedef __typeof__(type) hotpatch_replacement_type_##cname;                              \
    HOTPATCH_REPLACE_STORAGE(hotpatch_replacement_type_##cname, HOTPATCH_TEXT(type), target, \
                             hotpatch_replacement_##cname, hotpatch_original_##cname,        \
                             hotpatch_replace_##cname, __VA_ARGS__)
/*
 * HOTPATCH_REPLACE_FN("counter.add") { body; its parameters are state, input, output }
 * HOTPATCH_REPLACE_FN_AS(add, "counter.add") { return HOTPATCH_ORIGINAL(add)(state, ...); }
 */
#define HOTPATCH_REPLACE_FN(target) \
    HOTPATCH_REPLACE_FN_(HOTPATCH_PASTE(untyped_, __COUNTER__), target)
#define HOTPATCH_REPLACE_FN_AS(cname, target)                                                  \
    HOTPATCH_C_BEGIN                                                                           \
    static int32_t hotpatch_replacement_##cname(void *state, const void *input, void *output); \
    HOTPATCH_KEEP static hotpatch_untyped_function hotpatch_original_##cname = NULL;           \
    HOTPATCH_ENTRY(hotpatch_replace_##cname, target, HOTPATCH_UNTYPED_SIGNATURE,               \
                   HOTPATCH_CAST(hotpatch_function, hotpatch_replacement_##cname), NULL,       \
                   &hotpatch_original_##cname, HOTPATCH_KIND_UNTYPED)                          \
    HOTPATCH_C_END                                                                             \
    static int32_t hotpatch_replacement_##cname(HOTPATCH_UNUSED void *state,                   \
                                                HOTPATCH_UNUSED const void *input,             \
                                                HOTPATCH_UNUSED void *output)

/*
 * The function or data in the layer below this patch: a typed function pointer, or for data a pointer
 * to const.  The engine rewrites the pointer whenever that layer changes: use the pointer directly, and
 * keep no copy.  NULL before the patch is applied.
 */
#define HOTPATCH_ORIGINAL(name) __atomic_load_n(&hotpatch_original_##name, __ATOMIC_ACQUIRE)

/* HOTPATCH_HOOK(before_apply) { return 0; }  The parameter is `context`. */
#define HOTPATCH_HOOK(when)                                       \
    HOTPATCH_STATIC_ASSERT(HOTPATCH_HOOK_##when, "no such hook"); \
    HOTPATCH_HIDE("hotpatch_hook_" #when)                         \
    HOTPATCH_KEEP int hotpatch_hook_##when(HOTPATCH_UNUSED struct hotpatch_context *context)

/* =============================================================== the run-time API === */

#ifdef __cplusplus
extern "C" {
#endif

/* A pointer to any function; cast it to the function's type before the call. */
typedef void (*hotpatch_function)(void);

/* The untyped ABI of hotpatch-rs. */
typedef int32_t (*hotpatch_untyped_function)(void *state, const void *input, void *output);

struct hotpatch_slot;    /* below, with the ABI */
struct hotpatch_context; /* made by the engine for hooks */
typedef int (*hotpatch_hook)(struct hotpatch_context *);

/*
 * Make a slot at run time; the slot exists until the process ends.  The texts are copied.  A second
 * call with the same texts returns the same slot.  Only `name_space` may be NULL.
 * Return 0; -EINVAL: a NULL or empty argument, or the name is registered with another signature;
 * -ENOMEM; -ENOSYS without the shim.
 */
static inline int hotpatch_register(const char *name_space, const char *name, const char *signature,
                                    hotpatch_function fallback, struct hotpatch_slot **slot);

/*
 * Return the slot of that name, or NULL if no slot has it.  `name_space` NULL: any namespace.  Without
 * the shim only this object's slots are searched, and the only known namespace is that of
 * HOTPATCH_NAMESPACE.
 */
static inline struct hotpatch_slot *hotpatch_lookup(const char *name_space, const char *name);

/*
 * Put `function` into the slot, above all patches; an earlier function of hotpatch_set is removed.
 * For a data slot `function` is the address of storage, cast.
 * Return 0; -EDEADLK from a hook or a change handler; -EBUSY: a request waits for this thread;
 * -ENOENT: no such slot; -EINVAL; -ENOMEM; -ENOSYS without the shim.
 */
static inline int hotpatch_set(struct hotpatch_slot *slot, hotpatch_function function,
                               void *context);

/* Remove the function that hotpatch_set put into the slot; patches stay.  The errors are the same. */
static inline int hotpatch_restore(struct hotpatch_slot *slot);

/*
 * Call `handler` after each transaction, on the shim's worker thread.  Return 0; -EINVAL; -ENOMEM.
 * Without the shim there is no transaction: return 0; the handler is never called.
 */
static inline int hotpatch_on_change(void (*handler)(void *context), void *context);

/* Let a request with `when=safe-point` commit here; call it where no patched function is under way. */
static inline void hotpatch_safe_point(void);

/* Return the function that is live in the slot; for a data slot, the address of the storage. */
static inline hotpatch_function hotpatch_target(const struct hotpatch_slot *slot);

/* Return a number that increases when the slot's target has changed; 0 before the first change. */
static inline uint32_t hotpatch_version(const struct hotpatch_slot *slot);

/*
 * Call the live function of the untyped slot of that name and return its result; return
 * HOTPATCH_NO_SLOT if no such slot exists.  The function keeps the slots that it has found, so the
 * object that holds such a slot must stay loaded.
 */
static inline int32_t hotpatch_call(const char *name, void *state, const void *input, void *output);

/*
 * Add a replacement found at run time to the transaction; only in before_apply.  A `signature` of NULL
 * is not compared.  Return 0; -ENOENT: the target does not fit, and the transaction will be refused
 * with the reason; -EINVAL: no target or function; -ECANCELED: the deadline has passed.
 */
static inline int hotpatch_context_replace(struct hotpatch_context *context, const char *target,
                                           const char *signature, hotpatch_function function);

/* One slot of the transaction, as a hook reads it. */
struct hotpatch_change {
    const char *target;       /* as the manifest spells it */
    const char *object;       /* base name of the object that holds the slot */
    const char *kind;         /* "declared", "import" or "entry" */
    hotpatch_function before; /* live until this transaction's commit */
    hotpatch_function after;  /* live from the commit on */
};

/*
 * The parameter of a hook, valid until the hook returns.  The engine sets the
 * function pointers; a patch calls them through the inline wrappers below, so
 * that it links no library.
 */
struct hotpatch_context {
    uint32_t size; /* of this struct as the engine knows it */
    uint32_t change_count;
    const char *module;
    const struct hotpatch_change *changes;
    int (*replace)(struct hotpatch_context *, const char *target, const char *signature,
                   hotpatch_function function, void *original);
    void *engine;
};

/* ========================================================================== ABI === */

/* The layout in files and in memory, for the code that reads it: the engine, other languages. */

#define HOTPATCH_ABI_VERSION 1u

/* "HPSLOTS1" and "HPMODUL1", read as little-endian words. */
#define HOTPATCH_SLOT_TABLE_MAGIC UINT64_C(0x3153544f4c535048)
#define HOTPATCH_MODULE_MAGIC UINT64_C(0x314c55444f4d5048)

enum hotpatch_kind {
    HOTPATCH_KIND_FUNCTION = 1, /* typed function with a fallback */
    HOTPATCH_KIND_DATA = 2,     /* storage, read through HOTPATCH_GET */
    HOTPATCH_KIND_REQUIRED = 3, /* function that some module must provide */
    HOTPATCH_KIND_UNTYPED = 4   /* hotpatch_untyped_function, found by name */
};

/*
 * One slot.  64 bytes, so that an array of slots has no holes with any alignment
 * that a compiler prefers.  `target` is the word that calls go through;
 * only the engine writes this word, with one atomic store.  may_alias: one array holds both structs.
 */
struct hotpatch_slot {
    const char *name;
    const char *signature;      /* "int (struct counter *c, int n)"; data: its type */
    hotpatch_function target;   /* the live function */
    hotpatch_function fallback; /* the author's body; REQUIRED: the body that returns zero */
    hotpatch_function entry;    /* the stub that callers reach; NULL: data and untyped */
    uint32_t kind;              /* enum hotpatch_kind */
    uint32_t version;           /* increases when `target` has changed */
    void *context;              /* the argument of hotpatch_set, else NULL */
    uint64_t unfilled;          /* calls of a required slot without a provider */
} __attribute__((aligned(64), may_alias));

/* The same for a data slot: data and function pointers do not convert in ISO C. */
struct hotpatch_data_slot {
    const char *name;
    const char *signature;
    const void *target;
    const void *fallback;
    hotpatch_function entry;
    uint32_t kind;
    uint32_t version;
    void *context;
    uint64_t unfilled;
} __attribute__((aligned(64), may_alias));

/* Every object that declares slots exports this struct as `hotpatch_slot_table_v1`. */
struct hotpatch_slot_table {
    uint64_t magic;      /* HOTPATCH_SLOT_TABLE_MAGIC */
    uint32_t version;    /* HOTPATCH_ABI_VERSION */
    uint32_t entry_size; /* sizeof(struct hotpatch_slot) */
    struct hotpatch_slot *begin;
    struct hotpatch_slot *end;
    const char *name_space; /* NULL: the object's base name */
    const void *reserved;
};

/* One replacement in a patch. */
struct hotpatch_entry {
    const char *target; /* "[OBJECT:]NAME[@FILE.c]" */
    const char *signature;
    hotpatch_function function; /* data: NULL */
    const void *data;           /* function: NULL */
    void *original;             /* the pointer that HOTPATCH_ORIGINAL reads, or NULL */
    uint32_t kind;              /* FUNCTION, DATA or UNTYPED */
    uint32_t flags;             /* 0 */
    const void *reserved[2];
} __attribute__((aligned(64)));

/* HOTPATCH_TARGET: the patch fits one build of one object. */
struct hotpatch_target_record {
    const char *object;   /* soname, base name, namespace or "exe" */
    const char *build_id; /* hex digits */
} __attribute__((aligned(16)));

/* Every patch exports this struct as `HOTPATCH_MODULE_V1`. */
struct hotpatch_module {
    uint64_t magic;       /* HOTPATCH_MODULE_MAGIC */
    uint32_t abi_version; /* HOTPATCH_ABI_VERSION */
    uint32_t size;        /* sizeof(struct hotpatch_module) */
    uint32_t entry_size;  /* sizeof(struct hotpatch_entry) */
    uint32_t target_size; /* sizeof(struct hotpatch_target_record) */
    const char *name;
    const char *version;
    struct hotpatch_entry *entries_begin; /* both are equal if there are no entries */
    struct hotpatch_entry *entries_end;
    struct hotpatch_target_record *targets_begin;
    struct hotpatch_target_record *targets_end;
    hotpatch_hook before_apply; /* non-zero return: refuse; NULL: no hook */
    hotpatch_hook after_apply;
    hotpatch_hook before_revert; /* non-zero return: refuse */
    hotpatch_hook after_revert;
};

#ifdef __cplusplus
}
#endif

/* ===================================================================== plumbing === */

/* For the macros above; user code must not use these names. */

/* HOTPATCH_ANY_MACHINE: for programs that read the structures above and declare no slots. */
#if (!defined(__x86_64__) || defined(__ILP32__)) && !defined(HOTPATCH_ANY_MACHINE)
#error "hotpatch.h: only x86-64 (LP64) is supported"
#endif

#define HOTPATCH_TEXT_(...) #__VA_ARGS__
#define HOTPATCH_TEXT(...) HOTPATCH_TEXT_(__VA_ARGS__) /* after macro expansion */
#define HOTPATCH_PASTE_(a, b) a##b
#define HOTPATCH_PASTE(a, b) HOTPATCH_PASTE_(a, b)

#ifdef __cplusplus
#define HOTPATCH_C_BEGIN extern "C" {
#define HOTPATCH_C_END }
#define HOTPATCH_CAST(type, value) reinterpret_cast<type>(value)
#define HOTPATCH_NONE(type) static_cast<type>(nullptr)
#define HOTPATCH_STATIC_ASSERT(...) static_assert(__VA_ARGS__)
#else
#define HOTPATCH_C_BEGIN
#define HOTPATCH_C_END
#define HOTPATCH_CAST(type, value) ((type)(value))
#define HOTPATCH_NONE(type) ((type)NULL)
#define HOTPATCH_STATIC_ASSERT(...) _Static_assert(__VA_ARGS__)
#endif

/* Accept the semicolon that users write after a file-scope macro. */
#define HOTPATCH_END HOTPATCH_STATIC_ASSERT(1, "")

#define HOTPATCH_HIDDEN __attribute__((visibility("hidden")))
#define HOTPATCH_WEAK __attribute__((weak, visibility("hidden")))

/*
 * A symbol that an object may lack; its address must then be NULL.  Not hidden: gold turns a hidden
 * undefined reference of a shared object into its load address.  The definition is hidden by
 * HOTPATCH_HIDE, so that no object finds the symbol of another object.
 */
#define HOTPATCH_OPTIONAL __attribute__((weak, visibility("default")))
#define HOTPATCH_HIDE(name) __asm__(".hidden " name "\n");
#define HOTPATCH_UNUSED __attribute__((unused))

/*
 * `used` prevents the compiler from removing data that only the engine reads, and from treating a word
 * that only the engine writes as a constant, which -flto would do.  `retain` prevents the removal by
 * --gc-sections.
 */
#if defined(__has_attribute)
#if __has_attribute(retain)
#define HOTPATCH_KEEP __attribute__((used, retain))
#define HOTPATCH_KEEP_FLAG "R"
#endif
#endif
#ifndef HOTPATCH_KEEP
#define HOTPATCH_KEEP __attribute__((used))
#define HOTPATCH_KEEP_FLAG ""
#endif
#define HOTPATCH_IN(section_name) HOTPATCH_KEEP __attribute__((section(section_name)))

#ifdef __cplusplus
/* The type of the zero that a HOTPATCH_REQUIRE without a provider returns. */
template <typename type> struct hotpatch_zero {
    typedef type returned;
};
template <typename type> struct hotpatch_zero<const type> {
    typedef type returned;
};
template <> struct hotpatch_zero<void> {
    typedef int returned;
};
#define HOTPATCH_ZERO(ret) hotpatch_zero<ret>::returned
#else
#define HOTPATCH_ZERO(ret)                                                                 \
    __typeof__(*__builtin_choose_expr(__builtin_types_compatible_p(__typeof__(ret), void), \
                                      (int *)0, (__typeof__(ret) *)0))
#endif

HOTPATCH_STATIC_ASSERT(sizeof(struct hotpatch_slot) == 64, "the stub and the table say 64");
HOTPATCH_STATIC_ASSERT(offsetof(struct hotpatch_slot, target) == 16, "the stub says 16");
HOTPATCH_STATIC_ASSERT(sizeof(struct hotpatch_data_slot) == 64, "one array holds both");
HOTPATCH_STATIC_ASSERT(sizeof(struct hotpatch_slot_table) == 48, "the asm below says 48");
HOTPATCH_STATIC_ASSERT(HOTPATCH_ABI_VERSION == 1, "the asm below says 1");

/* Around an alias whose type differs from the type of its function. */
#if defined(__GNUC__) && !defined(__clang__)
#define HOTPATCH_OTHER_TYPE_BEGIN                                                  \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wpragmas\"") \
        _Pragma("GCC diagnostic ignored \"-Wattribute-alias\"")                    \
            _Pragma("GCC diagnostic ignored \"-Wmissing-attributes\"")
#define HOTPATCH_OTHER_TYPE_END _Pragma("GCC diagnostic pop")
#else
#define HOTPATCH_OTHER_TYPE_BEGIN
#define HOTPATCH_OTHER_TYPE_END
#endif

/* The section of the slots. With HOTPATCH_DISABLE_SLOTS no table names it, and the engine finds no slot. */
#ifdef HOTPATCH_DISABLE_SLOTS
#define HOTPATCH_TABLE
#define HOTPATCH_SLOT_SECTION "hotpatch_plain"
#define HOTPATCH_SLOTS_BEGIN __start_hotpatch_plain
#define HOTPATCH_SLOTS_END __stop_hotpatch_plain
#define HOTPATCH_IS_DISABLED(slot) ((slot) == NULL)
#else
#define HOTPATCH_SLOT_SECTION "hotpatch_slots"
#define HOTPATCH_SLOTS_BEGIN __start_hotpatch_slots
#define HOTPATCH_SLOTS_END __stop_hotpatch_slots
#define HOTPATCH_IS_DISABLED(slot) 0

/*
 * The object's table.  In asm, so that every macro that declares a slot can define the table and the
 * object still has one table: .ifndef ensures this within a file, the COMDAT group between files.
 */
#define HOTPATCH_TABLE                                                                       \
    __asm__(".ifndef hotpatch_slot_table_v1\n"                                               \
            ".pushsection hotpatch_table,\"awG" HOTPATCH_KEEP_FLAG "\",@progbits,"           \
            "hotpatch_slot_table_v1,comdat\n"                                                \
            ".p2align 3\n"                                                                   \
            ".weak hotpatch_slot_table_v1\n"                                                 \
            ".type hotpatch_slot_table_v1, @object\n"                                        \
            ".size hotpatch_slot_table_v1, 48\n"                                             \
            ".weak __start_hotpatch_slots, __stop_hotpatch_slots, hotpatch_namespace_name\n" \
            ".hidden __start_hotpatch_slots, __stop_hotpatch_slots\n"                        \
            "hotpatch_slot_table_v1:\n"                                                      \
            ".ascii \"HPSLOTS1\"\n"                                                          \
            ".long 1, 64\n"                                                                  \
            ".quad __start_hotpatch_slots, __stop_hotpatch_slots\n"                          \
            ".quad hotpatch_namespace_name, 0\n"                                             \
            ".popsection\n"                                                                  \
            ".endif\n");
#endif

/*
 * The symbol that callers reach.  The jump is `jmp *hotpatch_slot_NAME+16(%rip)`, in bytes because
 * top-level asm follows -masm=.  The slot's `entry` names the second, hidden label, because NAME of
 * another object must not take its place.  `binding` is the visibility of NAME: ".globl NAME", ".hidden NAME".
 */
#define HOTPATCH_STUB(name, binding)                                       \
    __asm__(".pushsection .text." name ",\"ax\",@progbits\n"               \
            ".p2align 4\n" binding ".globl hotpatch_entry_" name "\n"      \
            ".hidden hotpatch_entry_" name "\n"                            \
            ".type " name ", @function\n"                                  \
            ".type hotpatch_entry_" name ", @function\n"                   \
            "" name ":\n"                                                  \
            "hotpatch_entry_" name ":\n"                                   \
            ".cfi_startproc\n"                                             \
            "endbr64\n"                                                    \
            ".byte 0xff, 0x25\n"                                           \
            ".long hotpatch_slot_" name " + 16 - 4 - .\n"                  \
            ".cfi_endproc\n"                                               \
            ".size " name ", . - " name "\n"                               \
            ".size hotpatch_entry_" name ", . - hotpatch_entry_" name "\n" \
            ".popsection\n");

#define HOTPATCH_FUNCTION_SLOT(variable, name, signature, body, stub, kind)  \
    extern HOTPATCH_HIDDEN struct hotpatch_slot variable;                    \
    HOTPATCH_IN(HOTPATCH_SLOT_SECTION)                                       \
    struct hotpatch_slot variable = {name,                                   \
                                     signature,                              \
                                     HOTPATCH_CAST(hotpatch_function, body), \
                                     HOTPATCH_CAST(hotpatch_function, body), \
                                     HOTPATCH_CAST(hotpatch_function, stub), \
                                     kind,                                   \
                                     0,                                      \
                                     NULL,                                   \
                                     0};

#define HOTPATCH_STORAGE_SLOT(variable, name, signature, storage) \
    extern HOTPATCH_HIDDEN struct hotpatch_data_slot variable;    \
    HOTPATCH_IN(HOTPATCH_SLOT_SECTION)                            \
    struct hotpatch_data_slot variable = {                        \
        name, signature, &storage, &storage, NULL, HOTPATCH_KIND_DATA, 0, NULL, 0};

HOTPATCH_C_BEGIN

/* Bounds of the slots, made by the linker; both are equal in an object without slots. */
extern HOTPATCH_WEAK struct hotpatch_slot HOTPATCH_SLOTS_BEGIN[];
extern HOTPATCH_WEAK struct hotpatch_slot HOTPATCH_SLOTS_END[];
extern HOTPATCH_OPTIONAL const char hotpatch_namespace_name[];

/*
 * Return the address of the shim's function, or NULL without a shim.  Through the GOT by asm: in a
 * non-PIE program the linker sets a plain weak reference to 0, also if a library is preloaded later.
 */
#define HOTPATCH_SHIM_FUNCTION(name)                                      \
    static inline hotpatch_function hotpatch_shim_##name(void)            \
    {                                                                     \
        hotpatch_function found;                                          \
        __asm__(".weak hotpatch_api_" #name "\n\t"                        \
                "{movq hotpatch_api_" #name "@GOTPCREL(%%rip), %0|"       \
                "mov %0, qword ptr hotpatch_api_" #name "@GOTPCREL[rip]}" \
                : "=r"(found));                                           \
        return found;                                                     \
    }

HOTPATCH_SHIM_FUNCTION(register)
HOTPATCH_SHIM_FUNCTION(lookup)
HOTPATCH_SHIM_FUNCTION(set)
HOTPATCH_SHIM_FUNCTION(restore)
HOTPATCH_SHIM_FUNCTION(on_change)
HOTPATCH_SHIM_FUNCTION(safe_point)
HOTPATCH_SHIM_FUNCTION(unfilled)

/* Return this object's slot of that name, or NULL; `kind` 0: of any kind. */
static inline struct hotpatch_slot *hotpatch_own_slot(const char *name, uint32_t kind)
{
    struct hotpatch_slot *slot = HOTPATCH_SLOTS_BEGIN;
    struct hotpatch_slot *end = HOTPATCH_SLOTS_END;

    __asm__("" : "+r"(slot), "+r"(end)); /* to the compiler these are two unrelated arrays */
    for (; slot != end; slot++)
        if ((kind == 0 || slot->kind == kind) && strcmp(slot->name, name) == 0)
            return slot;
    return NULL;
}

/* Return the live storage of a data slot. */
static inline void *hotpatch_storage(const struct hotpatch_data_slot *slot)
{
    const void *storage = __atomic_load_n(&slot->target, __ATOMIC_ACQUIRE);

    return HOTPATCH_CAST(void *, HOTPATCH_CAST(uintptr_t, storage));
}

/* Count and log a call of a required slot without a provider. */
static inline void hotpatch_count_unfilled(struct hotpatch_slot *slot)
{
    typedef void unfilled(struct hotpatch_slot *);
    hotpatch_function shim = hotpatch_shim_unfilled();

    __atomic_fetch_add(&slot->unfilled, 1, __ATOMIC_RELAXED);
    if (shim != NULL)
        HOTPATCH_CAST(unfilled *, shim)(slot);
}

HOTPATCH_C_END

#define HOTPATCH_SLOT_FN_(name, fallback_function, number)                         \
    HOTPATCH_TABLE                                                                 \
    static HOTPATCH_UNUSED const hotpatch_untyped_function HOTPATCH_PASTE(         \
        hotpatch_checked_, number) = fallback_function;                            \
    HOTPATCH_IN(HOTPATCH_SLOT_SECTION)                                             \
    static struct hotpatch_slot HOTPATCH_PASTE(hotpatch_untyped_slot_, number) = { \
        name,                                                                      \
        HOTPATCH_UNTYPED_SIGNATURE,                                                \
        HOTPATCH_CAST(hotpatch_function, fallback_function),                       \
        HOTPATCH_CAST(hotpatch_function, fallback_function),                       \
        NULL,                                                                      \
        HOTPATCH_KIND_UNTYPED,                                                     \
        0,                                                                         \
        NULL,                                                                      \
        0};                                                                        \
    HOTPATCH_END

HOTPATCH_C_BEGIN
extern HOTPATCH_WEAK struct hotpatch_entry __start_hotpatch_entries[];
extern HOTPATCH_WEAK struct hotpatch_entry __stop_hotpatch_entries[];
extern HOTPATCH_WEAK struct hotpatch_target_record __start_hotpatch_targets[];
extern HOTPATCH_WEAK struct hotpatch_target_record __stop_hotpatch_targets[];
extern HOTPATCH_OPTIONAL int hotpatch_hook_before_apply(struct hotpatch_context *context);
extern HOTPATCH_OPTIONAL int hotpatch_hook_after_apply(struct hotpatch_context *context);
extern HOTPATCH_OPTIONAL int hotpatch_hook_before_revert(struct hotpatch_context *context);
extern HOTPATCH_OPTIONAL int hotpatch_hook_after_revert(struct hotpatch_context *context);
HOTPATCH_C_END

#define HOTPATCH_TARGET_(object, build_id, number)                                    \
    HOTPATCH_IN("hotpatch_targets")                                                   \
    static struct hotpatch_target_record HOTPATCH_PASTE(hotpatch_target_record_,      \
                                                        number) = {object, build_id}; \
    HOTPATCH_END

#define HOTPATCH_ENTRY(variable, target, signature, function, data, original, kind) \
    HOTPATCH_IN("hotpatch_entries")                                                 \
    static struct hotpatch_entry variable = {target,   signature, function, data,   \
                                             original, kind,      0,        {NULL, NULL}};

#define HOTPATCH_REPLACE_FUNCTION(ret, params, target, body, original, entry) \
    HOTPATCH_C_BEGIN                                                          \
    static ret body params;                                                   \
    HOTPATCH_KEEP static ret(*original) params = NULL;                        \
    HOTPATCH_ENTRY(entry, target, HOTPATCH_TEXT(ret params),                  \
                   HOTPATCH_CAST(hotpatch_function, body), NULL, &original,   \
                   HOTPATCH_KIND_FUNCTION)                                    \
    HOTPATCH_C_END                                                            \
    static ret body params

#define HOTPATCH_REPLACE_STORAGE(type, signature, target, storage, original, entry, ...)    \
    static type storage = __VA_ARGS__;                                                      \
    HOTPATCH_KEEP static const type *original = NULL;                                       \
    HOTPATCH_ENTRY(entry, target, signature, NULL, &storage, &original, HOTPATCH_KIND_DATA) \
    HOTPATCH_END

#define HOTPATCH_REPLACE_FN_(cname, target) HOTPATCH_REPLACE_FN_AS(cname, target)

#define HOTPATCH_HOOK_before_apply 1
#define HOTPATCH_HOOK_after_apply 1
#define HOTPATCH_HOOK_before_revert 1
#define HOTPATCH_HOOK_after_revert 1

/* ---- definitions of the run-time API ---- */

HOTPATCH_C_BEGIN

static inline int hotpatch_register(const char *name_space, const char *name, const char *signature,
                                    hotpatch_function fallback, struct hotpatch_slot **slot)
{
    typedef int api(const char *, const char *, const char *, hotpatch_function,
                    struct hotpatch_slot **);
    hotpatch_function shim = hotpatch_shim_register();

    if (shim == NULL)
        return -ENOSYS;
    return HOTPATCH_CAST(api *, shim)(name_space, name, signature, fallback, slot);
}

static inline struct hotpatch_slot *hotpatch_lookup(const char *name_space, const char *name)
{
    typedef struct hotpatch_slot *api(const char *, const char *);
    hotpatch_function shim = hotpatch_shim_lookup();
    struct hotpatch_slot *found = NULL;
    const char *own = hotpatch_namespace_name;

    if (shim != NULL)
        found = HOTPATCH_CAST(api *, shim)(name_space, name);
    if (found != NULL)
        return found;
    __asm__("" : "+r"(own)); /* hide a constant: comparing two known texts draws a warning */
    if (name_space != NULL && (own == NULL || strcmp(own, name_space) != 0))
        return NULL;
    return hotpatch_own_slot(name, 0);
}

static inline int hotpatch_set(struct hotpatch_slot *slot, hotpatch_function function,
                               void *context)
{
    typedef int api(struct hotpatch_slot *, hotpatch_function, void *);
    hotpatch_function shim = hotpatch_shim_set();

    return shim == NULL || HOTPATCH_IS_DISABLED(slot)
               ? -ENOSYS
               : HOTPATCH_CAST(api *, shim)(slot, function, context);
}

static inline int hotpatch_restore(struct hotpatch_slot *slot)
{
    typedef int api(struct hotpatch_slot *);
    hotpatch_function shim = hotpatch_shim_restore();

    return shim == NULL || HOTPATCH_IS_DISABLED(slot) ? -ENOSYS : HOTPATCH_CAST(api *, shim)(slot);
}

static inline int hotpatch_on_change(void (*handler)(void *context), void *context)
{
    typedef int api(void (*)(void *), void *);
    hotpatch_function shim = hotpatch_shim_on_change();
    int result = shim == NULL ? -ENOSYS : HOTPATCH_CAST(api *, shim)(handler, context);

    return result == -ENOSYS ? 0 : result; /* -ENOSYS: the shim is excluded from this process */
}

static inline void hotpatch_safe_point(void)
{
    hotpatch_function shim = hotpatch_shim_safe_point();

    if (shim != NULL)
        shim();
}

static inline hotpatch_function hotpatch_target(const struct hotpatch_slot *slot)
{
    return HOTPATCH_IS_DISABLED(slot) ? NULL : __atomic_load_n(&slot->target, __ATOMIC_ACQUIRE);
}

static inline uint32_t hotpatch_version(const struct hotpatch_slot *slot)
{
    return HOTPATCH_IS_DISABLED(slot) ? 0 : __atomic_load_n(&slot->version, __ATOMIC_ACQUIRE);
}

/* Return the slot for hotpatch_call: this object's slots first, then those of all others. */
static inline struct hotpatch_slot *hotpatch_find_untyped(const char *name)
{
    struct hotpatch_slot *slot = hotpatch_own_slot(name, HOTPATCH_KIND_UNTYPED);

    if (slot == NULL)
        slot = hotpatch_lookup(NULL, name);
    if (slot == NULL || slot->kind == HOTPATCH_KIND_UNTYPED)
        return slot;
    /* made by hotpatch_register; a slot with another signature must not be called with these types */
    return slot->signature != NULL && strcmp(slot->signature, HOTPATCH_UNTYPED_SIGNATURE) == 0
               ? slot
               : NULL;
}

static inline int32_t hotpatch_call(const char *name, void *state, const void *input, void *output)
{
    static struct hotpatch_slot *known[16];
    struct hotpatch_slot **place = &known[(HOTPATCH_CAST(uintptr_t, name) >> 2) % 16];
    struct hotpatch_slot *slot = __atomic_load_n(place, __ATOMIC_ACQUIRE);

    if (slot == NULL || strcmp(slot->name, name) != 0) {
        slot = hotpatch_find_untyped(name);
        if (slot == NULL)
            return HOTPATCH_NO_SLOT;
        __atomic_store_n(place, slot, __ATOMIC_RELEASE);
    }
    return HOTPATCH_CAST(hotpatch_untyped_function, hotpatch_target(slot))(state, input, output);
}

static inline int hotpatch_context_replace(struct hotpatch_context *context, const char *target,
                                           const char *signature, hotpatch_function function)
{
    return context->replace(context, target, signature, function, NULL);
}

HOTPATCH_C_END

#endif /* HOTPATCH_H */
