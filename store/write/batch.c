#include "store/write/batch.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* ---- measuring: what an op needs beyond its struct, or why it cannot be ---- */

static err measure_put(const struct store_put *put, size_t *ret_size)
{
    if (put->stream == NULL || put->id == NULL || put->head.size == 0 || put->sequence == 0) {
        return ERR_INVALID;
    }
    if (put->head.size > STORE_HEAD_SIZE_MAX || put->body.size > STORE_RECORD_SIZE_MAX ||
        put->head.size + put->body.size > STORE_RECORD_SIZE_MAX ||
        put->stream_state.size > STORE_STREAM_STATE_SIZE_MAX) {
        return ERR_TOO_LARGE;
    }
    *ret_size = ROW_CODEC_META_SIZE + put->head.size + put->body.size + put->stream_state.size;
    return OK;
}

static err measure_fill(const struct store_fill *fill, size_t *ret_size)
{
    if (fill->stream == NULL) {
        return ERR_INVALID;
    }
    if (fill->head.size > STORE_HEAD_SIZE_MAX || fill->body.size > STORE_RECORD_SIZE_MAX) {
        return ERR_TOO_LARGE;
    }
    *ret_size = fill->head.size + fill->body.size;
    return OK;
}

static err measure_row(const struct store_row *row, size_t *ret_size)
{
    if (!row_codec_table_known(row->table) || row->key.size == 0 ||
        (row_codec_table_ordered(row->table) && row->key.size != 8)) {
        return ERR_INVALID;
    }
    if (row->key.size > STORE_ROW_KEY_SIZE_MAX || row->value.size > STORE_ROW_SIZE_MAX) {
        return ERR_TOO_LARGE;
    }
    *ret_size = 2 + row->key.size + row->value.size;
    return OK;
}

static err measure(const struct store_op *op, size_t *ret_size)
{
    switch (op->kind) {
    case STORE_PUT:
    case STORE_MEND:
        return measure_put(&op->put, ret_size);
    case STORE_FILL:
        return measure_fill(&op->fill, ret_size);
    case STORE_FLAG:
    case STORE_DESTROY:
    case STORE_DROP:
        *ret_size = 0;
        return op->position.stream == NULL ? ERR_INVALID : OK;
    case STORE_STREAM:
        *ret_size = op->stream.state.size;
        if (op->stream.stream == NULL) {
            return ERR_INVALID;
        }
        return *ret_size > STORE_STREAM_STATE_SIZE_MAX ? ERR_TOO_LARGE : OK;
    case STORE_ROW_PUT:
    case STORE_ROW_DELETE:
        return measure_row(&op->row, ret_size);
    case STORE_AUDIT:
        *ret_size = 2 + 8 + op->audit.entry.size;
        return op->audit.entry.size > STORE_AUDIT_SIZE_MAX ? ERR_TOO_LARGE : OK;
    case STORE_TOMBSTONE:
        *ret_size = 2 + 1 + HASH_SIZE + 8;
        return op->tombstone.kind >= STORE_TOMBSTONE_RECORD &&
                       op->tombstone.kind <= STORE_TOMBSTONE_RETRACTION
                   ? OK
                   : ERR_INVALID;
    case STORE_ITEM_DELETE:
        *ret_size = 2 + HASH_SIZE;
        return OK;
    }
    return ERR_INVALID;
}

/* ---- copying ---- */

static struct bytes keep(struct buffer *memory, struct bytes bytes)
{
    uint8_t *copy = buffer_reserve(memory, bytes.size);
    assert(copy != NULL || bytes.size == 0);
    if (bytes.size != 0) {
        memcpy(copy, bytes.data, bytes.size);
    }
    return (struct bytes){.data = copy, .size = bytes.size};
}

static void copy_put(struct batch_op *out, const struct store_put *put, struct buffer *memory)
{
    out->number = put->number;
    out->stream = *put->stream;
    out->sequence = put->sequence;
    out->id = *put->id;
    out->flags = put->flags;
    out->continues = put->continues;
    out->has_key = put->key != NULL;
    if (out->has_key) {
        out->key = *put->key;
    }
    out->head_size = (uint16_t)put->head.size;
    out->plain = buffer_reserve(memory, ROW_CODEC_META_SIZE);
    (void)keep(memory, put->head);
    out->body = keep(memory, put->body);
    out->plain_size = ROW_CODEC_META_SIZE + put->head.size + put->body.size;
    out->state = keep(memory, put->stream_state);
}

static void copy_fill(struct batch_op *out, const struct store_fill *fill, struct buffer *memory)
{
    out->kind = BATCH_FILL;
    out->stream = *fill->stream;
    out->sequence = fill->sequence;
    out->flags = fill->flags;
    out->flags_mask = fill->flags_mask;
    out->has_key = fill->key != NULL;
    if (out->has_key) {
        out->key = *fill->key;
    }
    out->head = keep(memory, fill->head);
    out->body = keep(memory, fill->body);
}

static void copy_position(struct batch_op *out, const struct store_op *op)
{
    out->kind = op->kind == STORE_FLAG      ? BATCH_FLAG
                : op->kind == STORE_DESTROY ? BATCH_DESTROY
                                            : BATCH_DROP;
    out->stream = *op->position.stream;
    out->sequence = op->position.sequence;
    out->flags = op->position.flags;
    out->flags_mask = op->position.flags_mask;
}

static void copy_row(struct batch_op *out, unsigned table, struct bytes name, struct bytes value,
                     struct buffer *memory)
{
    out->table = table;
    out->plain = memory->data + memory->size;
    out->plain_size = 2 + name.size + value.size;
    buffer_u16(memory, (uint16_t)name.size);
    out->name = keep(memory, name);
    (void)keep(memory, value);
}

static void copy_numbered(struct batch_op *out, const struct store_op *op, struct buffer *memory)
{
    uint8_t name[1 + HASH_SIZE];
    uint8_t value[8];
    struct buffer names = buffer_over(name, sizeof name);
    struct buffer values = buffer_over(value, sizeof value);
    if (op->kind == STORE_AUDIT) {
        out->kind = BATCH_AUDIT;
        buffer_u64(&names, op->audit.number);
        copy_row(out, ROW_CODEC_TABLE_AUDIT, buffer_bytes(&names), op->audit.entry, memory);
    } else {
        out->kind = BATCH_TOMBSTONE;
        buffer_u8(&names, (uint8_t)op->tombstone.kind);
        buffer_put(&names, op->tombstone.id, HASH_SIZE);
        buffer_u64(&values, op->tombstone.erased_at.ms);
        copy_row(out, ROW_CODEC_TABLE_TOMBSTONE, buffer_bytes(&names), buffer_bytes(&values),
                 memory);
    }
}

static void copy(struct batch_op *out, const struct store_op *op, struct buffer *memory)
{
    switch (op->kind) {
    case STORE_PUT:
    case STORE_MEND:
        copy_put(out, &op->put, memory);
        out->kind = op->kind == STORE_PUT ? BATCH_PUT : BATCH_MEND;
        return;
    case STORE_FILL:
        copy_fill(out, &op->fill, memory);
        return;
    case STORE_FLAG:
    case STORE_DESTROY:
    case STORE_DROP:
        copy_position(out, op);
        return;
    case STORE_STREAM:
        out->kind = BATCH_STREAM;
        out->stream = *op->stream.stream;
        out->state = keep(memory, op->stream.state);
        return;
    case STORE_ROW_PUT:
    case STORE_ROW_DELETE:
        out->kind = op->kind == STORE_ROW_PUT ? BATCH_ROW_PUT : BATCH_ROW_DELETE;
        copy_row(out, op->row.table, op->row.key,
                 op->kind == STORE_ROW_PUT ? op->row.value : BYTES_NONE, memory);
        return;
    case STORE_AUDIT:
    case STORE_TOMBSTONE:
        copy_numbered(out, op, memory);
        return;
    case STORE_ITEM_DELETE:
        out->kind = BATCH_ITEM_DELETE;
        copy_row(out, ROW_CODEC_TABLE_ITEM, ID_BYTES(op->item), BYTES_NONE, memory);
        return;
    }
}

static struct batch *allocate(size_t op_count, size_t size, struct buffer *ret_memory)
{
    size_t fixed = sizeof(struct batch) + op_count * (sizeof(struct batch_op) + sizeof(uint64_t));
    struct batch *batch = malloc(fixed + size);
    if (batch == NULL) {
        return NULL;
    }
    memset(batch, 0, fixed);
    batch->size = fixed + size;
    batch->op_count = op_count;
    batch->ops = (struct batch_op *)(void *)(batch + 1);
    batch->numbers = (uint64_t *)(void *)(batch->ops + op_count);
    *ret_memory = buffer_over((uint8_t *)(batch->numbers + op_count), size);
    return batch;
}

err batch_new(const struct store_op *ops, size_t op_count, enum store_urgency urgency,
              uint64_t token, struct batch **ret_batch)
{
    size_t total = 0;
    bool grows = false;
    if (op_count == 0) {
        return ERR_INVALID;
    }
    if (op_count > STORE_BATCH_OP_MAX) {
        return ERR_TOO_LARGE;
    }
    for (size_t i = 0; i < op_count; i += 1) {
        size_t size = 0;
        err result = measure(&ops[i], &size);
        if (result != OK) {
            return result;
        }
        total += size;
        grows = grows || ops[i].kind == STORE_PUT ||
                (ops[i].kind == STORE_FILL && ops[i].fill.body.size > 0);
    }
    if (total > STORE_BATCH_SIZE_MAX) {
        return ERR_TOO_LARGE;
    }
    struct buffer memory;
    struct batch *batch = allocate(op_count, total, &memory);
    if (batch == NULL) {
        return ERR_NO_MEMORY;
    }
    batch->urgency = urgency;
    batch->token = token;
    batch->grows = grows;
    for (size_t i = 0; i < op_count; i += 1) {
        copy(&batch->ops[i], &ops[i], &memory);
    }
    assert(!memory.failed);
    *ret_batch = batch;
    return OK;
}

err batch_new_item(enum batch_kind kind, const struct item_id *item, struct bytes value,
                   uint64_t token, struct batch **ret_batch)
{
    struct buffer memory;
    struct batch *batch = allocate(1, 2 + HASH_SIZE + value.size, &memory);
    if (batch == NULL) {
        return ERR_NO_MEMORY;
    }
    batch->token = token;
    batch->ops[0].kind = kind;
    copy_row(&batch->ops[0], ROW_CODEC_TABLE_ITEM, ID_BYTES(*item), value, &memory);
    *ret_batch = batch;
    return OK;
}

struct batch *batch_new_empty(uint64_t token)
{
    struct buffer memory;
    struct batch *batch = allocate(0, 0, &memory);
    if (batch != NULL) {
        batch->token = token;
    }
    return batch;
}

void batch_free(struct batch *batch)
{
    if (batch == NULL) {
        return;
    }
    for (size_t i = 0; i < batch->op_count; i += 1) {
        sodium_memzero(&batch->ops[i].key, sizeof batch->ops[i].key);
    }
    free(batch);
}
