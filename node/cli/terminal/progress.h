/* A progress line: on a terminal only, and only for work that takes longer than a second. */
#ifndef CONSILIUM_NODE_CLI_TERMINAL_PROGRESS_H
#define CONSILIUM_NODE_CLI_TERMINAL_PROGRESS_H

#include <stdbool.h>

struct progress {
    const char *what;     /* "entries"; NULL: bytes */
    bool is_wanted;       /* false: draws nothing */
    bool is_drawn;        /* there is a line to clear */
    long long started_ms; /* of the monotonic clock */
    long long drawn_ms;
};

/* `is_silent`: a program reads the output. */
struct progress progress_begin(const char *what, bool is_silent);
/* `all` 0: the total is unknown. Both 0: the node is working. */
void progress_draw(struct progress *progress, long long done, long long all);
/* Clears the line. */
void progress_end(struct progress *progress);

#endif
