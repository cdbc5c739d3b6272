/*
 * must_faults.c - faults, which need no patch file: what a request for one can be; see must.h.
 */
#include "tests/must/must.h"

#define FAULT(name, keys)                      \
    static const char *name(struct host *host) \
    {                                          \
        return outcome(host, "load " keys);    \
    }

FAULT(fault_without_value, "fail=rename")
FAULT(fault_without_name, "fail==-1")
FAULT(fault_value_no_number, "fail=rename=minus")
FAULT(fault_value_overflows, "fail=rename=99999999999999999999")
FAULT(fault_errno_unknown, "fail=rename=-1:ENOTHING")
FAULT(fault_errno_zero, "fail=rename=-1:0")
FAULT(fault_errno_too_large, "fail=rename=-1:4096")
FAULT(fault_nth_zero, "fail=rename=-1 nth=0")
FAULT(fault_times_negative, "fail=rename=-1 times=-1")
FAULT(fault_probability_above_one, "fail=rename=-1 probability=1.5")
FAULT(fault_probability_zero, "fail=rename=-1 probability=0")
FAULT(fault_for_zero, "fail=rename=-1 for=0")
FAULT(fault_caller_unknown, "fail=rename=-1 caller=libnothing.so")
FAULT(fault_name_unknown, "fail=renameat2_nothing=-1")
FAULT(fault_of_data, "fail=stdout=0")
FAULT(fault_of_double, "fail=mean=1")
FAULT(fault_of_structure, "fail=grow=1")
FAULT(fault_of_libc_double, "fail=libc.so.6:strtod=1")
FAULT(fault_of_libc_structure, "fail=libc.so.6:div=1")
FAULT(fault_terms_alone, "nth=3")
FAULT(fault_twice_in_a_line, "fail=rename=-1 fail=getppid=0")

static const char *fault_with_file(struct host *host)
{
    return outcome(host, "load fail=rename=-1 %s", patch_file("import_rename"));
}

static const char *fault_with_replace(struct host *host)
{
    return outcome(host, "load fail=rename=-1 replace=rename=other");
}

static const char *fault_terms_of_a_file(struct host *host)
{
    return outcome(host, "load nth=3 %s", patch_file("import_rename"));
}

static const char *fault_same_name_in_transaction(struct host *host)
{
    return outcome(host, "begin\nload fail=rename=-1\nload fail=rename=-2\ncommit");
}

static const char *fault_named_and_numbered(struct host *host)
{
    host_expect(host, "rename /", "Device or resource busy");
    must_apply(host, "load fail=rename=-1:ENOSPC");
    host_expect(host, "rename /", "No space left on device");
    must_apply(host, "load fail=rename=-1:5");
    host_expect(host, "rename /", "Input/output error");
    must_apply(host, "revert name=fail:rename");
    host_expect(host, "rename /", "Device or resource busy");
    return "apply";
}

static const char *fault_value_in_hexadecimal(struct host *host)
{
    must_apply(host, "load fail=getppid=0x1f4");
    host_expect(host, "getppid", "500");
    return "apply";
}

static const char *fault_and_patch_in_transaction(struct host *host)
{
    must_apply(host, "begin\nload fail=rename=-1:EIO\nload %s\ncommit",
               patch_file("import_getenv"));
    host_expect(host, "rename /", "Input/output error");
    host_expect(host, "getenv HOTPATCH_TEST_VALUE", "patched");
    must_apply(host, "revert all");
    host_expect(host, "rename /", "Device or resource busy");
    return "apply";
}

static const char *fault_dry_run(struct host *host)
{
    must_apply(host, "load dry-run=1 fail=rename=-1:EIO");
    host_expect(host, "rename /", "Device or resource busy");
    return "apply";
}

static const char *fault_of_declared_function(struct host *host)
{
    must_apply(host, "load fail=answer=7");
    host_expect(host, "answer", "7");
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
    return "apply";
}

#define IN_IMPORTS(name) CASE_IN(name, "imports")

const struct must_case must_faults[] = {
    IN_IMPORTS(fault_without_value),
    IN_IMPORTS(fault_without_name),
    IN_IMPORTS(fault_value_no_number),
    IN_IMPORTS(fault_value_overflows),
    IN_IMPORTS(fault_errno_unknown),
    IN_IMPORTS(fault_errno_zero),
    IN_IMPORTS(fault_errno_too_large),
    IN_IMPORTS(fault_nth_zero),
    IN_IMPORTS(fault_times_negative),
    IN_IMPORTS(fault_probability_above_one),
    IN_IMPORTS(fault_probability_zero),
    IN_IMPORTS(fault_for_zero),
    IN_IMPORTS(fault_caller_unknown),
    IN_IMPORTS(fault_name_unknown),
    IN_IMPORTS(fault_of_data),
    CASE(fault_of_double),
    CASE(fault_of_structure),
    IN_IMPORTS(fault_of_libc_double),
    IN_IMPORTS(fault_of_libc_structure),
    IN_IMPORTS(fault_terms_alone),
    IN_IMPORTS(fault_twice_in_a_line),
    IN_IMPORTS(fault_with_file),
    IN_IMPORTS(fault_with_replace),
    IN_IMPORTS(fault_terms_of_a_file),
    IN_IMPORTS(fault_same_name_in_transaction),
    IN_IMPORTS(fault_named_and_numbered),
    IN_IMPORTS(fault_value_in_hexadecimal),
    IN_IMPORTS(fault_and_patch_in_transaction),
    IN_IMPORTS(fault_dry_run),
    CASE(fault_of_declared_function),
    CASES_END,
};
