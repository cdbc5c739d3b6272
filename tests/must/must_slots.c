/*
 * must_slots.c - sound patches that do not fit the process; see must.h.
 */
#include <json-c/json.h>
#include <string.h>

#include "tests/must/must.h"

#define LOADED(name)                           \
    static const char *name(struct host *host) \
    {                                          \
        return load(host, #name);              \
    }

LOADED(bad_signature)
LOADED(no_target)
LOADED(not_patchable)
LOADED(function_for_data)
LOADED(data_for_function)
LOADED(untyped_for_typed)
LOADED(untyped_for_data)
LOADED(untyped_wrong_type)
LOADED(wrong_build)
LOADED(wrong_object)
LOADED(undefined)
LOADED(object_unknown)
LOADED(object_suffix)
LOADED(target_empty)
LOADED(twice)

static const char *untyped_for_made(struct host *host)
{
    return load_and_ask(host, "untyped_for_made", "registered", "5", "3");
}

static bool has_code(struct reply *reply, const char *code)
{
    json_object *errors = member(reply->json, "errors");
    for (size_t i = 0; i < json_object_array_length(errors); i++)
        if (strcmp(member_text(json_object_array_get_idx(errors, i), "code"), code) == 0)
            return true;
    return false;
}

/* Everything that is wrong is listed at once, and what was right is not applied. */
static const char *half_wrong(struct host *host)
{
    struct reply *reply = request(host, "load %s", patch_file("half_wrong"));
    bool all = has_code(reply, "HP-NO-TARGET") && has_code(reply, "HP-SIGNATURE");
    reply_free(reply);
    host_expect(host, "second", "10");
    return all ? "HP-NO-TARGET" : "only some of the errors";
}

static const char *signature_texts_shown(struct host *host)
{
    struct reply *reply = request(host, "load %s", patch_file("bad_signature"));
    bool both = strstr(reply->text, "int") && strstr(reply->text, "long");
    const char *code = both && strcmp(reply->code, "HP-SIGNATURE") == 0 ? "HP-SIGNATURE" : "?";
    reply_free(reply);
    return code;
}

static const char *ambiguous_names(struct host *host)
{
    host_expect(host, "second", "10");
    assert_string_equal(host_ask(host, "open %s", built("hosts/libslots.so")), "opened");
    const char *code = load(host, "second");
    host_expect(host, "second", "10");
    return code;
}

static const char *module_twice_in_transaction(struct host *host)
{
    return outcome(host, "begin\nload %s\nload %s\ncommit", patch_file("answer2"),
                   patch_file("answer3"));
}

static const char *replace_symbol_missing(struct host *host)
{
    return outcome(host, "load replace=answer=not_there %s", patch_file("plain"));
}

static const char *replace_target_missing(struct host *host)
{
    return outcome(host, "load replace=not_there=plain_answer %s", patch_file("plain"));
}

static const char *replace_badly_spelled(struct host *host)
{
    return outcome(host, "load replace=exe:=plain_answer %s", patch_file("plain"));
}

static const char *import_unknown(struct host *host)
{
    return outcome(host, "load replace=renameat2_nothing=plain_answer %s", patch_file("plain"));
}

static const char *import_not_imported(struct host *host)
{
    return outcome(host, "load replace=wcsncasecmp=plain_answer %s", patch_file("plain"));
}

static const char *declared_slot_in_prebuilt(struct host *host)
{
    return load(host, "answer2");
}

const struct must_case must_slots[] = {
    CASE(bad_signature),
    CASE(signature_texts_shown),
    CASE(no_target),
    CASE(half_wrong),
    CASE(not_patchable),
    CASE(function_for_data),
    CASE(data_for_function),
    CASE(untyped_for_typed),
    CASE(untyped_for_made),
    CASE(untyped_for_data),
    CASE(untyped_wrong_type),
    CASE(wrong_build),
    CASE(wrong_object),
    CASE(undefined),
    CASE(object_unknown),
    CASE(object_suffix),
    CASE(target_empty),
    CASE(twice),
    CASE(ambiguous_names),
    CASE(module_twice_in_transaction),
    CASE(replace_symbol_missing),
    CASE(replace_target_missing),
    CASE(replace_badly_spelled),
    CASE_IN(import_unknown, "imports"),
    CASE_IN(import_not_imported, "imports"),
    CASE_IN(declared_slot_in_prebuilt, "imports"),
    CASES_END,
};
