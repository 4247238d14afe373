/* No entry breaks the walk, and what is read as an entry is written as the same bytes. */
#include <assert.h>

#include "node/audit/audit_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = {data, size};
    struct audit_entry entry;
    uint8_t memory[4096];
    struct buffer out = buffer_over(memory, sizeof memory);
    struct audit_walk *walk = audit_walk_new();
    assert(walk != NULL);
    audit_walk_look(walk, bytes);
    audit_walk_step(walk, 1, bytes);
    audit_walk_step(walk, 2, bytes);
    assert(audit_walk_end(walk).fault != AUDIT_SOUND); /* one entry cannot stand twice */
    audit_walk_free(walk);
    if (audit_entry_read(bytes, &entry) == OK && audit_entry_write(&entry, &out) == OK)
        assert(out.size <= size); /* fields of later versions are passed over */
    return 0;
}
