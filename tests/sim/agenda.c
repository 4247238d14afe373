#include "tests/sim/agenda.h"

#include <stdlib.h>
#include <string.h>

static bool agenda_before(const struct agenda_item *a, const struct agenda_item *b)
{
    return a->at != b->at ? a->at < b->at : a->serial < b->serial;
}

static void agenda_swap(struct agenda *agenda, size_t a, size_t b)
{
    struct agenda_item held = agenda->heap[a];
    agenda->heap[a] = agenda->heap[b];
    agenda->heap[b] = held;
}

void agenda_frame(struct agenda_item *item, struct bytes frame)
{
    item->frame = malloc(frame.size);
    item->frame_size = frame.size;
    if (item->frame == NULL)
        abort();
    memcpy(item->frame, frame.data, frame.size);
}

void agenda_add(struct agenda *agenda, const struct agenda_item *item)
{
    if (agenda->count == agenda->capacity) {
        agenda->capacity = 2 * agenda->capacity + 64;
        agenda->heap = realloc(agenda->heap, agenda->capacity * sizeof *agenda->heap);
        if (agenda->heap == NULL)
            abort();
    }
    size_t at = agenda->count++;
    agenda->heap[at] = *item;
    agenda->heap[at].serial = ++agenda->serial_last;
    while (at > 0 && agenda_before(&agenda->heap[at], &agenda->heap[(at - 1) / 2])) {
        agenda_swap(agenda, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

bool agenda_take(struct agenda *agenda, uint64_t until, struct agenda_item *ret_item)
{
    if (agenda->count == 0 || agenda->heap[0].at > until)
        return false;
    *ret_item = agenda->heap[0];
    agenda->heap[0] = agenda->heap[--agenda->count];
    size_t at = 0;
    for (;;) {
        size_t least = at, left = 2 * at + 1;
        for (size_t child = left; child < left + 2 && child < agenda->count; child++) {
            if (agenda_before(&agenda->heap[child], &agenda->heap[least]))
                least = child;
        }
        if (least == at)
            return true;
        agenda_swap(agenda, at, least);
        at = least;
    }
}

void agenda_free(struct agenda *agenda)
{
    for (size_t i = 0; i < agenda->count; i++)
        free(agenda->heap[i].frame);
    free(agenda->heap);
    *agenda = (struct agenda){0};
}
