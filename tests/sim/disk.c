#include "tests/sim/disk.h"

#include <stdlib.h>
#include <string.h>

void disk_free(struct disk *disk)
{
    for (size_t i = 0; i < disk->count; i++) {
        for (uint64_t j = 0; j < disk->streams[i].capacity; j++)
            free(disk->streams[i].records[j].bytes);
        free(disk->streams[i].records);
    }
    for (size_t i = 0; i < disk->case_count; i++)
        free(disk->cases[i].bytes);
    free(disk->cases);
    free(disk->streams);
    *disk = (struct disk){0};
}

struct disk_stream *disk_find(const struct disk *disk, const struct stream_id *id)
{
    for (size_t i = 0; i < disk->count; i++) {
        if (stream_id_equal(&disk->streams[i].id, id))
            return &disk->streams[i];
    }
    return NULL;
}

const struct disk_record *disk_at(const struct disk *disk, const struct stream_id *id,
                                  uint64_t sequence)
{
    const struct disk_stream *stream = disk_find(disk, id);
    if (stream == NULL || sequence == 0 || sequence > stream->capacity ||
        stream->records[sequence - 1].bytes == NULL)
        return NULL;
    return &stream->records[sequence - 1];
}

uint64_t disk_seek(const struct disk *disk, const struct stream_id *id,
                   const struct record_id *record)
{
    struct record_claim claim;
    for (uint64_t at = 1; disk_at(disk, id, at) != NULL; at++) {
        const struct disk_record *here = disk_at(disk, id, at);
        if (record_parse((struct bytes){here->bytes, here->size}, &claim) == OK &&
            ID_EQUAL(claim.id, *record))
            return at;
    }
    return 0;
}

static struct disk_stream *disk_add(struct disk *disk, const struct stream_id *id)
{
    struct disk_stream *stream = disk_find(disk, id);
    if (stream != NULL)
        return stream;
    disk->streams = realloc(disk->streams, (disk->count + 1) * sizeof *disk->streams);
    if (disk->streams == NULL)
        abort();
    stream = &disk->streams[disk->count++];
    *stream = (struct disk_stream){.id = *id};
    return stream;
}

static struct disk_record *disk_reserve(struct disk_stream *stream, uint64_t sequence)
{
    if (sequence > stream->capacity) {
        uint64_t capacity = 2 * sequence + 8;
        stream->records = realloc(stream->records, capacity * sizeof *stream->records);
        if (stream->records == NULL)
            abort();
        memset(stream->records + stream->capacity, 0,
               (capacity - stream->capacity) * sizeof *stream->records);
        stream->capacity = capacity;
    }
    return &stream->records[sequence - 1];
}

static void disk_put(struct disk *disk, const struct step_run *run,
                     const struct step_record *record, uint64_t epoch)
{
    struct record_claim claim;
    if (record_parse(record->record, &claim) != OK)
        abort();
    const struct record_header *header = &claim.header;
    struct disk_stream *stream = disk_add(disk, &header->stream);
    struct disk_record *place = disk_reserve(stream, header->sequence);
    bool has_body = (record->flags & RECORD_BARE) == 0;
    size_t size = has_body ? record->record.size : (size_t)RECORD_BARE_SIZE;
    if (step_run_fills(run) && (place->flags & RECORD_DESTROYED) != 0)
        return;
    place->bytes = realloc(place->bytes, size);
    if (place->bytes == NULL)
        abort();
    memcpy(place->bytes, record->record.data, size);
    place->size = size;
    place->has_key = record->has_key;
    place->key = record->key;
    place->id = claim.id;
    place->audience = header->audience;
    place->flags = record->flags;
    if (step_run_fills(run))
        return;
    place->put_count++;
    stream->tail = header->sequence;
    stream->tail_id = claim.id;
    stream->epoch = epoch;
}

/* Would the batch be written as a whole? Positions of one stream come in order within it. */
static err disk_check(const struct disk *disk, const struct step_batch *batch)
{
    for (size_t i = 0; i < batch->run_count; i++) {
        const struct step_run *run = &batch->runs[i];
        struct record_claim claim;
        size_t offset = 0;
        uint64_t expected = 0;
        for (size_t j = 0; j < i; j++)
            offset += batch->runs[j].count;
        if (record_parse(batch->records[offset].record, &claim) != OK)
            return ERR_MALFORMED;
        const struct disk_stream *stream = disk_find(disk, &claim.header.stream);
        expected = stream == NULL ? 1 : stream->tail + 1;
        if (step_run_fills(run)) {
            if (disk_at(disk, &claim.header.stream, run->first) == NULL)
                return ERR_NOT_FOUND;
            continue;
        }
        for (size_t j = 0; j < i; j++) {
            if (batch->runs[j].stream == run->stream && !step_run_fills(&batch->runs[j]))
                expected = batch->runs[j].first + batch->runs[j].count;
        }
        if (run->first != expected)
            return run->first < expected ? ERR_DUPLICATE : ERR_OUT_OF_ORDER;
    }
    return OK;
}

err disk_write(struct disk *disk, const struct step_batch *batch, const uint64_t *epochs)
{
    if (disk->is_full)
        return ERR_FULL;
    err failure = disk_check(disk, batch);
    if (failure != OK)
        return failure;
    const struct step_record *record = batch->records;
    for (size_t i = 0; i < batch->run_count; i++) {
        for (uint16_t j = 0; j < batch->runs[i].count; j++)
            disk_put(disk, &batch->runs[i], record++, *epochs++);
    }
    return OK;
}

uint64_t disk_destroy(struct disk *disk, const struct scope *scope)
{
    uint64_t count = 0;
    for (size_t i = 0; i < disk->count; i++) {
        struct disk_stream *stream = &disk->streams[i];
        for (uint64_t j = 0; scope_equal(&stream->id.scope, scope) && j < stream->tail; j++) {
            struct disk_record *record = &stream->records[j];
            if (record->bytes == NULL || record->audience == AUDIENCE_CLEAR ||
                (record->flags & RECORD_DESTROYED) != 0)
                continue;
            record->size = RECORD_BARE_SIZE;
            record->has_key = false;
            record->key = (struct record_key){{0}};
            record->flags |= RECORD_DESTROYED | RECORD_BARE;
            count++;
        }
    }
    return count;
}

struct disk_case *disk_case(struct disk *disk, const struct scope *scope)
{
    for (size_t i = 0; i < disk->case_count; i++) {
        if (scope_equal(&disk->cases[i].scope, scope))
            return &disk->cases[i];
    }
    disk->cases = realloc(disk->cases, (disk->case_count + 1) * sizeof *disk->cases);
    if (disk->cases == NULL)
        abort();
    disk->cases[disk->case_count] = (struct disk_case){.scope = *scope};
    return &disk->cases[disk->case_count++];
}

void disk_case_put(struct disk_case *row, struct bytes bytes)
{
    uint8_t *copy = malloc(bytes.size + 1);
    if (copy == NULL)
        abort();
    memcpy(copy, bytes.data, bytes.size);
    free(row->bytes);
    row->bytes = copy;
    row->size = bytes.size;
}

static void *disk_double(const void *from, size_t size)
{
    void *copy = malloc(size + 1);
    if (copy == NULL)
        abort();
    if (size > 0)
        memcpy(copy, from, size);
    return copy;
}

void disk_copy(const struct disk *disk, struct disk *ret_copy)
{
    *ret_copy = *disk;
    ret_copy->streams = disk_double(disk->streams, disk->count * sizeof *disk->streams);
    ret_copy->cases = disk_double(disk->cases, disk->case_count * sizeof *disk->cases);
    for (size_t i = 0; i < disk->case_count; i++)
        ret_copy->cases[i].bytes = disk_double(disk->cases[i].bytes, disk->cases[i].size);
    for (size_t i = 0; i < disk->count; i++) {
        struct disk_stream *stream = &ret_copy->streams[i];
        stream->records =
            disk_double(stream->records, (size_t)stream->capacity * sizeof *stream->records);
        for (uint64_t j = 0; j < stream->capacity; j++) {
            struct disk_record *record = &stream->records[j];
            if (record->bytes != NULL)
                record->bytes = disk_double(record->bytes, record->size);
        }
    }
}
