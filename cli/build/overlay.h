/*
 * overlay.h - a view of the file system in which some files have other texts.
 *
 * Below the directory R lies a tree: R and the absolute path of a file lead to the file, or to its other text. Directories on the
 * way to replaced files are real ones, with a symbolic link for each of their other entries but objects:
 *
 *     R/home/u/app/src/parse.c      the new text
 *     R/home/u/app/src/main.c    -> /home/u/app/src/main.c
 *     R/home/u/app/include       -> /home/u/app/include
 *
 * A compiler that runs in R and the path of its directory finds the same names as in that directory. Paths here are those of
 * path_real(), and symbolic links of the user's that lead to real directories of the tree lead there in the tree.
 */
#ifndef HOTPATCH_OVERLAY_H
#define HOTPATCH_OVERLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/refusal.h"
#include "cli/build/hunk_lines.h"
#include "cli/build/words.h"

struct overlay_file {
    char *path; /* path_real() */
    char *text; /* NULL: the file is not there */
    size_t size;
    struct timespec time;    /* of the file that it stands for; 0: the file is new */
    struct hunk_lines lines; /* of the text's marks */
};

struct overlay {
    char *root; /* R */
    struct overlay_file *files;
    size_t file_count;
    struct word_list directories; /* that are made real, path_real() */
    const struct word_list
        *roots; /* of the project; those above have the ways down alone, unless `full` */
    bool full;
    struct word_list links; /* absolute paths that lead through symbolic links of the user's */
};

void overlay_begin(struct overlay *overlay, const char *root, const struct word_list *roots);
/* Take the text, which was allocated. */
void overlay_replace(struct overlay *overlay, const char *real_path, char *text, size_t size);
/* Take the lines of the text that was replaced last. */
void overlay_take_lines(struct overlay *overlay, struct hunk_lines *lines);
/* Take a copy of the text for a file that has been replaced. */
void overlay_change(struct overlay *overlay, const char *real_path, const char *text, size_t size);
/* Make the directory, which the tree's compilers enter or begin names in, real. `path` is absolute; links in it are kept. */
void overlay_open_directory(struct overlay *overlay, const char *path);
/* Make the tree. Return 0, or -1 with HP-OPEN. */
int overlay_make(struct overlay *overlay, struct refusal *why);
/* Remove what overlay_make() made, so that it can be made again. */
void overlay_clear(struct overlay *overlay);
void overlay_free(struct overlay *overlay);

/* Return the text that stands for the file, or NULL. */
const struct overlay_file *overlay_find(const struct overlay *overlay, const char *real_path);
/* Return the path outside of the tree, a part of `path`; the path itself where it does not lie in the tree. */
const char *overlay_outside(const struct overlay *overlay, const char *path);

#endif
