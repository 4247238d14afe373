#include "protocol/base/pack.h"

#include <assert.h>
#include <msgpack/pack.h>

#include "protocol/base/limits.h"
#include "protocol/base/planted.h"
#include "protocol/base/utf8.h"

/* ---- one value's head: its type, and its number, size or count ---- */

enum head_type { HEAD_UINT, HEAD_BOOL, HEAD_NIL, HEAD_BIN, HEAD_TEXT, HEAD_ARRAY, HEAD_MAP };

struct head {
    enum head_type type;
    uint64_t value; /* the integer or boolean; the size or count of the others */
};

/* A head whose value is in the 1, 2, 4 or 8 bytes after the first byte. `below` is the smallest
 * value that no shorter form can encode. */
static err head_wide(struct reader *reader, size_t width, uint64_t below, struct head *head)
{
    struct bytes taken = reader_take(reader, width);
    if (taken.size != width)
        return ERR_TRUNCATED;
    head->value = 0;
    for (size_t i = 0; i < width; i++)
        head->value = head->value << 8 | taken.data[i];
    return head->value < below ? ERR_NOT_CANONICAL : OK;
}

/* Forms of two bytes and more; https://github.com/msgpack/msgpack/blob/master/spec.md "Formats". */
static err head_long(struct reader *reader, uint8_t first, struct head *head)
{
    static const struct {
        uint8_t first;
        enum head_type type;
        size_t width;
        uint64_t below;
    } forms[] = {
        {0xcc, HEAD_UINT, 1, 0x80},    {0xcd, HEAD_UINT, 2, 0x100},
        {0xce, HEAD_UINT, 4, 0x10000}, {0xcf, HEAD_UINT, 8, UINT64_C(0x100000000)},
        {0xc4, HEAD_BIN, 1, 0},        {0xc5, HEAD_BIN, 2, 0x100},
        {0xc6, HEAD_BIN, 4, 0x10000},  {0xd9, HEAD_TEXT, 1, 32},
        {0xda, HEAD_TEXT, 2, 0x100},   {0xdb, HEAD_TEXT, 4, 0x10000},
        {0xdc, HEAD_ARRAY, 2, 16},     {0xdd, HEAD_ARRAY, 4, 0x10000},
        {0xde, HEAD_MAP, 2, 16},       {0xdf, HEAD_MAP, 4, 0x10000},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (forms[i].first != first)
            continue;
        head->type = forms[i].type;
        uint64_t below = PLANTED(NOT_CANONICAL_TAKEN) ? 0 : forms[i].below;
        return head_wide(reader, forms[i].width, below, head);
    }
    return ERR_NOT_CANONICAL; /* negative, float, ext, or the byte that MessagePack never uses */
}

static err head_read(struct reader *reader, struct head *ret_head)
{
    struct head head = {.type = HEAD_NIL, .value = 0};
    struct bytes taken = reader_take(reader, 1);
    if (taken.size != 1)
        return ERR_TRUNCATED;
    uint8_t first = taken.data[0];
    err failure = OK;
    if (first < 0x80) {
        head = (struct head){.type = HEAD_UINT, .value = first};
    } else if (first < 0x90) {
        head = (struct head){.type = HEAD_MAP, .value = first & 0x0f};
    } else if (first < 0xa0) {
        head = (struct head){.type = HEAD_ARRAY, .value = first & 0x0f};
    } else if (first < 0xc0) {
        head = (struct head){.type = HEAD_TEXT, .value = first & 0x1f};
    } else if (first == 0xc2 || first == 0xc3) {
        head = (struct head){.type = HEAD_BOOL, .value = first & 1};
    } else if (first != 0xc0) {
        failure = head_long(reader, first, &head);
    }
    if (failure == OK)
        *ret_head = head;
    return failure;
}

/* How many values follow directly inside: keys count as values. */
static uint64_t head_inside(const struct head *head)
{
    if (head->type == HEAD_ARRAY)
        return head->value;
    return head->type == HEAD_MAP ? 2 * head->value : 0;
}

/* ---- the walk ---- */

struct walk_level {
    uint64_t left; /* values that remain at this level; in a map, an even number means that a key
                      comes next */
    bool is_map;
    bool has_key; /* whether there was a key before, */
    uint64_t key; /* and that key */
};

struct walk {
    struct reader reader;
    struct walk_level levels[PACK_DEPTH_MAX];
    size_t depth;
    uint64_t awaited; /* values that remain at all levels together; each needs at least one byte */
    uint64_t nodes;
};

/* A count is compared with the bytes left before anything is done for it, so a count of four
 * thousand million in a five-byte value costs nothing. */
static err walk_enter(struct walk *walk, const struct head *head)
{
    uint64_t inside = head_inside(head);
    walk->awaited += inside;
    if (walk->awaited > reader_left(&walk->reader))
        return ERR_TRUNCATED;
    if (walk->nodes + walk->awaited > PACK_NODES_MAX || walk->depth == PACK_DEPTH_MAX)
        return ERR_TOO_LARGE;
    walk->levels[walk->depth] =
        (struct walk_level){.left = inside, .is_map = head->type == HEAD_MAP};
    walk->depth++;
    return OK;
}

static err walk_key(struct walk_level *level, const struct head *head)
{
    if (head->type != HEAD_UINT || (level->has_key && head->value <= level->key))
        return ERR_NOT_CANONICAL;
    level->has_key = true;
    level->key = head->value;
    return OK;
}

static err walk_span(struct walk *walk, const struct head *head)
{
    if (head->value > reader_left(&walk->reader))
        return ERR_TRUNCATED;
    struct bytes span = reader_take(&walk->reader, (size_t)head->value);
    return head->type == HEAD_TEXT && !utf8_valid(span) ? ERR_NOT_CANONICAL : OK;
}

static err walk_value(struct walk *walk)
{
    struct head head;
    err failure = head_read(&walk->reader, &head);
    if (failure != OK)
        return failure;
    walk->awaited--;
    walk->nodes++;
    if (walk->depth > 0) {
        struct walk_level *level = &walk->levels[walk->depth - 1];
        if (level->is_map && level->left % 2 == 0)
            failure = walk_key(level, &head);
        level->left--;
    }
    if (failure != OK)
        return failure;
    switch (head.type) {
    case HEAD_BIN:
    case HEAD_TEXT:
        return walk_span(walk, &head);
    case HEAD_ARRAY:
    case HEAD_MAP:
        return walk_enter(walk, &head);
    case HEAD_UINT:
    case HEAD_BOOL:
    case HEAD_NIL:
        return OK;
    }
    return ERR_NOT_CANONICAL;
}

static err walk_all(struct bytes all)
{
    struct walk walk = {.reader = reader_of(all), .depth = 0, .awaited = 1, .nodes = 0};
    while (walk.awaited > 0) {
        err failure = walk_value(&walk);
        if (failure != OK)
            return failure;
        while (walk.depth > 0 && walk.levels[walk.depth - 1].left == 0)
            walk.depth--;
    }
    return reader_done(&walk.reader) ? OK : ERR_NOT_CANONICAL;
}

/* ---- reading ---- */

err pack_open(struct bytes all, struct pack *ret_pack)
{
    err failure = walk_all(all);
    if (failure == OK)
        *ret_pack = (struct pack){.reader = reader_of(all), .failure = OK};
    return failure;
}

err pack_close(struct pack *pack)
{
    if (pack->failure == OK && !reader_done(&pack->reader))
        pack->failure = ERR_MALFORMED;
    return pack->failure;
}

void pack_fail(struct pack *pack, err failure)
{
    assert(failure != OK);
    if (pack->failure == OK)
        pack->failure = failure;
}

/* The head of the next value. A read past the end finds no value of the requested type:
 * malformed. */
static bool pack_head(struct pack *pack, struct head *ret_head)
{
    if (pack->failure != OK)
        return false;
    if (head_read(&pack->reader, ret_head) != OK) {
        pack_fail(pack, ERR_MALFORMED);
        return false;
    }
    return true;
}

/* The value of the next head when it has `type` and is at most `max`; else 0 and a failure. */
static uint64_t pack_value(struct pack *pack, enum head_type type, uint64_t max)
{
    struct head head;
    if (!pack_head(pack, &head))
        return 0;
    if (head.type != type)
        pack_fail(pack, ERR_MALFORMED);
    else if (head.value > max)
        pack_fail(pack, ERR_TOO_LARGE);
    return pack->failure == OK ? head.value : 0;
}

uint64_t pack_uint(struct pack *pack)
{
    return pack_value(pack, HEAD_UINT, UINT64_MAX);
}

uint64_t pack_uint_max(struct pack *pack, uint64_t max)
{
    return pack_value(pack, HEAD_UINT, max);
}

bool pack_bool(struct pack *pack)
{
    return pack_value(pack, HEAD_BOOL, 1) != 0;
}

static struct bytes pack_span(struct pack *pack, enum head_type type, size_t size_max)
{
    uint64_t size = pack_value(pack, type, size_max);
    struct bytes span = reader_take(&pack->reader, (size_t)size);
    return pack->failure == OK ? span : BYTES_NONE;
}

struct bytes pack_bin(struct pack *pack, size_t size_max)
{
    return pack_span(pack, HEAD_BIN, size_max);
}

struct bytes pack_text(struct pack *pack, size_t size_max)
{
    return pack_span(pack, HEAD_TEXT, size_max);
}

void pack_fixed(struct pack *pack, uint8_t *out, size_t size)
{
    struct bytes span = pack_bin(pack, size);
    if (pack->failure == OK && span.size != size)
        pack_fail(pack, ERR_MALFORMED);
    for (size_t i = 0; i < size; i++)
        out[i] = pack->failure == OK ? span.data[i] : 0;
}

uint32_t pack_array(struct pack *pack, uint32_t count_max)
{
    return (uint32_t)pack_value(pack, HEAD_ARRAY, count_max);
}

bool pack_nil(struct pack *pack)
{
    struct reader ahead = pack->reader;
    struct head head;
    if (pack->failure != OK || head_read(&ahead, &head) != OK || head.type != HEAD_NIL)
        return false;
    pack->reader = ahead;
    return true;
}

void pack_skip(struct pack *pack)
{
    uint64_t awaited = 1;
    struct head head;
    while (awaited > 0 && pack_head(pack, &head)) {
        awaited += head_inside(&head);
        awaited--;
        if (head.type == HEAD_BIN || head.type == HEAD_TEXT)
            reader_take(&pack->reader, (size_t)head.value);
    }
}

struct pack_map pack_map_begin(struct pack *pack)
{
    uint32_t left = (uint32_t)pack_value(pack, HEAD_MAP, UINT32_MAX);
    return (struct pack_map){.pack = pack, .left = left, .has_key = false, .key = 0};
}

/* Moves to the value of the next key; false when there is none. */
static bool pack_map_next(struct pack_map *map)
{
    if (!map->has_key && map->left > 0) {
        map->key = pack_uint(map->pack);
        map->has_key = true;
        map->left--;
    }
    return map->has_key && map->pack->failure == OK;
}

bool pack_field(struct pack_map *map, uint64_t key)
{
    while (pack_map_next(map) && map->key <= key) {
        map->has_key = false;
        if (map->key == key)
            return true;
        pack_skip(map->pack);
    }
    return false;
}

bool pack_need(struct pack_map *map, uint64_t key)
{
    bool found = pack_field(map, key);
    if (!found)
        pack_fail(map->pack, ERR_MALFORMED);
    return found;
}

void pack_map_end(struct pack_map *map)
{
    while (pack_map_next(map)) {
        map->has_key = false;
        pack_skip(map->pack);
    }
}

/* ---- writing ---- */

static int pack_write(void *data, const char *bytes, size_t size)
{
    struct buffer *buffer = data;
    buffer_put(buffer, bytes, size);
    return buffer->failed ? -1 : 0;
}

/* A failed write sets `buffer->failed`, so the results of the packer are not checked. */
static msgpack_packer pack_to(struct buffer *buffer)
{
    msgpack_packer packer;
    msgpack_packer_init(&packer, buffer, pack_write);
    return packer;
}

void pack_put_uint(struct buffer *buffer, uint64_t value)
{
    msgpack_packer packer = pack_to(buffer);
    (void)msgpack_pack_uint64(&packer, value);
}

void pack_put_bool(struct buffer *buffer, bool value)
{
    msgpack_packer packer = pack_to(buffer);
    (void)(value ? msgpack_pack_true(&packer) : msgpack_pack_false(&packer));
}

void pack_put_nil(struct buffer *buffer)
{
    msgpack_packer packer = pack_to(buffer);
    (void)msgpack_pack_nil(&packer);
}

void pack_put_bin(struct buffer *buffer, struct bytes value)
{
    msgpack_packer packer = pack_to(buffer);
    if (value.size > UINT32_MAX)
        buffer->failed = true;
    else if (msgpack_pack_bin(&packer, value.size) == 0)
        (void)msgpack_pack_bin_body(&packer, value.data, value.size);
}

void pack_put_text(struct buffer *buffer, struct bytes value)
{
    msgpack_packer packer = pack_to(buffer);
    if (value.size > UINT32_MAX || !utf8_valid(value))
        buffer->failed = true;
    else if (msgpack_pack_str(&packer, value.size) == 0)
        (void)msgpack_pack_str_body(&packer, value.data, value.size);
}

void pack_put_array(struct buffer *buffer, uint32_t count)
{
    msgpack_packer packer = pack_to(buffer);
    (void)msgpack_pack_array(&packer, count);
}

void pack_put_map(struct buffer *buffer, uint32_t count)
{
    msgpack_packer packer = pack_to(buffer);
    (void)msgpack_pack_map(&packer, count);
}
