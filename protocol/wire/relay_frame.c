#include "protocol/wire/relay_frame.h"

#include <assert.h>

enum { RELAY_ENTRY_KEY = KEY_SIZE, RELAY_ENTRY_PRESENCE = KEY_SIZE + 1, RELAY_ENTRY_CREDIT = 36 };

/* Bytes of one entry, or 0 for a type that is no list. */
static size_t relay_frame_entry_size(enum relay_type type)
{
    if (type == RELAY_WATCH || type == RELAY_UNWATCH)
        return RELAY_ENTRY_KEY;
    if (type == RELAY_PRESENCE)
        return RELAY_ENTRY_PRESENCE;
    return type == RELAY_CREDIT ? RELAY_ENTRY_CREDIT : 0;
}

uint32_t relay_frame_units(size_t box_size)
{
    size_t size = 1 + KEY_SIZE + box_size;
    return (uint32_t)((size + RELAY_UNIT_SIZE - 1) / RELAY_UNIT_SIZE);
}

/* ---- reading ---- */

static struct bytes relay_frame_rest(struct reader *reader)
{
    return reader_take(reader, reader_left(reader));
}

static void relay_frame_read_head(struct reader *reader, struct relay_head *head)
{
    head->epoch = reader_u64(reader);
    reader_copy(reader, head->id.bytes, sizeof head->id.bytes);
}

static err relay_frame_read_hello(struct reader *reader, struct relay_frame *frame)
{
    frame->version_min = reader_u16(reader);
    frame->version_max = reader_u16(reader);
    reader_copy(reader, frame->federation.bytes, sizeof frame->federation.bytes);
    relay_frame_read_head(reader, &frame->head);
    return frame->version_min <= frame->version_max ? OK : ERR_MALFORMED;
}

static err relay_frame_read_welcome(struct reader *reader, struct relay_frame *frame)
{
    struct relay_limits *limits = &frame->limits;
    frame->version_min = frame->version_max = reader_u16(reader);
    reader_copy(reader, frame->federation.bytes, sizeof frame->federation.bytes);
    relay_frame_read_head(reader, &frame->head);
    limits->pair_units = reader_u32(reader);
    limits->member_units = reader_u32(reader);
    limits->session_count = reader_u32(reader);
    limits->watch_count = reader_u32(reader);
    limits->control_count = reader_u32(reader);
    limits->publish_size = reader_u32(reader);
    if (reader->failed)
        return ERR_TRUNCATED;
    bool sound =
        limits->pair_units >= RELAY_UNITS_MAX && limits->member_units >= limits->pair_units;
    return sound ? OK : ERR_MALFORMED;
}

static err relay_frame_read_list(struct reader *reader, struct relay_frame *frame)
{
    size_t size = relay_frame_entry_size(frame->type);
    frame->count = reader_u16(reader);
    if (frame->count > RELAY_KEY_COUNT_MAX)
        return ERR_TOO_LARGE;
    frame->body = reader_take(reader, frame->count * size);
    if (reader->failed)
        return ERR_TRUNCATED;
    for (uint16_t i = 0; frame->type == RELAY_PRESENCE && i < frame->count; i++) {
        if (relay_frame_entry(frame, i).value > 1)
            return ERR_NOT_CANONICAL;
    }
    return frame->count > 0 ? OK : ERR_MALFORMED;
}

/* The only trust in a peer's text: printable ASCII, bounded, not empty. */
static err relay_frame_read_endpoints(struct reader *reader, struct relay_endpoints *endpoints)
{
    endpoints->count = reader_u8(reader);
    if (endpoints->count > ENDPOINT_COUNT_MAX)
        return ERR_TOO_LARGE;
    for (uint8_t i = 0; i < endpoints->count; i++) {
        size_t size = reader_u8(reader);
        if (size > ENDPOINT_SIZE_MAX)
            return ERR_TOO_LARGE;
        endpoints->text[i] = reader_take(reader, size);
        for (size_t at = 0; at < endpoints->text[i].size; at++) {
            if (endpoints->text[i].data[at] < 0x21 || endpoints->text[i].data[at] > 0x7e)
                return ERR_MALFORMED;
        }
        if (size == 0)
            return ERR_MALFORMED;
    }
    return OK;
}

static err relay_frame_read_box(struct reader *reader, struct relay_frame *frame)
{
    reader_copy(reader, frame->key.bytes, sizeof frame->key.bytes);
    frame->body = relay_frame_rest(reader);
    if (frame->body.size > TUNNEL_SIZE_MAX)
        return ERR_TOO_LARGE;
    return frame->body.size > 0 ? OK : ERR_TRUNCATED;
}

static err relay_frame_read_publish(struct reader *reader, struct relay_frame *frame)
{
    frame->total = reader_u32(reader);
    frame->offset = reader_u32(reader);
    frame->body = relay_frame_rest(reader);
    if (frame->body.size > RELAY_PART_SIZE_MAX)
        return ERR_TOO_LARGE;
    if (frame->body.size == 0)
        return ERR_TRUNCATED;
    bool inside = frame->offset <= frame->total && frame->body.size <= frame->total - frame->offset;
    return inside ? OK : ERR_MALFORMED;
}

static err relay_frame_read_status(struct reader *reader, struct relay_frame *frame)
{
    uint8_t code = reader_u8(reader), limit = reader_u8(reader);
    reader_copy(reader, frame->key.bytes, sizeof frame->key.bytes);
    frame->units = reader_u32(reader);
    frame->value = reader_u32(reader);
    if (code < RELAY_GONE || code > RELAY_REFUSED || limit > RELAY_LIMIT_PUBLISH)
        return ERR_MALFORMED;
    if ((limit != RELAY_LIMIT_NONE) != (code == RELAY_LIMITED))
        return ERR_MALFORMED;
    frame->code = (enum relay_code)code;
    frame->limit = (enum relay_limit)limit;
    return OK;
}

static err relay_frame_read_fields(struct reader *reader, struct relay_frame *frame)
{
    switch (frame->type) {
    case RELAY_HELLO:
        return relay_frame_read_hello(reader, frame);
    case RELAY_WELCOME:
        return relay_frame_read_welcome(reader, frame);
    case RELAY_WATCH:
    case RELAY_UNWATCH:
    case RELAY_PRESENCE:
    case RELAY_CREDIT:
        return relay_frame_read_list(reader, frame);
    case RELAY_OFFER:
        return relay_frame_read_endpoints(reader, &frame->endpoints);
    case RELAY_WHERE:
        reader_copy(reader, frame->key.bytes, sizeof frame->key.bytes);
        return OK;
    case RELAY_HINTS:
        reader_copy(reader, frame->key.bytes, sizeof frame->key.bytes);
        return relay_frame_read_endpoints(reader, &frame->endpoints);
    case RELAY_FORWARD:
    case RELAY_DELIVER:
        return relay_frame_read_box(reader, frame);
    case RELAY_PUBLISH:
        return relay_frame_read_publish(reader, frame);
    case RELAY_STATUS:
        return relay_frame_read_status(reader, frame);
    case RELAY_HEAD:
        relay_frame_read_head(reader, &frame->head);
        return OK;
    case RELAY_PUBLISHED:
        frame->result = reader_u16(reader);
        relay_frame_read_head(reader, &frame->head);
        return OK;
    }
    return ERR_UNSUPPORTED;
}

err relay_frame_parse(struct bytes bytes, struct relay_frame *ret_frame)
{
    struct reader reader = reader_of(bytes);
    uint8_t type = reader_u8(&reader);
    if (reader.failed)
        return ERR_TRUNCATED;
    struct relay_frame frame = {.type = (enum relay_type)type};
    err result = relay_frame_read_fields(&reader, &frame);
    if (reader.failed)
        return ERR_TRUNCATED;
    if (result != OK)
        return result;
    if (!reader_done(&reader))
        return ERR_MALFORMED;
    *ret_frame = frame;
    return OK;
}

struct relay_entry relay_frame_entry(const struct relay_frame *frame, uint16_t index)
{
    size_t size = relay_frame_entry_size(frame->type);
    assert(index < frame->count && frame->body.size == frame->count * size);
    struct reader reader = reader_of((struct bytes){frame->body.data + index * size, size});
    struct relay_entry entry = {.value = 0};
    reader_copy(&reader, entry.key.bytes, sizeof entry.key.bytes);
    if (frame->type == RELAY_PRESENCE)
        entry.value = reader_u8(&reader);
    else if (frame->type == RELAY_CREDIT)
        entry.value = reader_u32(&reader);
    return entry;
}

/* ---- writing ---- */

static void relay_frame_write_head(struct buffer *buffer, const struct relay_head *head)
{
    buffer_u64(buffer, head->epoch);
    buffer_put(buffer, head->id.bytes, sizeof head->id.bytes);
}

static void relay_frame_write_welcome(struct buffer *buffer, const struct relay_frame *frame)
{
    const struct relay_limits *limits = &frame->limits;
    buffer_u16(buffer, frame->version_max);
    buffer_put(buffer, frame->federation.bytes, sizeof frame->federation.bytes);
    relay_frame_write_head(buffer, &frame->head);
    buffer_u32(buffer, limits->pair_units);
    buffer_u32(buffer, limits->member_units);
    buffer_u32(buffer, limits->session_count);
    buffer_u32(buffer, limits->watch_count);
    buffer_u32(buffer, limits->control_count);
    buffer_u32(buffer, limits->publish_size);
}

static void relay_frame_write_endpoints(struct buffer *buffer,
                                        const struct relay_endpoints *endpoints)
{
    assert(endpoints->count <= ENDPOINT_COUNT_MAX);
    buffer_u8(buffer, endpoints->count);
    for (uint8_t i = 0; i < endpoints->count; i++) {
        assert(endpoints->text[i].size <= ENDPOINT_SIZE_MAX);
        buffer_u8(buffer, (uint8_t)endpoints->text[i].size);
        buffer_put(buffer, endpoints->text[i].data, endpoints->text[i].size);
    }
}

static void relay_frame_write_status(struct buffer *buffer, const struct relay_frame *frame)
{
    buffer_u8(buffer, (uint8_t)frame->code);
    buffer_u8(buffer, (uint8_t)frame->limit);
    buffer_put(buffer, frame->key.bytes, sizeof frame->key.bytes);
    buffer_u32(buffer, frame->units);
    buffer_u32(buffer, frame->value);
}

static void relay_frame_write_hello(struct buffer *buffer, const struct relay_frame *frame)
{
    buffer_u16(buffer, frame->version_min);
    buffer_u16(buffer, frame->version_max);
    buffer_put(buffer, frame->federation.bytes, sizeof frame->federation.bytes);
    relay_frame_write_head(buffer, &frame->head);
}

/* FORWARD, DELIVER, WHERE, HINTS: a key, then the rest of the type. */
static void relay_frame_write_keyed(struct buffer *buffer, const struct relay_frame *frame)
{
    buffer_put(buffer, frame->key.bytes, sizeof frame->key.bytes);
    if (frame->type == RELAY_HINTS)
        relay_frame_write_endpoints(buffer, &frame->endpoints);
    else if (frame->type != RELAY_WHERE)
        buffer_put(buffer, frame->body.data, frame->body.size);
}

void relay_frame_write(const struct relay_frame *frame, struct buffer *buffer)
{
    buffer_u8(buffer, (uint8_t)frame->type);
    switch (frame->type) {
    case RELAY_HELLO:
        relay_frame_write_hello(buffer, frame);
        return;
    case RELAY_WELCOME:
        relay_frame_write_welcome(buffer, frame);
        return;
    case RELAY_OFFER:
        relay_frame_write_endpoints(buffer, &frame->endpoints);
        return;
    case RELAY_WHERE:
    case RELAY_HINTS:
    case RELAY_FORWARD:
    case RELAY_DELIVER:
        relay_frame_write_keyed(buffer, frame);
        return;
    case RELAY_PUBLISH:
        buffer_u32(buffer, frame->total);
        buffer_u32(buffer, frame->offset);
        buffer_put(buffer, frame->body.data, frame->body.size);
        return;
    case RELAY_STATUS:
        relay_frame_write_status(buffer, frame);
        return;
    case RELAY_PUBLISHED:
        buffer_u16(buffer, frame->result);
        relay_frame_write_head(buffer, &frame->head);
        return;
    case RELAY_HEAD:
        relay_frame_write_head(buffer, &frame->head);
        return;
    case RELAY_WATCH:
    case RELAY_UNWATCH:
    case RELAY_PRESENCE:
    case RELAY_CREDIT:
        break;
    }
    assert(!"a list is written by relay_frame_write_list");
}

void relay_frame_write_list(enum relay_type type, const struct relay_entry *entries, uint16_t count,
                            struct buffer *buffer)
{
    assert(relay_frame_entry_size(type) > 0 && count > 0 && count <= RELAY_KEY_COUNT_MAX);
    buffer_u8(buffer, (uint8_t)type);
    buffer_u16(buffer, count);
    for (uint16_t i = 0; i < count; i++) {
        buffer_put(buffer, entries[i].key.bytes, sizeof entries[i].key.bytes);
        if (type == RELAY_PRESENCE)
            buffer_u8(buffer, (uint8_t)entries[i].value);
        else if (type == RELAY_CREDIT)
            buffer_u32(buffer, entries[i].value);
    }
}
