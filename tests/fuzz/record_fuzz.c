/* A record that parses is one of two things: bare, or whole; what its claim borrows lies within it,
 * its header alone decides its id, and nothing opens that was not sealed. */
#include <stdlib.h>
#include <string.h>

#include "protocol/record/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t memory[RECORD_SIZE_MAX];
    struct record_claim claim, bare, again;
    struct bytes all = {data, size};
    if (record_parse(all, &claim) != OK)
        return 0;
    must(size >= RECORD_BARE_SIZE && size <= RECORD_SIZE_MAX);
    must(claim.header_bytes.data == data && claim.header_bytes.size == RECORD_HEADER_SIZE);
    must(claim.body.size == size - RECORD_BARE_SIZE);
    must(claim.is_bare == (claim.body.size == 0 && claim.header.body_size > 0));
    must(claim.is_bare || claim.body.size == claim.header.body_size);
    must(record_parse((struct bytes){data, RECORD_BARE_SIZE}, &bare) == OK);
    must(ID_EQUAL(bare.id, claim.id));
    must(record_parse_again(all, &claim.id, &again) == OK && ID_EQUAL(again.id, claim.id));
    struct record_id made = record_id_of(claim.header_bytes);
    must(ID_EQUAL(made, claim.id));
    struct buffer out = buffer_over(memory, sizeof memory);
    struct record_key key = {{5}};
    if (claim.header.audience != AUDIENCE_CLEAR && !claim.is_bare)
        must(record_open(&claim, NULL, &out) == ERR_BAD_KEY && out.size == 0);
    if (record_open(&claim, &key, &out) != OK)
        must(out.size == 0);
    if (record_check_body(&claim) == OK)
        must(!claim.is_bare);
    return 0;
}
