#include "protocol/state/peer_progress.h"

#include <string.h>

size_t peer_progress_memory_size(uint32_t count_max)
{
    return count_max * sizeof(struct mark);
}

void peer_progress_init(struct peer_progress *marks, void *memory, uint32_t count_max)
{
    marks->all = memory;
    marks->mask = count_max - 1;
    marks->count = 0;
}

/* The place of a mark, or the free place where it would go. */
static struct mark *peer_progress_place(struct peer_progress *marks, uint32_t session,
                                        uint32_t stream)
{
    uint64_t mixed = ((uint64_t)session << 32 | stream) * UINT64_C(0x9e3779b97f4a7c15);
    uint32_t place = (uint32_t)(mixed >> 32) & marks->mask;
    while (marks->all[place].session != 0 &&
           (marks->all[place].session != session || marks->all[place].stream != stream))
        place = (place + 1) & marks->mask;
    return &marks->all[place];
}

struct mark *peer_progress_find(struct peer_progress *marks, uint32_t session, uint32_t stream)
{
    struct mark *mark = peer_progress_place(marks, session, stream);
    return mark->session == 0 ? NULL : mark;
}

struct mark *peer_progress_add(struct peer_progress *marks, uint32_t session, uint32_t stream)
{
    struct mark *mark = peer_progress_place(marks, session, stream);
    if (mark->session != 0)
        return mark;
    if (marks->count >= (marks->mask + 1) / 4 * 3)
        return NULL;
    *mark = (struct mark){.session = session, .stream = stream};
    marks->count++;
    return mark;
}

/* Open addressing without gaps: take one out, and put the rest of its cluster in again. */
static void peer_progress_remove(struct peer_progress *marks, uint32_t place)
{
    marks->all[place].session = 0;
    marks->count--;
    for (uint32_t i = (place + 1) & marks->mask; marks->all[i].session != 0;
         i = (i + 1) & marks->mask) {
        struct mark moved = marks->all[i];
        marks->all[i].session = 0;
        *peer_progress_place(marks, moved.session, moved.stream) = moved;
    }
}

void peer_progress_sweep(struct peer_progress *marks,
                         bool (*is_live)(const void *arg, uint32_t session), const void *arg)
{
    if (marks->count <= (marks->mask + 1) / 2)
        return;
    for (uint32_t i = 0; i <= marks->mask; i++) {
        while (marks->all[i].session != 0 && !is_live(arg, marks->all[i].session))
            peer_progress_remove(marks, i);
    }
}
