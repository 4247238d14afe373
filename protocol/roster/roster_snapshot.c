#include "protocol/roster/roster_snapshot.h"

/* Whole cuts that fit one item, with space for the framing of the part. */
enum { SNAPSHOT_CUTS_MAX = 32 * 1024 / CUT_SIZE };

static size_t snapshot_item_size(size_t content)
{
    return DELTA_ITEM_HEADER_SIZE + content;
}

/* The next item at the cursor; false at the end. */
static bool snapshot_next(const struct roster *roster, struct roster_cursor *cursor,
                          enum delta_kind *ret_kind, struct bytes *ret_content)
{
    struct bytes cuts = roster_cuts(roster);
    if (!cursor->settings_done) {
        cursor->settings_done = true;
        *ret_kind = DELTA_SETTINGS;
        *ret_content = roster_settings_packed(roster);
        return true;
    }
    if (cursor->cut < cuts_count(cuts)) {
        uint32_t left = cuts_count(cuts) - cursor->cut;
        uint32_t count = left < SNAPSHOT_CUTS_MAX ? left : (uint32_t)SNAPSHOT_CUTS_MAX;
        *ret_kind = DELTA_CUTS;
        *ret_content =
            (struct bytes){cuts.data + (size_t)cursor->cut * CUT_SIZE, (size_t)count * CUT_SIZE};
        cursor->cut += count;
        return true;
    }
    if (cursor->member == roster_count(roster))
        return false;
    *ret_kind = DELTA_MEMBER;
    *ret_content = roster_packed(roster, roster_at(roster, cursor->member));
    cursor->member++;
    return true;
}

bool roster_snapshot_part(const struct roster *roster, struct roster_cursor *cursor,
                          struct buffer *part)
{
    struct head_id head = roster_current_id(roster);
    struct head_id base = {{0}};
    enum delta_kind kind;
    struct bytes content;
    size_t left = DELTA_PART_SIZE_MAX - DELTA_PART_HEADER_SIZE;
    buffer_put(part, head.bytes, HASH_SIZE);
    buffer_put(part, base.bytes, HASH_SIZE);
    buffer_u32(part, cursor->part++);
    uint8_t *last = buffer_reserve(part, 1);
    bool more = false;
    struct roster_cursor ahead = *cursor;
    while (!more && snapshot_next(roster, &ahead, &kind, &content)) {
        more = snapshot_item_size(content.size) > left;
        if (more)
            break;
        left -= snapshot_item_size(content.size);
        delta_item_write(part, kind, content);
        *cursor = ahead;
    }
    if (last != NULL)
        *last = more ? 0 : 1;
    return !more;
}

size_t roster_snapshot_size(const struct roster *roster)
{
    struct roster_cursor cursor = {.part = 0};
    enum delta_kind kind;
    struct bytes content;
    size_t size = 0;
    while (snapshot_next(roster, &cursor, &kind, &content))
        size += snapshot_item_size(content.size);
    return size;
}

void roster_snapshot_write(const struct roster *roster, struct buffer *items)
{
    struct roster_cursor cursor = {.part = 0};
    enum delta_kind kind;
    struct bytes content;
    while (snapshot_next(roster, &cursor, &kind, &content))
        delta_item_write(items, kind, content);
}
