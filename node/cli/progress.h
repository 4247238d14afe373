/* One line that tells how far something got: on a terminal only, and only for what takes longer
 * than a second. */
#ifndef CONSILIUM_NODE_CLI_PROGRESS_H
#define CONSILIUM_NODE_CLI_PROGRESS_H

#include <stdbool.h>

struct progress {
    const char *what;     /* "entries"; NULL: bytes */
    bool is_wanted;       /* false: draws nothing */
    bool is_drawn;        /* the line is to be wiped */
    long long started_ms; /* of the monotonic clock */
    long long drawn_ms;
};

/* `is_silent`: whoever reads the output is a program. */
struct progress progress_begin(const char *what, bool is_silent);
/* `all` 0: nobody knows how much there is. Nothing of nothing: it is waited for. */
void progress_draw(struct progress *progress, long long done, long long all);
/* Wipes the line. */
void progress_end(struct progress *progress);

#endif
