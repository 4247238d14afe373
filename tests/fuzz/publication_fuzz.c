/* A publication that reads has the shape it says, and reads head by head to its list. */
#include <stdlib.h>
#include <string.h>

#include "protocol/relay/publication.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t memory[1 << 21];
    static struct chain_link links[64];
    static struct officers officers[8];
    struct bytes input = {data, size}, head;
    struct publication publication;
    if (publication_read(input, &publication) != OK)
        return 0;
    struct buffer buffer = buffer_over(memory, sizeof memory);
    struct reader reader = reader_of(publication.heads);
    publication_begin(&buffer, publication.head_count);
    while (publication_next(&reader, &head))
        publication_put(&buffer, head);
    buffer_put(&buffer, publication.list.data, publication.list.size);
    if (buffer.failed || !bytes_equal(buffer_bytes(&buffer), input))
        abort();
    struct chain chain = {
        .links = links, .capacity = 64, .officer_sets = officers, .officer_set_capacity = 8};
    chain_init(&chain, NULL);
    if (publication_learn(&publication, &chain, NULL, (struct wall){1}) != OK && chain.count != 0)
        abort();
    return 0;
}
