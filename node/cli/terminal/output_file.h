/* Files that a command writes: readable by their owner only, whole or not there, never through a
 * link, and never in place of a different file unless the caller allows it. */
#ifndef CONSILIUM_NODE_CLI_TERMINAL_OUTPUT_FILE_H
#define CONSILIUM_NODE_CLI_TERMINAL_OUTPUT_FILE_H

#include <stdbool.h>
#include <stdio.h>

struct output_file {
    FILE *stream;     /* write here */
    const char *path; /* borrowed until the end */
    char part[4200];  /* the unfinished file, beside `path` */
};

/* Creates the unfinished file (mode 600). False after an error, which was printed. */
bool output_file_open(struct output_file *file, const char *path);
/* Closes it and gives it its name. When another file has the name: true if the content is the same;
 * else it is replaced if `may_replace`. False after an error, which was printed; `path` is then as
 * it was. */
bool output_file_commit(struct output_file *file, bool may_replace);
/* Closes and removes the unfinished file. */
void output_file_discard(struct output_file *file);

#endif
