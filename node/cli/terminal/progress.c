#include "node/cli/terminal/progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "node/cli/terminal/term.h"

enum { PROGRESS_WIDTH = 40, PROGRESS_PATIENCE_MS = 1000, PROGRESS_EVERY_MS = 100 };

static long long progress_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct progress progress_begin(const char *what, bool is_silent)
{
    return (struct progress){.what = what,
                             .is_wanted = !is_silent && isatty(STDOUT_FILENO),
                             .started_ms = progress_now()};
}

static void progress_amount(const struct progress *progress, long long amount, char ret[static 32])
{
    if (progress->what == NULL)
        snprintf(ret, 32, "%s", term_size(amount));
    else
        snprintf(ret, 32, "%lld", amount);
}

void progress_draw(struct progress *progress, long long done, long long all)
{
    static const char full[] = "########################################";
    static const char empty[] = "........................................";
    char so_far[32], of[32] = "";
    long long now = progress_now();
    if (!progress->is_wanted || now - progress->started_ms < PROGRESS_PATIENCE_MS ||
        (progress->is_drawn && now - progress->drawn_ms < PROGRESS_EVERY_MS))
        return;
    progress->is_drawn = true;
    progress->drawn_ms = now;
    if (done == 0 && all == 0) { /* nothing to count: the node is working */
        printf("\rthe node is working: %lld s %40s", (now - progress->started_ms) / 1000, "");
        fflush(stdout);
        return;
    }
    int filled = all <= 0 ? 0 : (int)((done > all ? all : done) * PROGRESS_WIDTH / all);
    progress_amount(progress, done, so_far);
    if (all > 0)
        progress_amount(progress, all, of);
    printf("\r[%.*s%.*s] %s%s%s %-8s", filled, full, PROGRESS_WIDTH - filled, empty, so_far,
           all > 0 ? " of " : "", of, progress->what == NULL ? "" : progress->what);
    fflush(stdout);
}

void progress_end(struct progress *progress)
{
    if (progress->is_drawn)
        printf("\r%79s\r", "");
    fflush(stdout);
    progress->is_drawn = false;
}
