#include "protocol/core/marks.h"

#include <string.h>

size_t marks_memory_size(uint32_t count_max)
{
    return count_max * sizeof(struct mark);
}

void marks_init(struct marks *marks, void *memory, uint32_t count_max)
{
    marks->all = memory;
    marks->mask = count_max - 1;
    marks->count = 0;
}

/* The place of a mark, or the free place where it would go. */
static struct mark *marks_place(struct marks *marks, uint32_t session, uint32_t stream)
{
    uint64_t mixed = ((uint64_t)session << 32 | stream) * UINT64_C(0x9e3779b97f4a7c15);
    uint32_t place = (uint32_t)(mixed >> 32) & marks->mask;
    while (marks->all[place].session != 0 &&
           (marks->all[place].session != session || marks->all[place].stream != stream))
        place = (place + 1) & marks->mask;
    return &marks->all[place];
}

struct mark *marks_find(struct marks *marks, uint32_t session, uint32_t stream)
{
    struct mark *mark = marks_place(marks, session, stream);
    return mark->session == 0 ? NULL : mark;
}

struct mark *marks_add(struct marks *marks, uint32_t session, uint32_t stream)
{
    struct mark *mark = marks_place(marks, session, stream);
    if (mark->session != 0)
        return mark;
    if (marks->count >= (marks->mask + 1) / 4 * 3)
        return NULL;
    *mark = (struct mark){.session = session, .stream = stream};
    marks->count++;
    return mark;
}

/* Open addressing without gaps: take one out, and put the rest of its cluster in again. */
static void marks_remove(struct marks *marks, uint32_t place)
{
    marks->all[place].session = 0;
    marks->count--;
    for (uint32_t i = (place + 1) & marks->mask; marks->all[i].session != 0;
         i = (i + 1) & marks->mask) {
        struct mark moved = marks->all[i];
        marks->all[i].session = 0;
        *marks_place(marks, moved.session, moved.stream) = moved;
    }
}

void marks_sweep(struct marks *marks, bool (*is_live)(const void *arg, uint32_t session),
                 const void *arg)
{
    if (marks->count <= (marks->mask + 1) / 2)
        return;
    for (uint32_t i = 0; i <= marks->mask; i++) {
        while (marks->all[i].session != 0 && !is_live(arg, marks->all[i].session))
            marks_remove(marks, i);
    }
}
