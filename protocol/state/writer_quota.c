#include "protocol/state/writer_quota.h"

#include <string.h>

#include "protocol/base/limits.h"
#include "protocol/base/planted.h"

#define WRITER_QUOTA_DAY_MS ((uint64_t)24 * 60 * 60 * 1000)

size_t writer_quota_memory_size(uint32_t count_max)
{
    return count_max * sizeof(struct writer_use);
}

void writer_quota_init(struct writer_quota *writer_quota, void *memory, uint32_t count_max)
{
    writer_quota->all = memory;
    writer_quota->mask = count_max - 1;
    writer_quota->count = 0;
}

/* Members choose their ids, and the officers admit them: nobody can aim at one place for long. */
static struct writer_use *writer_quota_place(const struct writer_quota *writer_quota,
                                             const struct node_id *node)
{
    uint32_t place;
    memcpy(&place, node->bytes, sizeof place);
    place = (place * UINT32_C(2654435769)) & writer_quota->mask;
    while (!ID_IS_ZERO(writer_quota->all[place].node) &&
           !ID_EQUAL(writer_quota->all[place].node, *node))
        place = (place + 1) & writer_quota->mask;
    return &writer_quota->all[place];
}

static void writer_quota_add(struct writer_quota *writer_quota, const struct node_id *node,
                             uint64_t kib)
{
    struct writer_use *use = writer_quota_place(writer_quota, node);
    if (ID_IS_ZERO(use->node)) {
        if (writer_quota->count == writer_quota->mask)
            return; /* more than members: one place stays free */
        writer_quota->count++;
        use->node = *node;
    }
    use->used_kib += kib;
}

void writer_quota_charge(struct writer_quota *writer_quota, const struct node_id *node, size_t size)
{
    writer_quota_add(writer_quota, node, (size + 1023) / 1024);
}

void writer_quota_refund(struct writer_quota *writer_quota, const struct node_id *node, size_t size)
{
    struct writer_use *use = writer_quota_place(writer_quota, node);
    uint64_t kib = (size + 1023) / 1024;
    use->used_kib -= kib < use->used_kib ? kib : use->used_kib;
}

void writer_quota_restore(struct writer_quota *writer_quota, const struct node_id *node,
                          uint64_t record_count)
{
    writer_quota_add(writer_quota, node, record_count);
}

void writer_quota_restore_used(struct writer_quota *writer_quota, const struct node_id *node,
                               uint64_t used_kib)
{
    uint64_t known = writer_quota_used(writer_quota, node);
    if (used_kib > known)
        writer_quota_add(writer_quota, node, used_kib - known);
}

uint64_t writer_quota_used(const struct writer_quota *writer_quota, const struct node_id *node)
{
    return writer_quota_place(writer_quota, node)->used_kib;
}

bool writer_quota_is_spent(const struct writer_quota *writer_quota, const struct node_id *node,
                           struct wall since, struct wall now)
{
    const struct writer_use *use = writer_quota_place(writer_quota, node);
    uint64_t ms = now.ms > since.ms ? now.ms - since.ms : 0;
    return !PLANTED(WRITER_WITHOUT_BOUND) &&
           use->used_kib >= WRITER_FIRST_KIB + ms / WRITER_QUOTA_DAY_MS * WRITER_DAY_KIB;
}
