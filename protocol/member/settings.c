#include "protocol/member/settings.h"

#include <string.h>

#include "protocol/base/pack.h"
#include "protocol/member/endpoint.h"
#include "protocol/member/member.h"
#include "protocol/member/tag.h"

enum settings_field {
    SETTINGS_NAME,
    SETTINGS_BOARDS,
    SETTINGS_COOLING_OFF,
    SETTINGS_RELAYS,
    SETTINGS_PUBLISHERS,
    SETTINGS_ANNOUNCEMENT,
    SETTINGS_PARTICIPANTS,
    SETTINGS_GENERATIONS,
    SETTINGS_CUSTODY,
    SETTINGS_FIELD_COUNT
};

#define SETTINGS_DAY_MS ((uint64_t)24 * 60 * 60 * 1000)
/* Keeps sums of times below an overflow. */
#define SETTINGS_MS_MAX (3660 * SETTINGS_DAY_MS)

enum { SETTINGS_GENERATIONS_MAX = 1000 };

_Static_assert(BOARD_COUNT_MAX *(TAG_SIZE_MAX + SETTINGS_NAME_SIZE_MAX + 5) +
                       RELAY_COUNT_MAX *
                           (KEY_SIZE + ENDPOINT_SIZE_MAX + SETTINGS_NAME_SIZE_MAX + 7) +
                       PUBLISHER_COUNT_MAX * (KEY_SIZE + 2) + SETTINGS_NAME_SIZE_MAX + 64 <=
                   SETTINGS_SIZE_MAX,
               "full settings must fit");

void settings_init(struct settings *settings)
{
    *settings = (struct settings){
        .cooling_off_ms = 3 * SETTINGS_DAY_MS,
        .announcement_ms_max = 90 * SETTINGS_DAY_MS,
        .participant_count_max = 32,
        .generation_count_max = 12,
        .custody_allowed = true,
    };
}

static err settings_boards_check(const struct settings *settings)
{
    if (settings->board_count > BOARD_COUNT_MAX)
        return ERR_TOO_LARGE;
    for (uint32_t i = 0; i < settings->board_count; i++) {
        const struct settings_board *board = &settings->boards[i];
        err failure = tag_check(board->tag);
        if (failure == OK)
            failure = member_name_check(board->name, SETTINGS_NAME_SIZE_MAX);
        if (failure != OK)
            return failure;
        if (i > 0 && tag_compare(settings->boards[i - 1].tag, board->tag) >= 0)
            return ERR_MALFORMED;
    }
    return OK;
}

static bool settings_key_after(const struct transport_key *before, const struct transport_key *key)
{
    return before == NULL || memcmp(before->bytes, key->bytes, KEY_SIZE) < 0;
}

static err settings_keys_check(const struct settings *settings)
{
    const struct transport_key *before = NULL;
    if (settings->relay_count > RELAY_COUNT_MAX || settings->publisher_count > PUBLISHER_COUNT_MAX)
        return ERR_TOO_LARGE;
    for (uint32_t i = 0; i < settings->relay_count; i++) {
        const struct settings_relay *relay = &settings->relays[i];
        err failure = endpoint_check(relay->endpoint);
        if (failure == OK)
            failure = member_name_check(relay->name, SETTINGS_NAME_SIZE_MAX);
        if (failure != OK)
            return failure;
        if (!settings_key_after(before, &relay->key))
            return ERR_MALFORMED;
        before = &relay->key;
    }
    before = NULL;
    for (uint32_t i = 0; i < settings->publisher_count; i++) {
        if (!settings_key_after(before, &settings->publishers[i]))
            return ERR_MALFORMED;
        before = &settings->publishers[i];
    }
    return OK;
}

err settings_check(const struct settings *settings)
{
    err failure = member_name_check(settings->name, SETTINGS_NAME_SIZE_MAX);
    if (failure == OK)
        failure = settings_boards_check(settings);
    if (failure == OK)
        failure = settings_keys_check(settings);
    if (failure != OK)
        return failure;
    if (settings->cooling_off_ms > SETTINGS_MS_MAX || settings->announcement_ms_max == 0 ||
        settings->announcement_ms_max > SETTINGS_MS_MAX || settings->participant_count_max == 0 ||
        settings->participant_count_max > PARTICIPANT_COUNT_MAX ||
        settings->generation_count_max == 0 ||
        settings->generation_count_max > SETTINGS_GENERATIONS_MAX)
        return ERR_MALFORMED;
    return OK;
}

static void settings_write_lists(struct buffer *buffer, const struct settings *settings)
{
    pack_put_uint(buffer, SETTINGS_RELAYS);
    pack_put_array(buffer, settings->relay_count);
    for (uint32_t i = 0; i < settings->relay_count; i++) {
        pack_put_array(buffer, 3);
        pack_put_bin(buffer, ID_BYTES(settings->relays[i].key));
        pack_put_text(buffer, settings->relays[i].endpoint);
        pack_put_text(buffer, settings->relays[i].name);
    }
    pack_put_uint(buffer, SETTINGS_PUBLISHERS);
    pack_put_array(buffer, settings->publisher_count);
    for (uint32_t i = 0; i < settings->publisher_count; i++)
        pack_put_bin(buffer, ID_BYTES(settings->publishers[i]));
}

void settings_write(struct buffer *buffer, const struct settings *settings)
{
    pack_put_map(buffer, SETTINGS_FIELD_COUNT);
    pack_put_uint(buffer, SETTINGS_NAME);
    pack_put_text(buffer, settings->name);
    pack_put_uint(buffer, SETTINGS_BOARDS);
    pack_put_array(buffer, settings->board_count);
    for (uint32_t i = 0; i < settings->board_count; i++) {
        pack_put_array(buffer, 2);
        pack_put_text(buffer, settings->boards[i].tag);
        pack_put_text(buffer, settings->boards[i].name);
    }
    pack_put_uint(buffer, SETTINGS_COOLING_OFF);
    pack_put_uint(buffer, settings->cooling_off_ms);
    settings_write_lists(buffer, settings);
    pack_put_uint(buffer, SETTINGS_ANNOUNCEMENT);
    pack_put_uint(buffer, settings->announcement_ms_max);
    pack_put_uint(buffer, SETTINGS_PARTICIPANTS);
    pack_put_uint(buffer, settings->participant_count_max);
    pack_put_uint(buffer, SETTINGS_GENERATIONS);
    pack_put_uint(buffer, settings->generation_count_max);
    pack_put_uint(buffer, SETTINGS_CUSTODY);
    pack_put_bool(buffer, settings->custody_allowed);
}

static void settings_read_boards(struct pack *pack, struct settings *settings)
{
    settings->board_count = pack_array(pack, BOARD_COUNT_MAX);
    for (uint32_t i = 0; i < settings->board_count; i++) {
        if (pack_array(pack, 2) != 2)
            pack_fail(pack, ERR_MALFORMED);
        settings->boards[i].tag = pack_text(pack, TAG_SIZE_MAX);
        settings->boards[i].name = pack_text(pack, SETTINGS_NAME_SIZE_MAX);
    }
}

static void settings_read_relays(struct pack *pack, struct settings *settings)
{
    settings->relay_count = pack_array(pack, RELAY_COUNT_MAX);
    for (uint32_t i = 0; i < settings->relay_count; i++) {
        if (pack_array(pack, 3) != 3)
            pack_fail(pack, ERR_MALFORMED);
        pack_fixed(pack, settings->relays[i].key.bytes, KEY_SIZE);
        settings->relays[i].endpoint = pack_text(pack, ENDPOINT_SIZE_MAX);
        settings->relays[i].name = pack_text(pack, SETTINGS_NAME_SIZE_MAX);
    }
}

static void settings_read_publishers(struct pack *pack, struct settings *settings)
{
    settings->publisher_count = pack_array(pack, PUBLISHER_COUNT_MAX);
    for (uint32_t i = 0; i < settings->publisher_count; i++)
        pack_fixed(pack, settings->publishers[i].bytes, KEY_SIZE);
}

/* pack_map skips unknown keys (ROSTER-11). */
static void settings_read_fields(struct pack *pack, struct settings *settings)
{
    struct pack_map map = pack_map_begin(pack);
    if (pack_need(&map, SETTINGS_NAME))
        settings->name = pack_text(pack, SETTINGS_NAME_SIZE_MAX);
    if (pack_need(&map, SETTINGS_BOARDS))
        settings_read_boards(pack, settings);
    if (pack_need(&map, SETTINGS_COOLING_OFF))
        settings->cooling_off_ms = pack_uint(pack);
    if (pack_need(&map, SETTINGS_RELAYS))
        settings_read_relays(pack, settings);
    if (pack_need(&map, SETTINGS_PUBLISHERS))
        settings_read_publishers(pack, settings);
    if (pack_need(&map, SETTINGS_ANNOUNCEMENT))
        settings->announcement_ms_max = pack_uint(pack);
    if (pack_need(&map, SETTINGS_PARTICIPANTS))
        settings->participant_count_max = pack_uint(pack);
    if (pack_need(&map, SETTINGS_GENERATIONS))
        settings->generation_count_max = pack_uint(pack);
    if (pack_need(&map, SETTINGS_CUSTODY))
        settings->custody_allowed = pack_bool(pack);
    pack_map_end(&map);
}

err settings_read(struct bytes packed, struct settings *ret_settings)
{
    struct pack pack;
    struct settings settings;
    settings_init(&settings);
    if (packed.size > SETTINGS_SIZE_MAX)
        return ERR_TOO_LARGE;
    err failure = pack_open(packed, &pack);
    if (failure != OK)
        return failure;
    settings_read_fields(&pack, &settings);
    failure = pack_close(&pack);
    if (failure == OK)
        failure = settings_check(&settings);
    if (failure == OK)
        *ret_settings = settings;
    return failure;
}

struct hash settings_hash(struct bytes packed)
{
    return hash_one(CONTEXT_SETTINGS, packed);
}
