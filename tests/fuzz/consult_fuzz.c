/* Records of hostile members, applied to one case: any writer, kind, audience, order and content.
 *
 * Each record: u8 (bits 0-1 writer, 2-3 audience, 4 signed, 5 skip a sequence, 6 next generation),
 * u16 kind, u16 size, content. Whatever comes, the case can be kept and read back, a state never
 * leaves "erased", and nobody but participants is ever entitled. */
#include <stdlib.h>
#include <string.h>

#include "protocol/consult/consult.h"

static uint8_t first[CONSULT_EXPORT_SIZE_MAX], second[CONSULT_EXPORT_SIZE_MAX];
static struct consult consult, copy;

static struct node_id node_of(unsigned number)
{
    struct node_id node;
    for (size_t i = 0; i < NODE_ID_SIZE; i++)
        node.bytes[i] = (uint8_t)(0xa0 + 16 * number + i);
    return node;
}

static void begin(void)
{
    struct federation_id federation;
    struct case_record_opening opening;
    for (size_t i = 0; i < HASH_SIZE; i++) {
        federation.bytes[i] = (uint8_t)(0x10 + i);
        opening.bytes[i] = (uint8_t)(0x40 + i);
    }
    struct node_id requester = node_of(0);
    struct case_id case_id = case_record_case_id(&federation, &requester, &opening);
    consult_init(&consult, &federation, &case_id);
}

static void check(const struct consult_record *record, enum consult_verdict verdict)
{
    struct buffer one = buffer_over(first, sizeof first), two = buffer_over(second, sizeof second);
    struct consult_action actions[CONSULT_ACTION_COUNT_MAX];
    struct consult_situation situation = {.self = node_of(0),
                                          .grants_automatically = true,
                                          .is_writer_admitted = true,
                                          .is_signature_good = true,
                                          .verdict = verdict};
    struct node_id stranger = {{0x01}};
    if (consult_react(&consult, &situation, record, actions) > CONSULT_ACTION_COUNT_MAX)
        abort();
    /* the requester may name even this one */
    if (consult_entitled(&consult, &stranger, record, record->time) &&
        consult_participant_of(&consult, &stranger) == NULL)
        abort();
    if (consult_export(&consult, &one) != OK || consult_import(buffer_bytes(&one), &copy) != OK ||
        consult_export(&copy, &two) != OK || !bytes_equal(buffer_bytes(&one), buffer_bytes(&two)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader reader = reader_of((struct bytes){.data = data, .size = size});
    uint64_t sequences[4] = {0};
    uint32_t generations[4] = {1, 1, 1, 1};
    begin();
    if (consult_import((struct bytes){.data = data, .size = size}, &copy) == OK) {
        struct buffer out = buffer_over(first, sizeof first);
        if (consult_export(&copy, &out) != OK || out.size != size)
            abort();
    }
    for (uint8_t count = 1; reader_left(&reader) > 5 && count < 64; count++) {
        uint8_t how = reader_u8(&reader);
        unsigned writer = how & 3;
        struct statement statement = {.kind = reader_u16(&reader), .is_signed = (how & 16) != 0};
        statement.content = reader_take(&reader, reader_u16(&reader));
        sequences[writer] += (how & 32) != 0 ? 2 : 1;
        if ((how & 64) != 0) {
            generations[writer]++;
            sequences[writer] = 1;
        }
        struct consult_record record = {.id = {{count}},
                                        .writer = node_of(writer),
                                        .generation = generations[writer],
                                        .sequence = sequences[writer],
                                        .time = {(uint64_t)count << 38},
                                        .audience = (enum audience)((how >> 2 & 3) % 3),
                                        .statement = (how & 128) != 0 ? NULL : &statement};
        bool was_erased = consult.state == CASE_ERASED;
        check(&record, consult_apply(&consult, &record));
        if (was_erased && consult.state != CASE_ERASED)
            abort();
    }
    return 0;
}
