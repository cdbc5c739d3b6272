/*
 * object_cache.c - see object_cache.h. The form of an entry:
 *
 *     hotpatch object 1
 *     INODE SIZE MTIME.NS CTIME.NS HASH SPELLED <tab> PATH     for each file; HASH is "-" outside of the project
 *     object SIZE
 *     the object's bytes
 */
#include "cli/build/object_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sha256.h"
#include "cli/build/file_bytes.h"
#include "cli/build/paths.h"
#include "cli/output/output.h"

#define ENTRY_HEAD "hotpatch object 1\n"
#define CACHE_MAX ((off_t)512 << 20)

/* ------------------------------------------------------------ the directory --- */

/* Return the directory that the cache's own lies in, malloc'd; NULL: none. */
static char *cache_home(const struct build_owner *owner)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    struct passwd *entry;

    if (owner->other) { /* root's variables are not the owner's */
        entry = getpwuid(owner->uid);
        return entry && *entry->pw_dir == '/' ? format_text("%s/.cache", entry->pw_dir) : NULL;
    }
    if (cache && *cache == '/')
        return format_text("%s", cache);
    if (owner->uid == 0)
        return format_text("/var/cache");
    return home && *home == '/' ? format_text("%s/.cache", home) : NULL;
}

/* Make the directory if it is not there. Return whether it is the owner's alone. */
static bool is_own_directory(const struct build_owner *owner, const char *path)
{
    struct stat facts;

    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return false;
    return lstat(path, &facts) == 0 && S_ISDIR(facts.st_mode) && facts.st_uid == owner->uid &&
           !(facts.st_mode & (S_IWGRP | S_IWOTH));
}

/* Return the cache's directory, malloc'd; NULL: there is none. */
static char *cache_directory(const struct build_owner *owner)
{
    char *home = cache_home(owner), *own, *objects = NULL;

    if (!home)
        return NULL;
    own = format_text("%s/hotpatch", home);
    if (is_own_directory(owner, home) && is_own_directory(owner, own)) {
        objects = format_text("%s/objects", own);
        if (!is_own_directory(owner, objects)) {
            free(objects);
            objects = NULL;
        }
    }
    free(home);
    free(own);
    return objects;
}

/* -------------------------------------------------------------- the name --- */

/* Find the compiler as execvp(3) does. */
static char *find_program(const char *name, const char *directory)
{
    const char *path = getenv("PATH");

    if (strchr(name, '/'))
        return path_absolute(directory, name);
    for (const char *at = path ? path : "/usr/bin:/bin"; *at;
         at += strcspn(at, ":"), at += *at == ':') {
        char *whole = format_text("%.*s/%s", (int)strcspn(at, ":"), at, name);

        if (access(whole, X_OK) == 0)
            return whole;
        free(whole);
    }
    return format_text("%s", name);
}

/* Write what tells whether the compiler is the same program. */
static void write_compiler(FILE *out, const char *name, const char *directory)
{
    char *program = find_program(name, directory);
    struct stat facts = {0};

    if (stat(program, &facts) != 0)
        facts.st_size = -1;
    fprintf(out, "%s %llu %lld %lld.%ld\n", program, (unsigned long long)facts.st_ino,
            (long long)facts.st_size, (long long)facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec);
    free(program);
}

char *object_cache_path(const struct build_owner *owner, const struct word_list *words,
                        const char *directory)
{
    static const char *const variables[] = {
        "CPATH",           "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH",
        "GCC_EXEC_PREFIX", "COMPILER_PATH",  "SOURCE_DATE_EPOCH"};
    char *objects = cache_directory(owner), *text = NULL, *path, hex[65];
    size_t size;
    FILE *out = objects ? open_memstream(&text, &size) : NULL;

    if (!out) {
        free(objects);
        return NULL;
    }
    write_compiler(out, words->list[0], directory);
    fprintf(out, "%s", directory);
    for (size_t i = 0; i < words->count; i++)
        fprintf(out, "%c%s", '\0', words->list[i]);
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        fprintf(out, "%c%s", '\0', getenv(variables[i]) ? getenv(variables[i]) : "");
    fclose(out);
    sha256_hex(text, size, hex);
    path = format_text("%s/%s", objects, hex);
    free(objects);
    free(text);
    return path;
}

/* -------------------------------------------------------------- entries --- */

static void write_facts(FILE *out, const struct stat *facts)
{
    fprintf(out, "%llu %lld %lld.%ld %lld.%ld ", (unsigned long long)facts->st_ino,
            (long long)facts->st_size, (long long)facts->st_mtim.tv_sec, facts->st_mtim.tv_nsec,
            (long long)facts->st_ctim.tv_sec, facts->st_ctim.tv_nsec);
}

static bool is_in_roots(const char *path, const struct word_list *roots)
{
    for (size_t i = 0; i < roots->count; i++)
        if (path_is_below(path, roots->list[i]))
            return true;
    return false;
}

/* Write the line of one file. Return whether it is as it was at `begun`. */
static bool write_file_line(FILE *out, const char *spelled, const char *path,
                            const struct word_list *roots, struct timespec begun)
{
    struct stat facts;
    char hex[65] = "-", *bytes;
    size_t size;

    if (strpbrk(spelled, "\n\t") || stat(path, &facts) != 0 || facts.st_ctim.tv_sec >= begun.tv_sec)
        return false;
    if (is_in_roots(path, roots)) {
        if (file_bytes_read(path, &bytes, &size, NULL) != 0)
            return false;
        sha256_hex(bytes, size, hex);
        free(bytes);
    }
    write_facts(out, &facts);
    fprintf(out, "%s %s\t%s\n", hex, spelled, path);
    return true;
}

static bool compose_entry(FILE *out, const struct cached_object *object,
                          const struct word_list *roots, struct timespec begun)
{
    fputs(ENTRY_HEAD, out);
    for (size_t i = 0; i < object->files.count; i++)
        if (!write_file_line(out, object->spelled.list[i], object->files.list[i], roots, begun))
            return false;
    fprintf(out, "object %zu\n", object->size);
    if (object->size) /* bytes may be NULL otherwise */
        fwrite(object->bytes, 1, object->size, out);
    return true;
}

void object_cache_store(const char *path, const struct cached_object *object,
                        const struct word_list *roots, struct timespec begun)
{
    char *text = NULL, *made;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    bool whole = out && compose_entry(out, object, roots, begun);

    if (out && fclose(out) == 0 && whole) {
        made = format_text("%s.%d", path, (int)getpid());
        if (file_bytes_write(made, text, size) != 0 || rename(made, path) != 0)
            unlink(made);
        free(made);
    }
    free(text);
}

/* Return whether the file is the one of the line: "FACTS HASH ". */
static bool is_as_noted(const char *line, const char *path)
{
    char *text = NULL, *bytes, hex[65];
    struct stat facts;
    size_t size = 0, length;
    const char *hash;
    FILE *out;
    bool same;

    if (stat(path, &facts) != 0 || !(out = open_memstream(&text, &size)))
        return false;
    write_facts(out, &facts);
    fclose(out);
    same = strncmp(line, text, size) == 0;
    free(text);
    if (same)
        return true;
    /* The contents decide: the fifth word is their hash. */
    hash = line;
    for (int i = 0; i < 4 && hash; i++) {
        hash = strchr(hash, ' ');
        hash = hash ? hash + 1 : NULL;
    }
    length = hash ? strcspn(hash, " ") : 0;
    if (length != 64 || file_bytes_read(path, &bytes, &size, NULL) != 0)
        return false;
    sha256_hex(bytes, size, hex);
    free(bytes);
    return strncmp(hash, hex, 64) == 0;
}

/* Take one line, which ends in a zero byte. */
static bool take_file_line(char *line, struct cached_object *object)
{
    char *tab = strchr(line, '\t'), *spelled = line;

    for (int i = 0; i < 5 && spelled; i++) {
        spelled = strchr(spelled, ' ');
        spelled = spelled ? spelled + 1 : NULL;
    }
    if (!tab || !spelled || spelled > tab || !is_as_noted(line, tab + 1))
        return false;
    words_add_bytes(&object->spelled, spelled, (size_t)(tab - spelled));
    words_add(&object->files, tab + 1);
    return true;
}

static bool take_entry_text(char *text, size_t size, struct cached_object *object)
{
    char *at = text + strlen(ENTRY_HEAD), *newline, *end;

    if (strncmp(text, ENTRY_HEAD, strlen(ENTRY_HEAD)) != 0)
        return false;
    for (; (newline = strchr(at, '\n')); at = newline + 1) {
        *newline = '\0';
        if (strncmp(at, "object ", 7) != 0) {
            if (!take_file_line(at, object))
                return false;
            continue;
        }
        object->size = strtoul(at + 7, &end, 10);
        if (*end || object->size != (size_t)(text + size - newline - 1))
            return false;
        object->bytes = allocate(object->size + 1);
        memcpy(object->bytes, newline + 1, object->size);
        return true;
    }
    return false;
}

bool object_cache_take(const char *path, struct cached_object *object)
{
    char *text;
    size_t size;
    bool taken;

    memset(object, 0, sizeof(*object));
    if (file_bytes_read(path, &text, &size, NULL) != 0)
        return false;
    taken = take_entry_text(text, size, object);
    free(text);
    if (taken)
        utimensat(AT_FDCWD, path, NULL, 0); /* the oldest go first */
    else
        cached_object_free(object);
    return taken;
}

void cached_object_free(struct cached_object *object)
{
    words_free(&object->spelled);
    words_free(&object->files);
    free(object->bytes);
    memset(object, 0, sizeof(*object));
}

/* ------------------------------------------------------------- the size --- */

struct cache_file {
    char *path;
    off_t size;
    struct timespec used;
};

static int compare_used(const void *a, const void *b)
{
    const struct cache_file *first = a, *second = b;

    if (first->used.tv_sec != second->used.tv_sec)
        return first->used.tv_sec < second->used.tv_sec ? -1 : 1;
    return first->used.tv_nsec < second->used.tv_nsec ? -1
                                                      : first->used.tv_nsec > second->used.tv_nsec;
}

static size_t list_cache(const char *directory, struct cache_file **files, off_t *total)
{
    DIR *entries = opendir(directory);
    size_t count = 0;

    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        struct stat facts;
        char *path = format_text("%s/%s", directory, entry->d_name);

        if (*entry->d_name == '.' || lstat(path, &facts) != 0) {
            free(path);
            continue;
        }
        *files = reallocate(*files, (count + 1) * sizeof(**files));
        (*files)[count++] = (struct cache_file){path, facts.st_size, facts.st_mtim};
        *total += facts.st_size;
    }
    if (entries)
        closedir(entries);
    return count;
}

void object_cache_trim(const struct build_owner *owner)
{
    char *directory = cache_directory(owner);
    struct cache_file *files = NULL;
    off_t total = 0;
    size_t count = directory ? list_cache(directory, &files, &total) : 0;

    if (count)
        qsort(files, count, sizeof(*files), compare_used);
    for (size_t i = 0; i < count; i++) {
        if (total > CACHE_MAX && unlink(files[i].path) == 0)
            total -= files[i].size;
        free(files[i].path);
    }
    free(files);
    free(directory);
}
