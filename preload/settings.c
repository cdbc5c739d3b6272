/*
 * settings.c - see settings.h.
 *
 * Constructor only. One pass over environ, because each start of an excluded process pays for it too.
 */
#include "preload/settings.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/state.h"
#include "base/sys.h"
#include "preload/log.h"

#define DOORBELL_OFFSET 12 /* SIGRTMIN+12 */

struct settings settings STATE = {.directory = "", .xdg = ""};

struct raw_settings {
    const char *directory, *xdg, *log, *log_file, *patch, *signal, *include, *exclude, *disable,
        *run_pid, *listen;
};

static void take_variable(const char *entry, struct raw_settings *raw)
{
    static const struct {
        char name[20];
        size_t offset;
    } names[] = {
        {"HOTPATCH_DIR=", offsetof(struct raw_settings, directory)},
        {"XDG_RUNTIME_DIR=", offsetof(struct raw_settings, xdg)},
        {"HOTPATCH_LOG=", offsetof(struct raw_settings, log)},
        {"HOTPATCH_LOG_FILE=", offsetof(struct raw_settings, log_file)},
        {"HOTPATCH_PATCH=", offsetof(struct raw_settings, patch)},
        {"HOTPATCH_SIGNAL=", offsetof(struct raw_settings, signal)},
        {"HOTPATCH_INCLUDE=", offsetof(struct raw_settings, include)},
        {"HOTPATCH_EXCLUDE=", offsetof(struct raw_settings, exclude)},
        {"HOTPATCH_DISABLE=", offsetof(struct raw_settings, disable)},
        {"HOTPATCH_RUN_PID=", offsetof(struct raw_settings, run_pid)},
        {"HOTPATCH_LISTEN=", offsetof(struct raw_settings, listen)},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t length = strlen(names[i].name);

        if (strncmp(entry, names[i].name, length) == 0 && entry[length])
            *(const char **)((char *)raw + names[i].offset) = entry + length;
    }
}

/* Match `*` and `?` alone. fnmatch(3) would load the locale, at a cost for each excluded process. */
static bool glob_match(const char *glob, const char *end, const char *text)
{
    const char *star = NULL, *resume = NULL;

    while (*text) {
        if (glob < end && *glob == '*') {
            star = glob++;
            resume = text;
        } else if (glob < end && (*glob == '?' || *glob == *text)) {
            glob++;
            text++;
        } else if (star) {
            glob = star + 1;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (glob < end && *glob == '*')
        glob++;
    return glob == end;
}

/* Return the end of a glob. No function of libc: each costs an excluded process a page. */
static const char *end_of_glob(const char *glob)
{
    while (*glob && *glob != ':')
        glob++;
    return glob;
}

/* Match one or more globs, separated by colons, with the program's path and its base name. */
static bool globs_match(const char *globs, const char *path)
{
    const char *slash = NULL;

    for (const char *p = path; *p; p++)
        slash = *p == '/' ? p : slash;
    while (*globs) {
        const char *end = end_of_glob(globs);

        if (end > globs &&
            (glob_match(globs, end, path) || (slash && glob_match(globs, end, slash + 1))))
            return true;
        globs = end + (*end == ':');
    }
    return false;
}

static bool program_wanted(const struct raw_settings *raw)
{
    const char *called = (const char *)getauxval(AT_EXECFN);
    char path[PATH_MAX];
    ssize_t length;

    if (!raw->include && !raw->exclude)
        return true;
    /* Compare the name that the program was called by first: reading /proc costs more than all other steps here. */
    if (raw->exclude && called && globs_match(raw->exclude, called))
        return false;
    if (!raw->exclude && called && globs_match(raw->include, called))
        return true;
    length = sys_readlinkat(AT_FDCWD, "/proc/thread-self/exe", path, sizeof(path) - 1);
    if (length < 0)
        return !raw->include;
    path[length] = '\0';
    if (raw->exclude && globs_match(raw->exclude, path))
        return false;
    return !raw->include || globs_match(raw->include, path);
}

static const char *copy_path(const char *from, const char *name)
{
    const char *copy;

    if (!from)
        return "";
    if (from[0] != '/' || strlen(from) >= PATH_MAX) {
        log_write(LOG_ERROR, "%s is not an absolute path: %.200s", name, from);
        return "";
    }
    copy = strdup(from);
    return copy ? copy : "";
}

static int parse_signal(const char *text)
{
    int base = 0, number;
    char *end;

    if (!text)
        return SIGRTMIN + DOORBELL_OFFSET;
    if (strcasecmp(text, "none") == 0)
        return 0;
    if (strncasecmp(text, "SIG", 3) == 0)
        text += 3;
    if (strncasecmp(text, "RTMIN", 5) == 0) {
        base = SIGRTMIN;
        text += 5;
        if (!*text)
            return base;
    }
    number = (int)strtol(text, &end, 10) + base;
    if (end == text || *end || number < 1 || number > SIGRTMAX || number == SIGKILL ||
        number == SIGSTOP || (number > 31 && number < SIGRTMIN)) {
        log_write(LOG_ERROR, "HOTPATCH_SIGNAL is not a signal: %.80s; none is used", text);
        return 0;
    }
    return number;
}

static enum log_level parse_level(const char *text)
{
    static const char *const names[] = {
        [LOG_NONE] = "none", [LOG_ERROR] = "error", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};

    for (size_t i = 0; text && i < sizeof(names) / sizeof(names[0]); i++)
        if (strcasecmp(text, names[i]) == 0)
            return (enum log_level)i;
    return LOG_ERROR;
}

static enum listen_when parse_listen(const char *text)
{
    if (!text || strcasecmp(text, "first-ring") == 0)
        return LISTEN_FIRST_RING;
    if (strcasecmp(text, "start") == 0)
        return LISTEN_START;
    if (strcasecmp(text, "never") == 0)
        return LISTEN_NEVER;
    log_write(LOG_ERROR, "HOTPATCH_LISTEN is first-ring, start or never, not %.80s", text);
    return LISTEN_FIRST_RING;
}

bool settings_read(void)
{
    struct raw_settings raw = {0};

    if (getauxval(AT_SECURE))
        return false;
    for (char **entry = environ; entry && *entry; entry++)
        if ((*entry)[0] == 'H' || (*entry)[0] == 'X')
            take_variable(*entry, &raw);
    if (raw.disable && strcmp(raw.disable, "0") != 0)
        return false;
    if (!program_wanted(&raw))
        return false;
    log_start(parse_level(raw.log)); /* not before: an excluded process makes no system call */
    log_to_file(copy_path(raw.log_file, "HOTPATCH_LOG_FILE"));
    settings.directory = copy_path(raw.directory, "HOTPATCH_DIR");
    settings.xdg = copy_path(raw.xdg && raw.xdg[0] == '/' ? raw.xdg : NULL, "XDG_RUNTIME_DIR");
    settings.signal = parse_signal(raw.signal);
    settings.listen = parse_listen(raw.listen);
    settings.patches = raw.patch ? strdup(raw.patch) : NULL;
    settings.run_pid = raw.run_pid ? (pid_t)strtol(raw.run_pid, NULL, 10) : 0;
    return true;
}
