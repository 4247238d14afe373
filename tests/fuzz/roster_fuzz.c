/* Validly signed nonsense: whatever items k officers sign, a node takes them as the society
 * drafted them or refuses them and stays as it was; what it took, it restores from its export.
 *
 * Input: the items of a delta that follows a federation of five. */
#include <stdlib.h>

#include "protocol/roster/roster_export.h"
#include "tests/harness/federation.h"

struct fuzz {
    struct federation society;
    struct roster node, again;
    void *node_memory, *again_memory;
    uint8_t export[1 << 18];
    struct bytes founded; /* export of the node before each run */
    uint8_t founded_memory[1 << 16];
};

static struct fuzz *started(void)
{
    struct fuzz *fuzz = calloc(1, sizeof *fuzz);
    if (fuzz == NULL)
        abort();
    struct federation *f = &fuzz->society;
    struct node_id one = federation_node(1);
    federation_found(f, roster_plan_small(), 5);
    fuzz->node = federation_roster(roster_plan_small(), one, NULL, &fuzz->node_memory);
    fuzz->again = federation_roster(roster_plan_small(), one, NULL, &fuzz->again_memory);
    if (roster_apply(&fuzz->node, f->signed_head, &f->delta, f->now) != OK)
        abort();
    struct buffer buffer = buffer_over(fuzz->founded_memory, sizeof fuzz->founded_memory);
    roster_export_write(&fuzz->node, &buffer);
    if (buffer.failed)
        abort();
    fuzz->founded = buffer_bytes(&buffer);
    return fuzz;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz *fuzz;
    if (fuzz == NULL)
        fuzz = started();
    struct federation *f = &fuzz->society;
    if (size > FEDERATION_ITEMS_SIZE)
        return 0;
    f->draft.size = 0;
    buffer_put(&f->draft, data, size);
    f->now.ms = FEDERATION_START_MS;
    if (federation_draft(f) != OK)
        return 0;
    if (roster_export_read(&fuzz->node, fuzz->founded) != OK)
        abort();
    if (roster_apply(&fuzz->node, f->signed_head, &f->delta, f->now) != OK)
        abort();
    struct buffer buffer = buffer_over(fuzz->export, sizeof fuzz->export);
    roster_export_write(&fuzz->node, &buffer);
    if (buffer.failed || roster_export_read(&fuzz->again, buffer_bytes(&buffer)) != OK)
        abort();
    struct head_id left = roster_current_id(&fuzz->node), right = roster_current_id(&fuzz->again);
    if (!ID_EQUAL(left, right) || roster_count(&fuzz->node) < 5)
        abort();
    return 0;
}
