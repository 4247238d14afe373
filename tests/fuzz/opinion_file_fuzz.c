/* A file from anywhere: read and checked, believed or refused, with nothing else happening. The
 * federation is the one of the seeds, so that their signatures are good up to where they change. */
#include <stdlib.h>
#include <string.h>

#include "protocol/contents/opinion_file.h"

enum { HEAD_COUNT = 64, OFFICER_SETS = 8 };

/* The id of the federation is that of the first head, whatever it is. */
static bool federation_of(const struct opinion_file *file, struct federation_id *ret_id)
{
    struct reader reader = reader_of(file->heads);
    struct roster_head_signed head;
    if (file->head_count == 0)
        return false;
    struct bytes signed_head = reader_take(&reader, reader_u32(&reader));
    if (roster_head_signed_read(signed_head, &head) != OK)
        return false;
    struct head_id id = roster_head_id(head.body);
    *ret_id = roster_head_federation(&id);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct chain_link links[HEAD_COUNT];
    static struct officers officers[OFFICER_SETS];
    static struct opinion_file_memory memory;
    struct bytes all = {.data = data, .size = size};
    struct opinion_file_trust trust = {.head = NULL};
    struct opinion_file_facts facts;
    struct opinion_file file;
    if (opinion_file_read(all, &file) != OK || !federation_of(&file, &trust.federation))
        return 0;
    memory.chain = (struct chain){.links = links,
                                  .capacity = HEAD_COUNT,
                                  .officer_sets = officers,
                                  .officer_set_capacity = OFFICER_SETS};
    if (opinion_file_verify(all, &trust, &memory, &facts) == OK &&
        (facts.is_anchored || facts.certificate.request.name.size == 0))
        abort();
    return 0;
}
