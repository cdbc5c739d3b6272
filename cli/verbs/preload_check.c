/*
 * preload_check.c - see preload_check.h.
 *
 * Scripts: execve(2), "Interpreter scripts". Which programs ignore LD_PRELOAD: ld.so(8),
 * "secure-execution mode"; capabilities(7).
 */
#include "cli/verbs/preload_check.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/base_name.h"
#include "base/machine.h"
#include "cli/debug/file_image.h"
#include "cli/output/output.h"
#include "cli/process/program_path.h"

#define SCRIPT_DEPTH 5  /* the kernel's own limit is 5 */
#define LINE_LENGTH 256 /* BINPRM_BUF_SIZE */

static int preload_check_file(struct verdict *verdict, const char *path, int depth,
                              struct refusal *why);

/* Check for secure-execution mode, which comes from a change of ids or capabilities. There is none where the
 * caller has them already, or has no_new_privs. */
static int preload_check_rights(const char *path, struct refusal *why)
{
    char caps[64];
    struct stat st;

    if (stat(path, &st) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        return 0;
    if ((st.st_mode & S_ISUID) && st.st_uid != getuid())
        return refuse(why, HP_SETUID, "%s is setuid (user %u)", path, st.st_uid);
    if ((st.st_mode & S_ISGID) && (st.st_mode & S_IXGRP) && st.st_gid != getgid())
        return refuse(why, HP_SETUID, "%s is setgid (group %u)", path, st.st_gid);
    if (getuid() != 0 && getxattr(path, "security.capability", caps, sizeof(caps)) > 0)
        return refuse(why, HP_SETUID, "%s has file capabilities", path);
    return 0;
}

/* Return whether the Go linker made the program: it puts this string at the start of the text. */
static bool made_by_go(const struct file_image *file)
{
    static const char mark[] = "\xff Go build";

    return memmem(file->bytes, file->size, mark, sizeof(mark) - 1) != NULL;
}

/* Is `name` the file name or the soname of glibc's dynamic linker? */
static bool is_glibc_linker(const char *name)
{
    return strncmp(name, machine_linker_stem, strlen(machine_linker_stem)) == 0;
}

static bool is_dynamic_linker(const struct image *image)
{
    const char *soname = image_soname(image);

    return soname && is_glibc_linker(soname);
}

static int preload_check_image(struct verdict *verdict, const char *path,
                               const struct file_image *file, struct refusal *why)
{
    const char *interpreter = image_interpreter(file->image);
    const char *name;

    snprintf(verdict->linker, sizeof(verdict->linker), "%s", interpreter ? interpreter : path);
    if (is_dynamic_linker(file->image))
        return 0;
    if (!interpreter && made_by_go(file))
        return refuse(why, HP_STATIC, "%s is a Go program without libc", path);
    if (!interpreter)
        return refuse(why, HP_STATIC, "%s is statically linked", path);
    name = base_name(interpreter);
    if (strncmp(name, "ld-musl", 7) == 0)
        return refuse(why, HP_MUSL, "%s uses musl (%s)", path, interpreter);
    if (!is_glibc_linker(name) && access(interpreter, X_OK) == 0)
        return refuse(why, HP_MUSL, "%s uses the dynamic linker %s", path, interpreter);
    if (access(interpreter, X_OK) != 0)
        return refuse(why, HP_NO_PROGRAM, "%s needs the dynamic linker %s: %s", path, interpreter,
                      strerror(errno));
    return 0;
}

static int preload_check_elf(struct verdict *verdict, const char *path, struct refusal *why)
{
    struct file_image file;
    struct refusal elf_why = {0};
    int status;

    if (preload_check_rights(path, why) != 0)
        return -1;
    if (file_image_open(&file, path, 0, &elf_why) != 0) {
        enum error_code code = elf_why.items[0].code;

        if (code == HP_ELF_CLASS || code == HP_ELF_MACHINE)
            refuse(why, HP_32BIT, "%s", elf_why.items[0].text);
        else if (code == HP_OPEN) /* executable and not readable: it can run, and be patched */
            code = HP_NONE;
        else
            refuse(why, code, "%s", elf_why.items[0].text);
        refusal_clear(&elf_why);
        return code == HP_NONE ? 0 : -1;
    }
    status = preload_check_image(verdict, path, &file, why);
    file_image_close(&file);
    return status;
}

/* Return X of `/usr/bin/env [-S] X`, which is what runs the script; NULL: it is not env. Assignments and options
 * are passed over. */
static const char *behind_env(const char *interpreter, char *argument)
{
    char *rest = argument, *word;

    if (strcmp(base_name(interpreter), "env") != 0)
        return NULL;
    while ((word = strtok_r(rest, " \t", &rest)))
        if (word[0] != '-' && !strchr(word, '='))
            return word;
        else if (strncmp(word, "-S", 2) == 0 && word[2])
            return word + 2;
    return NULL;
}

/* Check the interpreter. `line` is the script's first line after "#!". */
static int preload_check_script(struct verdict *verdict, const char *path, char *line, int depth,
                                struct refusal *why)
{
    char found[PATH_MAX];
    char *interpreter = line + strspn(line, " \t");
    char *argument = interpreter + strcspn(interpreter, " \t");
    const char *program;

    if (*argument)
        *argument++ = 0;
    argument[strcspn(argument, "\n")] = 0;
    program = behind_env(interpreter, argument);
    if (!program_find(program ? program : interpreter, found, sizeof(found)) || !*interpreter)
        return refuse(why, HP_NO_PROGRAM, "%s: its interpreter %s cannot be found", path,
                      program ? program : interpreter);
    snprintf(verdict->interpreter, sizeof(verdict->interpreter), "%s", found);
    if (preload_check_file(verdict, found, depth + 1, why) == 0)
        return 0;
    if (depth == 0)
        refuse(why, HP_SCRIPT, "%s is a script that %s runs", path, verdict->interpreter);
    return -1;
}

static int preload_check_file(struct verdict *verdict, const char *path, int depth,
                              struct refusal *why)
{
    char start[LINE_LENGTH + 1] = "";
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, start, LINE_LENGTH) : 0;

    if (fd >= 0)
        close(fd);
    if (!program_executable(path))
        return refuse(why, HP_NO_PROGRAM, "%s: %s", path,
                      access(path, F_OK) == 0 ? "it is not an executable file" : strerror(errno));
    if (depth >= SCRIPT_DEPTH)
        return refuse(why, HP_NO_PROGRAM, "%s: too many scripts run each other", path);
    if (n >= 2 && start[0] == '#' && start[1] == '!') {
        start[strcspn(start, "\n")] = 0;
        return preload_check_script(verdict, path, start + 2, depth, why);
    }
    if (n >= SELFMAG && memcmp(start, ELFMAG, SELFMAG) != 0) {
        /* ENOEXEC: execvp(3) gives it to the shell. */
        snprintf(start, sizeof(start), "/bin/sh");
        return preload_check_script(verdict, path, start, depth, why);
    }
    return preload_check_elf(verdict, path, why);
}

int preload_check(const char *program, struct verdict *verdict, struct refusal *why)
{
    memset(verdict, 0, sizeof(*verdict));
    if (!program_find(program, verdict->path, sizeof(verdict->path)))
        return refuse(why, HP_NO_PROGRAM, "%s is not in PATH", program);
    return preload_check_file(verdict, verdict->path, 0, why);
}
