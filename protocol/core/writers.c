#include "protocol/core/writers.h"

#include <string.h>

#include "protocol/limits.h"

#define WRITERS_DAY_MS ((uint64_t)24 * 60 * 60 * 1000)

size_t writers_memory_size(uint32_t count_max)
{
    return count_max * sizeof(struct writer_use);
}

void writers_init(struct writers *writers, void *memory, uint32_t count_max)
{
    writers->all = memory;
    writers->mask = count_max - 1;
    writers->count = 0;
}

/* Members choose their ids, and the officers admit them: nobody can aim at one place for long. */
static struct writer_use *writers_place(const struct writers *writers, const struct node_id *node)
{
    uint32_t place;
    memcpy(&place, node->bytes, sizeof place);
    place = (place * UINT32_C(2654435769)) & writers->mask;
    while (!ID_IS_ZERO(writers->all[place].node) && !ID_EQUAL(writers->all[place].node, *node))
        place = (place + 1) & writers->mask;
    return &writers->all[place];
}

static void writers_add(struct writers *writers, const struct node_id *node, uint64_t kib)
{
    struct writer_use *use = writers_place(writers, node);
    if (ID_IS_ZERO(use->node)) {
        if (writers->count == writers->mask)
            return; /* more than members: one place stays free */
        writers->count++;
        use->node = *node;
    }
    use->used_kib += kib;
}

void writers_charge(struct writers *writers, const struct node_id *node, size_t size)
{
    writers_add(writers, node, (size + 1023) / 1024);
}

void writers_restore(struct writers *writers, const struct node_id *node, uint64_t record_count)
{
    writers_add(writers, node, record_count);
}

bool writers_is_spent(const struct writers *writers, const struct node_id *node, struct wall since,
                      struct wall now)
{
    const struct writer_use *use = writers_place(writers, node);
    uint64_t ms = now.ms > since.ms ? now.ms - since.ms : 0;
    return use->used_kib >= WRITER_FIRST_KIB + ms / WRITERS_DAY_MS * WRITER_DAY_KIB;
}
