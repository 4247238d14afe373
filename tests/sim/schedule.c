#include "tests/sim/schedule.h"

#include <stdlib.h>
#include <string.h>

static bool schedule_before(const struct schedule_item *a, const struct schedule_item *b)
{
    return a->at != b->at ? a->at < b->at : a->serial < b->serial;
}

static void schedule_swap(struct schedule *schedule, size_t a, size_t b)
{
    struct schedule_item held = schedule->heap[a];
    schedule->heap[a] = schedule->heap[b];
    schedule->heap[b] = held;
}

void schedule_frame(struct schedule_item *item, struct bytes frame)
{
    item->frame = malloc(frame.size);
    item->frame_size = frame.size;
    if (item->frame == NULL)
        abort();
    memcpy(item->frame, frame.data, frame.size);
}

void schedule_add(struct schedule *schedule, const struct schedule_item *item)
{
    if (schedule->count == schedule->capacity) {
        schedule->capacity = 2 * schedule->capacity + 64;
        schedule->heap = realloc(schedule->heap, schedule->capacity * sizeof *schedule->heap);
        if (schedule->heap == NULL)
            abort();
    }
    size_t at = schedule->count++;
    schedule->heap[at] = *item;
    schedule->heap[at].serial = ++schedule->serial_last;
    while (at > 0 && schedule_before(&schedule->heap[at], &schedule->heap[(at - 1) / 2])) {
        schedule_swap(schedule, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

bool schedule_take(struct schedule *schedule, uint64_t until, struct schedule_item *ret_item)
{
    if (schedule->count == 0 || schedule->heap[0].at > until)
        return false;
    *ret_item = schedule->heap[0];
    schedule->heap[0] = schedule->heap[--schedule->count];
    size_t at = 0;
    for (;;) {
        size_t least = at, left = 2 * at + 1;
        for (size_t child = left; child < left + 2 && child < schedule->count; child++) {
            if (schedule_before(&schedule->heap[child], &schedule->heap[least]))
                least = child;
        }
        if (least == at)
            return true;
        schedule_swap(schedule, at, least);
        at = least;
    }
}

void schedule_free(struct schedule *schedule)
{
    for (size_t i = 0; i < schedule->count; i++)
        free(schedule->heap[i].frame);
    free(schedule->heap);
    *schedule = (struct schedule){0};
}
